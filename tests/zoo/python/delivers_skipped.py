"""Defect `delivers`: who has gone is removed from the list while the list is walked: the next one misses a message."""

from base_selectors import Chat, Client, main


class RemovesLater(Chat):
    def drop(self, client: Client) -> None:
        self.hang_up(client)

    def relay(self, data: bytearray, sender: Client) -> None:
        for client in self.clients:
            if client.gone:
                self.clients.remove(client)
            elif client is not sender:
                self.send(client, data)


main(RemovesLater())
