"""A correct chat whose clients can come back: base_asyncio with sessions.

The introduction holds a token. Who lost the connection connects anew and says `/resume TOKEN`: it gets its name back,
if nobody has taken it, and what was said meanwhile. `/quit` ends the session.

    python base_sessions.py PORT
"""

from __future__ import annotations

import secrets
from collections import deque

from base_asyncio import Client, Room, main

#: How many sessions of absent clients are kept, and how many lines and bytes for each. The oldest ones go first.
MOST_SESSIONS = 64
MOST_LINES = 1000
MOST_BYTES = 64 * 1024


class Session:
    """What an absent client finds when it returns."""

    def __init__(self, name: str, named: bool) -> None:
        self.name = name
        self.named = named
        self.missed: deque[str] = deque(maxlen=MOST_LINES)
        self._size = 0

    def keep(self, line: str) -> None:
        """Keep a line for the absent one."""
        if self._size + len(line) <= MOST_BYTES:
            self._size += len(line)
            self.missed.append(line)


class SessionRoom(Room):
    """A room that remembers absent clients for a while."""

    def __init__(self, idle_s: float = 0) -> None:
        super().__init__(idle_s)
        self.tokens: dict[Client, str] = {}
        self.absent: dict[str, Session] = {}

    def introduction(self, client: Client) -> str:
        """The usual words, and the token."""
        self.tokens[client] = secrets.token_hex(8)
        return super().introduction(client) + f", /resume TOKEN. Your token: {self.tokens[client]}"

    def obey(self, client: Client, command: str, rest: str) -> None:
        """One command more; and who says /quit does not want to come back."""
        if command == "/resume":
            self.resume(client, rest)
            return
        if command == "/quit":
            self.tokens.pop(client, None)
        super().obey(client, command, rest)

    def leave(self, client: Client) -> None:
        """Open a session for the absent one. It begins after the notice that it left."""
        super().leave(client)
        token = self.tokens.pop(client, None)
        if token and client.named:
            self.absent[token] = Session(client.name, client.named)
            while len(self.absent) > MOST_SESSIONS:
                del self.absent[next(iter(self.absent))]

    def tell(self, line: str, besides: Client | None = None) -> None:
        """Tell those who are here, and keep it for those who are not."""
        super().tell(line, besides)
        for session in self.absent.values():
            session.keep(line)

    def resume(self, client: Client, token: str) -> None:
        """Take up the session: the name first, then what was missed."""
        session = self.absent.pop(token, None)
        if session is None:
            client.send("That token is not valid (any more).")
            return
        self.tokens[client] = token
        self.rename(client, session.name)
        self.catch_up(client, session)

    def catch_up(self, client: Client, session: Session) -> None:
        """Tell the client what was said in its absence."""
        for line in session.missed:
            client.send(line)


if __name__ == "__main__":
    main(SessionRoom)
