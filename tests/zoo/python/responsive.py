"""Defect `responsive`: messages are written at once, under the room's lock: one reader that does not read stops all."""

from contextlib import suppress

from base_threads import Chat, Client, main


class Direct(Client):
    def send(self, text: str) -> None:
        with suppress(OSError):  # it is gone: its own thread cleans up
            self.sock.sendall(text.encode())


class Blocking(Chat):
    client_class = Direct


main(Blocking())
