"""Defect `delivers`: text that is not UTF-8 raises in the reading thread, and nothing catches it.

The thread is gone, the connection stays open: whatever the client says from now on reaches nobody.
"""

from base_threads import Chat, Client, main
from lines import LineTooLong, clean


class StrictDecoding(Chat):
    def serve(self, client: Client) -> None:
        try:
            if self.log_in(client):
                self.converse(client)
        except OSError as error:
            self.lost(client, error)
        except LineTooLong:
            client.send("Linha longa demais.\n")
        self.leave(client)  # not in a `finally`: an unforeseen exception passes it by
        client.part()

    def readable(self, line: bytes) -> str:
        return clean(line.decode().encode())


main(StrictDecoding())
