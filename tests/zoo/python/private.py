"""Defect `private`: whispers look in a directory of their own, in which a reset leaves the dead connection.

A whisper to nobody is "passed on": everybody reads what was meant for the one who left, or left and returned.
"""

from base_threads import Chat, Client, main


class Directory(Chat):
    def __init__(self) -> None:
        super().__init__()
        self.directory: dict[str, Client] = {}

    def welcome(self, client: Client) -> None:
        self.directory.setdefault(str(client.name).casefold(), client)
        super().welcome(client)

    def converse(self, client: Client) -> None:
        super().converse(client)
        self.directory.pop(
            str(client.name).casefold(), None
        )  # a reset leaves `converse` by an exception, and does not come by here

    def whisper(self, client: Client, to: str, text: str) -> None:
        target = self.directory.get(to.casefold())
        if target is None or target.closing:
            self.say(client, f"(para {to}) {text}")
        else:
            target.send(f"(em segredo) [{client.name}] {text}\n")


main(Directory())
