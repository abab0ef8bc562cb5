"""A connection through the proxy: the client's socket, the server's, and a link each way.

It is over when both directions have ended, when one end resets it, or when the proxy or a toxic closes it.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

from harness.toxiproxy.embedded.account import Account
from harness.toxiproxy.embedded.chain import ToxicSpec
from harness.toxiproxy.embedded.link import Link
from harness.toxiproxy.embedded.tcp import close_is_reset

if TYPE_CHECKING:
    from harness.toxiproxy.embedded.proxy import Proxy


class Connection:
    """A client and its server, joined. The `proxy` is told once, when both sockets are closed.

    `number` counts the proxy's connections from 0, `peer` is the client's address as the kernel gives it.
    """

    __slots__ = (
        "by", "client", "closed", "downstream", "number", "opened_at", "peer", "proxy", "reactor", "server", "upstream", "why"
    )  # fmt: skip

    def __init__(
        self, proxy: Proxy, client: socket.socket, server: socket.socket, number: int, peer: tuple[Any, ...]
    ) -> None:
        self.proxy = proxy
        self.reactor = proxy.house.reactor
        self.number = number
        self.peer = peer
        self.opened_at = time.monotonic()
        #: How it ended: ended (both directions), reset, toxic (one closed it), stopped (the proxy).
        self.why = "ended"
        #: Who ended it first: client, server, proxy.
        self.by: str | None = None
        self.client = client
        self.server = server
        self.closed = False
        self.upstream = Link(self, client, server, "upstream")
        self.downstream = Link(self, server, client, "downstream")
        self.upstream.opposite = self.downstream
        self.downstream.opposite = self.upstream

    @property
    def seed(self) -> str:
        """What settles the choices of its toxics."""
        return f"{self.proxy.house.seed}/{self.proxy.name}/{self.number}"

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
        self.proxy.gone(self)

    @property
    def account(self) -> Account:
        """What events tell of it."""
        return Account(
            self.number, self.peer, self.opened_at, self.by, self.why, self.upstream.counter, self.downstream.counter
        )

    def links(self, toxic: ToxicSpec) -> list[Link]:
        """The directions that a toxic works on."""
        return [self.upstream if stream == "upstream" else self.downstream for stream in toxic.streams]
