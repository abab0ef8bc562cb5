"""Defect `once`: the list of subscribed names keeps the name of a client that was reset.

When it returns it is listed twice, and both entries lead to the new connection: it gets everything twice.
"""

from base_threads import Chat, Client, main


class Subscribers(Chat):
    def __init__(self) -> None:
        super().__init__()
        self.subscribed: list[str] = []

    def welcome(self, client: Client) -> None:
        self.subscribed.append(str(client.name).casefold())
        super().welcome(client)

    def converse(self, client: Client) -> None:
        super().converse(client)
        with self.lock:
            self.subscribed.remove(
                str(client.name).casefold()
            )  # a reset leaves `converse` by an exception, and does not come by here

    def relay(self, text: str, besides: Client | None = None) -> None:
        for key in self.subscribed:
            member = self.members.get(key)
            if member and member is not besides:
                member.send(text)


main(Subscribers())
