"""Who is here, and the telling of news. This is the one place where clients come, go and change their names.

News is not written at once: what is said during one turn of the loop is collected, and each receiver gets it in one
write (`flush`). The order of what one client is sent is the order in which the room was told.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from . import journal
from .sessions import History, Session, Sessions
from .wording import fold

if TYPE_CHECKING:
    from .client import Client
    from .outbox import Outbox


class Room:
    """The registry of clients, names and sessions. Only the thread of the loop may use it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, max_clients: int, resume_s: float) -> None:
        self.clients: dict[str, Client] = {}  # by folded name, in the order in which the names were taken
        self.history = History()
        self._loop = loop
        self._max_clients = max_clients
        self._sessions = Sessions(resume_s)
        self._numbers = itertools.count(1)
        self._dirty: list[Client] = []  # have something to be written
        self._news: list[bytes] = []  # for everybody but `_but`
        self._news_size = 0
        self._ends: list[tuple[int, int]] = []  # where in the news a message ends, and its number
        self._but: Client | None = None
        self._flush_due = False
        self._closing = False

    def full(self) -> bool:
        return len(self.clients) >= self._max_clients

    def join(self, client: Client) -> Session:
        """Let `client` in under a new name."""
        name = next(name for name in map("user{}".format, self._numbers) if name not in self.clients)
        session = self._sessions.open(name, client)
        self._spread()  # what was said before it came is not for it
        self.clients[fold(name)] = client
        self.tell_others(client, f"* {name} entrou no chat")
        return session

    def leave(self, client: Client, reason: str, *, for_good: bool = False) -> None:
        """Take `client` out, tell the others, free its name. Harmless when it is out already."""
        name = client.session.name
        if self.clients.get(fold(name)) is not client:
            return
        self._spread()
        del self.clients[fold(name)]
        if for_good:
            self._sessions.forget(client.session)
        else:
            self._sessions.detach(client.session, client.outbox.heard(), self._loop.time())
        self.tell_others(client, f"* {name} saiu do chat")
        journal.info("left", client=client.number, name=name, reason=reason, here=len(self.clients))

    def owner(self, name: str) -> Client | None:
        """Who has that name now."""
        return self.clients.get(fold(name))

    def rename(self, client: Client, name: str) -> bool:
        """Give `client` another name, unless somebody else has it."""
        if self.owner(name) not in (None, client):
            return False
        old, client.session.name = client.session.name, name
        if old == name:
            return True
        del self.clients[fold(old)]
        self.clients[fold(name)] = client
        self.tell_others(client, f"* {old} agora e {name}")
        journal.info("renamed", client=client.number, name=name, before=old)
        return True

    def session(self, token: str) -> Session | None:
        """The session of that token, if it can still be resumed."""
        self._sessions.expire(self._loop.time())
        return self._sessions.find(token)

    def resume(self, client: Client, session: Session) -> tuple[list[bytes], bool] | None:
        """Give `client` the identity of `session`; returns the messages it missed, and whether these are all of them.

        None, and nothing has changed, when somebody else took the name meanwhile. A connection that still holds the
        session must have been taken out before.
        """
        mine = client.session
        if self.owner(session.name) not in (None, client):
            return None
        missed = self.history.between(session.heard, client.since, session)
        name, session.name = session.name, mine.name
        self._sessions.forget(mine)
        self._sessions.attach(session, client)
        client.session = session
        self.rename(client, name)
        return missed

    def say(self, client: Client, text: str) -> None:
        """A message from `client` to everybody else."""
        line = f"<{client.session.name}> {text}\n".encode()
        self.history.add(client.session, line)
        self._tell_others(client, line)
        self._ends.append((self._news_size, self.history.seq))

    def tell_others(self, client: Client, text: str) -> None:
        """A notice to everybody but `client`."""
        self._tell_others(client, f"{text}\n".encode())

    def tell(self, client: Client, data: bytes) -> None:
        """Bytes for `client` alone, behind all that it was told before."""
        self._spread()
        self._queue(client, data)

    def close(self) -> None:
        """All will leave now, and need not be told so of each other."""
        self._closing = True

    def flush(self) -> None:
        """Write what is due; drop who leaves too much unread."""
        self._flush_due = False
        self._spread()
        dirty, self._dirty = self._dirty, []
        now = self._loop.time()
        for client in dirty:
            if not client.outbox.flush(now):
                client.drop("slow reader")

    def tick(self, now: float) -> None:
        """Look after those who do nothing; to be called several times a second."""
        self._sessions.expire(now)
        for client in list(self.clients.values()):
            client.tick(now)

    def _tell_others(self, client: Client, line: bytes) -> None:
        if self._closing:
            return
        if self._but is not client:
            self._spread()
            self._but = client
        self._news.append(line)
        self._news_size += len(line)
        self._schedule_flush()

    def _spread(self) -> None:
        """Hand the collected news to its receivers."""
        if not self._news:
            return
        data, ends = b"".join(self._news), tuple(self._ends)
        self._news.clear()
        self._ends.clear()
        self._news_size = 0
        for client in self.clients.values():
            if client is not self._but:
                self._queue(client, data, ends)

    def _queue(self, client: Client, data: bytes, ends: Outbox.Ends = ()) -> None:
        if client.outbox.put(data, ends):
            self._dirty.append(client)
            self._schedule_flush()

    def _schedule_flush(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self.flush)
