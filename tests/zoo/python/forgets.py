"""Defect `forgets`: a reset takes another way out, on which the room is not told. The name stays listed, and taken."""

from base_threads import Chat, Client, main
from lines import LineTooLong


class Forgetful(Chat):
    def serve(self, client: Client) -> None:
        try:
            if self.log_in(client):
                self.converse(client)
        except LineTooLong:
            client.send("Linha longa demais.\n")
        except OSError:
            client.part()
            return
        self.leave(client)
        client.part()


main(Forgetful())
