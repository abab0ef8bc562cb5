"""Which of the proxied sockets can be read or written, or are dead: one epoll for all of them, itself watched by the event loop.

A socket is told to the kernel once, for reading, writing and its death, instead of to the event loop in three handles. Its close takes it
out. The death of a socket is told whether it is read or not: a connection whose source is held back, or has ended, would learn of a
reset only at its next write. Where there is no epoll the event loop does what it can, and the next write finds out.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import select
import time
from typing import Protocol

#: What a socket may be wanted for.
READ = 1
WRITE = 4
#: The sockets are looked at again and again while there is something, but no longer than this, seconds: the API has its turn too.
ROUNDS_S = 0.001
#: Behind the last of it we stay awake for so long, seconds: an answer is often there by then, and being woken takes the kernel longer.
LINGER_S = 0.00005
#: As long as it was worth it so often of late; else it is tried once in so many times, since others may need the processor.
LINGER_PAYS = 0.25
LINGER_TRIED = 16
#: Whoever took the processor away from us for longer than this needs it (the peer takes less to answer), seconds: then we do not
#: stay awake for a while.
TAKEN_S = 0.0005
BUSY_S = 0.1
#: The thread alone, where the system can say.
_US = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
_DEAD = 0x008 | 0x010  # EPOLLERR, EPOLLHUP


class Watched(Protocol):
    """Whoever is told of a socket."""

    def readable(self) -> None:
        """There is something to read, or to accept."""

    def writable(self) -> None:
        """There is room to write."""

    def hung_up(self) -> bool:
        """It is dead in both directions. What it said before can still be read. False: not to be announced until it is wanted again."""


class Poll:
    """Watches sockets on one event loop. To be closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: dict[int, Watched] = {}
        #: Numbers that were given anew since the kernel was asked: what it said of them was about others.
        self._fresh: set[int] = set()
        #: How often of late something came while we stayed awake, 0 to 1, and how often we did not.
        self._paid = 1.0
        self._slept = 0
        #: How often the processor was taken away from us so far, and until when the machine counts as busy for that.
        self._driven_off = 0
        self._busy_until = 0.0
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._ready)

    def watch(self, fd: int, watched: Watched, mask: int) -> None:
        """From now on, until `forget`."""
        self._watched[fd] = watched
        self._fresh.add(fd)
        try:
            self._epoll.register(fd, mask)
        except FileExistsError:  # another watched it before, who forgot it
            self._epoll.modify(fd, mask)

    def want(self, fd: int, mask: int) -> None:
        """Watch it for something else: READ, WRITE, both, or 0, its death alone."""
        try:
            self._epoll.modify(fd, mask)
        except FileNotFoundError:  # it was dead
            self._epoll.register(fd, mask)

    def forget(self, fd: int) -> None:
        """It is being closed, which takes it out of the epoll too."""
        self._watched.pop(fd, None)

    def close(self) -> None:
        """Watch nothing."""
        self._watched.clear()
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _ready(self) -> None:
        until = time.monotonic() + ROUNDS_S
        while (self.look() or self.linger()) and time.monotonic() < until:
            pass

    def linger(self) -> bool:
        """Stay awake for a moment, where that pays and nobody else needs the processor; whether something came."""
        self._slept += 1
        now = time.monotonic()
        if now < self._busy_until or (self._paid < LINGER_PAYS and self._slept % LINGER_TRIED):
            return False
        came, began, until = False, now, now + LINGER_S
        while not came and now < until:
            came, now = self.look(), time.monotonic()
        self._paid += (came - self._paid) / 8
        driven_off = resource.getrusage(_US).ru_nivcsw
        if driven_off != self._driven_off and now - began > TAKEN_S:
            self._busy_until = now + BUSY_S
        self._driven_off = driven_off
        return came

    def look(self) -> bool:
        """Look at all sockets once, without waiting; whether there was anything."""
        self._fresh.clear()
        found = self._epoll.poll(0)
        for fd, events in found:
            watched = self._watched.get(fd)
            if watched is None or fd in self._fresh:
                continue
            if events & _DEAD:
                if not watched.hung_up() and self._watched.get(fd) is watched:
                    self._epoll.unregister(fd)
                continue
            if events & WRITE:
                watched.writable()
            if events & READ and self._watched.get(fd) is watched:
                watched.readable()
        return bool(found)


class LoopPoll(Poll):
    """The same by the event loop's own means, which tell of no death."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched = {}
        self._masks: dict[int, int] = {}

    def watch(self, fd: int, watched: Watched, mask: int) -> None:
        """From now on, until `forget`."""
        self._watched[fd] = watched
        self._masks[fd] = 0
        self.want(fd, mask)

    def want(self, fd: int, mask: int) -> None:
        """Watch it for something else: READ, WRITE, both, or nothing."""
        watched, before = self._watched[fd], self._masks[fd]
        self._masks[fd] = mask
        if mask & READ and not before & READ:
            self._loop.add_reader(fd, watched.readable)
        elif before & READ and not mask & READ:
            self._loop.remove_reader(fd)
        if mask & WRITE and not before & WRITE:
            self._loop.add_writer(fd, watched.writable)
        elif before & WRITE and not mask & WRITE:
            self._loop.remove_writer(fd)

    def look(self) -> bool:
        """The event loop looks by itself."""
        return False

    def forget(self, fd: int) -> None:
        """To be called before its close."""
        if fd in self._watched:
            with contextlib.suppress(OSError):
                self.want(fd, 0)
            del self._watched[fd], self._masks[fd]

    def close(self) -> None:
        """Watch nothing."""
        for fd in list(self._watched):
            self.forget(fd)


def poll_of(loop: asyncio.AbstractEventLoop) -> Poll:
    """What this system can do best."""
    return Poll(loop) if hasattr(select, "epoll") else LoopPoll(loop)
