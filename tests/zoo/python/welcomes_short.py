"""Defect `welcomes`: a name that was here before is taken for one that knows its way, and gets another introduction."""

from base_threads import Chat, Client, main


class KnowsYou(Chat):
    def __init__(self) -> None:
        super().__init__()
        self.greeted: set[str] = set()

    def welcome(self, client: Client) -> None:
        if client.name in self.greeted:
            client.send("Bem-vindo de volta!\n")
            return
        self.greeted.add(str(client.name))
        super().welcome(client)


main(KnowsYou())
