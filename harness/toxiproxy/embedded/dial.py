"""Connecting to an upstream: many at a time, each with a time limit, none in the way of another.

An address in numbers is connected to with a bare non-blocking socket (on the loopback the kernel answers before the call returns);
a name is looked up each time, off the event loop, and its addresses are tried in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Callable

from harness.toxiproxy.embedded.address import AddressError, literal, lookup, port_number, split
from harness.toxiproxy.embedded.reactor import Reactor
from harness.toxiproxy.embedded.timers import Timer

#: An upstream that does not answer for this long is given up, seconds: a SYN is repeated after 1, 3, 7 and 15.
LIMIT_S = 20.0

Connected = Callable[[socket.socket], None]
Failed = Callable[[str, bool], None]


class Dial:
    """One attempt. Calls `connected` with a non-blocking socket or `failed`, once, unless cancelled.

    `failed` is told the reason, and whether the upstream took the connection and reset it before we looked.
    """

    __slots__ = (
        "_connected", "_deadline", "_failed", "_hosts", "_port", "_reactor", "_sock", "_task", "_timer", "upstream"
    )  # fmt: skip

    def __init__(self, reactor: Reactor, upstream: str, connected: Connected, failed: Failed) -> None:
        self.upstream = upstream
        self._reactor = reactor
        self._connected = connected
        self._failed = failed
        self._sock: socket.socket | None = None
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._hosts: list[str] = []
        self._port = 0
        self._deadline = time.monotonic() + LIMIT_S

    def start(self) -> None:
        """Begin; where the kernel answers at once, it is over when this returns."""
        try:
            host, port = split(self.upstream)
            self._port = port_number(port)
        except AddressError as error:
            self._failed(f"{error}; upstream is host:port", False)
            return
        if literal(host):
            self._hosts = [host]
            self._next("no address")
        else:
            self._task = self._reactor.loop.create_task(self._look_up(host or "localhost"))

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._drop()
        if self._task is not None:
            self._task.cancel()

    async def _look_up(self, host: str) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                self._hosts = await lookup(host)
        except (AddressError, TimeoutError) as error:
            self._failed(str(error) or f"lookup {host}: timed out", False)
            return
        self._next("no address")

    def _next(self, why: str) -> None:
        """Try the next address; give up when there is none."""
        self._drop()
        if not self._hosts or time.monotonic() >= self._deadline:
            self._failed(f"dial tcp {self.upstream}: {why}", False)
            return
        host = self._hosts.pop(0)
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            self._next(str(error.strerror))
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        try:
            result = sock.connect_ex((host, self._port))
        except OSError as error:
            self._next(str(error))
            return
        if result == 0:
            self._done()
        elif result == errno.EINPROGRESS:
            self._reactor.loop.add_writer(sock.fileno(), self._answered)
            self._timer = self._reactor.timers.at(self._deadline, lambda: self._next("i/o timeout"))
        else:
            self._next(errno.errorcode.get(result, str(result)))

    def _answered(self) -> None:
        assert self._sock is not None
        error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error == errno.ECONNRESET:
            self._drop()
            self._failed(f"dial tcp {self.upstream}: reset at once", True)
        elif error:
            self._next(errno.errorcode.get(error, str(error)))
        else:
            self._done()

    def _done(self) -> None:
        assert self._sock is not None
        if _is_itself(self._sock):
            self._next("ECONNREFUSED")
            return
        sock, self._sock = self._sock, None
        if self._timer is not None:
            self._reactor.loop.remove_writer(sock.fileno())
        self._drop()
        self._connected(sock)

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._reactor.loop.remove_writer(self._sock.fileno())
            self._sock.close()
            self._sock = None


def _is_itself(sock: socket.socket) -> bool:
    """Whether a connection to a port that nobody listens on was given that very port as its own, and met itself."""
    try:
        return bool(sock.getsockname() == sock.getpeername())
    except OSError:
        return False
