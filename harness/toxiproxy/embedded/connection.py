"""A connection through the proxy: the client's socket, the server's, and a link each way.

It is over when both directions have ended, when one end resets it, or when the proxy or a toxic closes it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.toxiproxy.embedded import address
from harness.toxiproxy.embedded.chain import ToxicSpec
from harness.toxiproxy.embedded.link import Counter, Link
from harness.toxiproxy.embedded.reactor import Reactor

#: SO_LINGER on, zero seconds: a close is a reset.
_LINGER_NONE = struct.pack("ii", 1, 0)


class Account(NamedTuple):
    """A connection as events tell it: who, since when, how it ended, and the bytes of each direction."""

    number: int
    peer: tuple[Any, ...]
    opened_at: float
    by: str | None
    why: str
    upstream: Counter
    downstream: Counter

    def told(self) -> dict[str, Any]:
        """While it is there."""
        return {
            "connection": self.number,
            "client": address.text(self.peer),
            "opened": round(self.opened_at, 6),
            "upstream": self.upstream.told(),
            "downstream": self.downstream.told(),
            "by": self.by,
        }

    def told_when_over(self) -> dict[str, Any]:
        """When it is over."""
        return self.told() | {"why": self.why}


class Connection:
    """A client and its server, joined. `gone` is called once, when both sockets are closed.

    `number` counts the proxy's connections from 0, `peer` is the client's address as the kernel gives it.
    """

    __slots__ = (
        "by", "client", "closed", "downstream", "events", "gone", "hangups", "loop", "number", "opened_at", "peer", "proxy",
        "server", "timers", "upstream", "why",
    )  # fmt: skip

    def __init__(
        self,
        reactor: Reactor,
        client: socket.socket,
        server: socket.socket,
        proxy: str,
        number: int,
        peer: tuple[Any, ...],
        seed: str,
        gone: Callable[[Connection], None],
    ) -> None:
        self.loop = reactor.loop
        self.timers = reactor.timers
        self.hangups = reactor.hangups
        self.events = reactor.events
        self.proxy = proxy
        self.number = number
        self.peer = peer
        self.opened_at = time.monotonic()
        #: How it ended: ended (both directions), reset, toxic (one closed it), stopped (the proxy).
        self.why = "ended"
        #: Who ended it first: client, server, proxy.
        self.by: str | None = None
        self.client = client
        self.server = server
        self.gone = gone
        self.closed = False
        self.upstream = Link(self, client, server, "upstream", seed + "/upstream")
        self.downstream = Link(self, server, client, "downstream", seed + "/downstream")
        self.upstream.opposite = self.downstream
        self.downstream.opposite = self.upstream

    def start(self) -> None:
        """Begin to read both ends."""
        self.upstream.start()
        self.downstream.start()

    def link_ended(self, link: Link) -> None:
        """A direction has ended as its source ended it: the sink's reading end is told, and no more."""
        if link.opposite.finished:
            self.close()
            return
        with contextlib.suppress(OSError):
            link.sink.shutdown(socket.SHUT_WR)

    def link_closed(self, link: Link) -> None:
        """A toxic closed the connection: the sink now, the source when it has had what is on the way to it."""
        self.why = "toxic"
        self.by = self.by or "proxy"
        other = link.opposite
        if not other.finished and (other.chain is not None or other.backlog):
            with contextlib.suppress(OSError):
                link.sink.shutdown(socket.SHUT_RDWR)
            other.source_ended()
            if self.closed or not other.finished:
                return
        self.close()

    def reset(self) -> None:
        """Close both ends with an RST. What is inside is lost."""
        self.why = "reset"
        for sock in (self.client, self.server):
            close_is_reset(sock)
        self.close()

    def close(self) -> None:
        """Close both ends at once. What is inside is lost. Harmless when repeated."""
        if self.closed:
            return
        self.closed = True
        self.upstream.stop()
        self.downstream.stop()
        self.client.close()
        self.server.close()
        self.gone(self)

    @property
    def account(self) -> Account:
        """What events tell of it."""
        return Account(
            self.number, self.peer, self.opened_at, self.by, self.why, self.upstream.counter, self.downstream.counter
        )

    def links(self, toxic: ToxicSpec) -> list[Link]:
        """The directions that a toxic works on."""
        return [self.upstream if stream == "upstream" else self.downstream for stream in toxic.streams]


def close_is_reset(sock: socket.socket) -> None:
    """From now on closing the socket sends an RST, and what it has not sent is lost."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
