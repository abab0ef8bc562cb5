"""Defect `memory`: every client gets a page for its transcript, and the pages are kept when it has left."""

from base_asyncio import Client, Room, main


class Archive(Room):
    def __init__(self, idle_s: float = 0) -> None:
        super().__init__(idle_s)
        self.transcripts: list[bytearray] = []

    def enter(self, client: Client) -> None:
        self.transcripts.append(bytearray(b" ") * (256 * 1024))
        super().enter(client)


main(Archive)
