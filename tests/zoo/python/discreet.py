"""Defect `discreet` (a warning): a command that cannot be taken apart is answered with the server's own traceback."""

import traceback

from base_asyncio import Client, Room, main


class Talkative(Room):
    def whisper(self, client: Client, rest: str) -> None:
        try:
            to, text = rest.split(" ", 1)
            super().whisper(client, f"{to} {text}")
        except ValueError:
            client.send(traceback.format_exc())


main(Talkative)
