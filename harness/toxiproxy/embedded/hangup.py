"""Notice of sockets that died, whether they are read or not.

A connection whose source is not read (held back, or ended already) would learn of a reset only at its next write; and libuv stops
to watch a descriptor at its first error, so that a reader which took the data in front of a reset would never meet the reset. An
epoll with no events asked for still reports hang-ups and errors, and is itself readable by any event loop. Elsewhere than on
Linux there is no such notice, and the next write finds out.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable


class Hangups:
    """Watches sockets for their death, on one event loop. To be closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: dict[int, Callable[[], None]] = {}
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._dead)

    def watch(self, fd: int, call: Callable[[], None]) -> None:
        """Call once when the socket is dead in both directions. Until `forget`, which must come with its close."""
        if self._epoll is not None:
            self._calls[fd] = call
            self._epoll.register(fd, select.EPOLLONESHOT)

    def forget(self, fd: int) -> None:
        """It is being closed, which takes it out of the epoll too."""
        self._calls.pop(fd, None)

    def close(self) -> None:
        """Watch nothing."""
        self._calls.clear()
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _dead(self) -> None:
        if self._epoll is None:
            return
        for fd, _ in self._epoll.poll(0):
            call = self._calls.get(fd)
            if call is not None:
                call()
