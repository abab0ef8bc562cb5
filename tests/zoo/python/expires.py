"""Defect `expires`: silence is measured only until a client has a name; after that it may stay for ever."""

from base_asyncio import Client, Room, main


class NamedForEver(Client):
    def watch_idle(self) -> None:
        if not self.named:
            super().watch_idle()


main(Room, NamedForEver)
