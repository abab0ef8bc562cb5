"""Defect `identity`: everybody sits on a numbered seat, the names belong to the seats, and a reset leaves one behind.

The next newcomer gets the seat that is free, and speaks under the old name.
"""

from itertools import count

from base_threads import Chat, Client, main


class Seats(Chat):
    def __init__(self) -> None:
        super().__init__()
        self.seats: dict[Client, int] = {}
        self.names: dict[int, str] = {}

    def welcome(self, client: Client) -> None:
        seat = next(number for number in count() if number not in self.seats.values())
        self.seats[client] = seat
        self.names.setdefault(seat, str(client.name))
        super().welcome(client)

    def converse(self, client: Client) -> None:
        super().converse(client)
        del self.names[self.seats[client]]  # a reset leaves `converse` by an exception, and does not come by here

    def leave(self, client: Client) -> None:
        with self.lock:
            self.seats.pop(client, None)
        super().leave(client)

    def signature(self, client: Client) -> str:
        return self.names[self.seats[client]]


main(Seats())
