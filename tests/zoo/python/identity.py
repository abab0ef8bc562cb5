"""Defect `identity`: names are kept by descriptor number, and a reset leaves one behind.

The kernel gives the next newcomer the same number, and the newcomer speaks under the old name.
"""

from base_threads import Chat, Client, main


class ByDescriptor(Chat):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[int, str] = {}

    def converse(self, client: Client) -> None:
        number = client.sock.fileno()
        self.names.setdefault(number, str(client.name))
        super().converse(client)
        del self.names[number]  # a reset leaves `converse` by an exception, and does not come by here

    def signature(self, client: Client) -> str:
        return self.names[client.sock.fileno()]


main(ByDescriptor())
