"""Defect `admits`: messages go to every connection, also to those that have not said who they are."""

from base_threads import Chat, Client, main


class Overheard(Chat):
    def __init__(self) -> None:
        super().__init__()
        self.connected: list[Client] = []

    def serve(self, client: Client) -> None:
        with self.lock:
            self.connected.append(client)
        super().serve(client)

    def leave(self, client: Client) -> None:
        with self.lock:
            self.connected.remove(client)
        super().leave(client)

    def relay(self, text: str, besides: Client | None = None) -> None:
        for client in self.connected:
            if client is not besides:
                client.send(text)


main(Overheard())
