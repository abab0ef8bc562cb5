"""Defect `resumes`: who comes back is told what it missed, but stays under its new guest's name."""

from base_asyncio import Client, main
from base_sessions import SessionRoom


class Nameless(SessionRoom):
    def resume(self, client: Client, token: str) -> None:
        session = self.absent.pop(token, None)
        if session is None:
            client.send("That token is not valid (any more).")
            return
        self.tokens[client] = token
        self.catch_up(client, session)


main(Nameless)
