"""Defect `forgets`: only who says QUIT is taken out. Whoever is cut off stays in the channel, and its name is taken."""

from irc import Client, Server, main


class Forgetful(Client):
    def connection_lost(self, _error: Exception | None) -> None:
        self.leaving = True


main(Server, Forgetful)
