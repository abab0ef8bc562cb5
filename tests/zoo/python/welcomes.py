"""Defect `welcomes`: only unknown names are greeted, so who comes back gets no introduction."""

from base_threads import Chat, Client, main


class GreetsOnce(Chat):
    def __init__(self) -> None:
        super().__init__()
        self.greeted: set[str] = set()

    def welcome(self, client: Client) -> None:
        if client.name in self.greeted:
            return
        self.greeted.add(str(client.name))
        super().welcome(client)


main(GreetsOnce())
