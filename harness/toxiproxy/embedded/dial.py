"""Connecting to an upstream: many at a time, each with a time limit, none in the way of another.

An address in numbers is connected to with a bare non-blocking socket (on the loopback the kernel answers before the call returns);
a name is looked up each time, off the event loop, and its addresses are tried in turn.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable

from harness.toxiproxy.embedded.address import AddressError, literal, lookup, port_number, split
from harness.toxiproxy.embedded.poll import WRITE
from harness.toxiproxy.embedded.reactor import Reactor
from harness.toxiproxy.embedded.timers import Timer

#: An upstream that does not answer for this long is given up, seconds: a SYN is repeated after 1, 3, 7 and 15.
LIMIT_S = 20.0

Connected = Callable[[socket.socket], None]
Failed = Callable[[str, bool], None]


#: An address in numbers, as sockets take it.
Target = tuple[socket.AddressFamily, tuple[str, int]]


def target_of(host: str, port: int) -> Target:
    """Where to connect to, of an address in numbers."""
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, port)


def literal_target(upstream: str) -> Target | None:
    """The same of an upstream's text; None where that is a name, or makes no sense."""
    try:
        host, port = split(upstream)
        return target_of(host, port_number(port)) if literal(host) else None
    except AddressError:
        return None


#: A non-blocking socket that is being connected, or is already (0, or EINPROGRESS); or None, and why not.
Begun = tuple[socket.socket | None, int]


#: A socket is made non-blocking where the system can; elsewhere it is told so.
_NON_BLOCKING = getattr(socket, "SOCK_NONBLOCK", 0)
#: What the second call to connect says, and what that means.
_SECOND = {errno.EALREADY: errno.EINPROGRESS, errno.EISCONN: 0}


def begin(target: Target) -> Begun:
    """Ask the kernel, once. What has failed is closed."""
    family, place = target
    try:
        sock = socket.socket(family, socket.SOCK_STREAM | _NON_BLOCKING)
    except OSError as error:
        return None, error.errno or errno.EINVAL
    try:
        if not _NON_BLOCKING:
            sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        result = sock.connect_ex(place)
        if result == errno.EINPROGRESS:
            # On the loopback the answer is there by now, and the second call tells it.
            result = _SECOND.get(again := sock.connect_ex(place), again)
    except OSError as error:
        result = error.errno or errno.EINVAL
    if result == 0 and _is_itself(sock, place[1]):
        result = errno.ECONNREFUSED
    if result not in (0, errno.EINPROGRESS):
        sock.close()
        return None, result
    return sock, result


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

    def go_on(self, begun: Begun) -> None:
        """Begin with what is begun."""
        self._sock, result = begun
        if self._sock is not None and result == errno.EINPROGRESS:
            self._reactor.poll.watch(self._sock.fileno(), self, WRITE)
            self._timer = self._reactor.timers.at(self._deadline, lambda: self._next("i/o timeout"))
        else:
            self._judge(result)

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
        self.go_on(begin(target_of(self._hosts.pop(0), self._port)))

    def readable(self) -> None:
        """What it says before we know that it is there waits."""

    def hung_up(self) -> bool:
        """It refused, or reset at once."""
        self.writable()
        return False

    def writable(self) -> None:
        """It has answered."""
        assert self._sock is not None
        error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not error and _is_itself(self._sock):
            error = errno.ECONNREFUSED
        self._judge(error)

    def _judge(self, error: int) -> None:
        if error == errno.ECONNRESET:
            self._drop()
            self._failed(f"dial tcp {self.upstream}: reset at once", True)
        elif error:
            self._next(errno.errorcode.get(error, str(error)))
        else:
            self._done()

    def _done(self) -> None:
        assert self._sock is not None
        sock, self._sock = self._sock, None
        if self._timer is not None:
            self._reactor.poll.forget(sock.fileno())
            self._timer.cancel()
        self._connected(sock)

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sock is not None:
            self._reactor.poll.forget(self._sock.fileno())
            self._sock.close()
            self._sock = None


def _is_itself(sock: socket.socket, port: int | None = None) -> bool:
    """Whether a connection to a port that nobody listens on was given that very port as its own, and met itself.

    With the `port` that it was to reach, its peer need hardly ever be asked for.
    """
    try:
        own = sock.getsockname()
        return bool(port in (None, own[1]) and own == sock.getpeername())
    except OSError:
        return False
