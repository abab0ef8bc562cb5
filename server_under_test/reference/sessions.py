"""Who may come back, and what was said meanwhile.

Each connection gets a session with a secret token. When the connection is lost, not ended with `/quit`, the session is
kept for a while. Missed messages are not kept for each absent client: the room keeps one bounded history, and a session
remembers the number of the last message that it heard.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client

MAX_AWAY = 1000
HISTORY_LINES = 500
HISTORY_BYTES = 512 * 1024
_TOKEN_BYTES = 8


@dataclass(slots=True, eq=False)
class Session:
    """An identity that outlives its connection. `client` is None while it is away."""

    token: str
    name: str
    client: Client | None
    heard: int = 0
    left_at: float = 0.0


class Sessions:
    """All sessions, present and away, by token."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._by_token: dict[str, Session] = {}
        self._away: dict[str, Session] = {}  # in the order in which they left

    def open(self, name: str, client: Client) -> Session:
        session = Session(os.urandom(_TOKEN_BYTES).hex(), name, client)
        self._by_token[session.token] = session
        return session

    def find(self, token: str) -> Session | None:
        return self._by_token.get(token)

    def forget(self, session: Session) -> None:
        """It cannot be resumed any more."""
        session.client = None
        self._by_token.pop(session.token, None)
        self._away.pop(session.token, None)

    def detach(self, session: Session, heard: int, now: float) -> None:
        """Its connection was lost: keep it, but not for ever, and not more than MAX_AWAY of them."""
        session.client, session.heard, session.left_at = None, heard, now
        self._away[session.token] = session
        if len(self._away) > MAX_AWAY:
            self.forget(next(iter(self._away.values())))

    def attach(self, session: Session, client: Client) -> None:
        session.client = client
        self._away.pop(session.token, None)

    def expire(self, now: float) -> None:
        """Forget those that were away for too long."""
        while self._away:
            oldest = next(iter(self._away.values()))
            if now - oldest.left_at <= self._keep_s:
                return
            self.forget(oldest)


class History:
    """The last messages of the room, numbered from 1; bounded in lines and in bytes."""

    def __init__(self) -> None:
        self.seq = 0
        self._said: deque[tuple[int, Session, bytes]] = deque()
        self._size = 0

    def add(self, sender: Session, line: bytes) -> None:
        self.seq += 1
        self._said.append((self.seq, sender, line))
        self._size += len(line)
        while len(self._said) > HISTORY_LINES or self._size > HISTORY_BYTES:
            self._size -= len(self._said.popleft()[2])

    def between(self, after: int, upto: int, reader: Session) -> tuple[list[bytes], bool]:
        """What others said after message `after`, up to `upto`, and whether that is all of it."""
        lines = [line for seq, sender, line in self._said if after < seq <= upto and sender is not reader]
        complete = after >= upto or (bool(self._said) and self._said[0][0] <= after + 1)
        return lines, complete
