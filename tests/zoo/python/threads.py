"""Defect `threads`: after a reset nobody tells the writing thread: it waits for ever for something to write."""

from base_threads import Chat, Client, main
from lines import LineTooLong


class WriterForgotten(Chat):
    def serve(self, client: Client) -> None:
        try:
            if self.log_in(client):
                self.converse(client)
        except LineTooLong:
            client.send("Linha longa demais.\n")
        except OSError:
            self.leave(client)
            client.sock.close()
            return
        self.leave(client)
        client.part()


main(WriterForgotten())
