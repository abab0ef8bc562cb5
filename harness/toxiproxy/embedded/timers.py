"""One clock for all delays: a heap and one timerfd. Never early, and no coarser than the kernel.

A processor that has slept for long wakes up late, by as much on the same machine. So behind a long sleep the timer is set earlier by what
was learned of that, and the rest is waited for awake.

The event loops' own timers count whole milliseconds of a cached clock and let a byte go up to a millisecond early. Where
there is no timerfd, their timers are used and asked again until the time has really come.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import heapq
import itertools
import math
import os
import sys
import time
from collections.abc import Callable

_TFD_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_TFD_TIMER_ABSTIME = 1
#: Later than this nothing is armed for, seconds: a toxic may be told to wait 2**63 ms.
FAR_S = 1e8
#: A sleep of at least this is a long one, seconds; and so much earlier at most the timer is set behind it.
LONG_S = 0.005
LEAD_MOST_S = 0.0003


class _Spec(ctypes.Structure):
    """struct itimerspec: no interval, an absolute time."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("s", ctypes.c_long),
        ("ns", ctypes.c_long),
    )


class Timer:
    """One call to come. Cancelled, it stays in the heap as nothing until its time."""

    __slots__ = ("call", "due")

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """It will not be called."""
        self.call = None


class Timers:
    """Calls at times of `time.monotonic`, on one event loop. To be closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, meanwhile: Callable[[], object] = lambda: None) -> None:
        """`meanwhile` is called again and again while the rest of a time is waited for awake."""
        self._loop = loop
        self._meanwhile = meanwhile
        #: How late we are woken from a long sleep, of late, and how much earlier than due the timer was set; seconds.
        self._lateness = 0.0
        self._lead: float | None = None
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self._armed = math.inf
        self._handle: asyncio.TimerHandle | None = None
        self._fd = -1
        if sys.platform == "linux":
            with contextlib.suppress(OSError, AttributeError):
                self._open()

    def _open(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._spec = _Spec()
        self._spec_pointer = ctypes.byref(self._spec)
        self._settime = self._libc.timerfd_settime
        self._fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._rang)

    def at(self, due: float, call: Callable[[], None]) -> Timer:
        """Call at `due` (seconds of `time.monotonic`) or as soon after it as can be, never before."""
        timer = Timer(due, call)
        heapq.heappush(self._heap, (due, next(self._count), timer))
        if due < self._armed:
            self._arm(due)
        return timer

    def close(self) -> None:
        """Nothing is called any more."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _arm(self, due: float) -> None:
        self._armed = due
        now = time.monotonic()
        due = min(due, now + FAR_S)
        if self._fd >= 0:
            self._lead = min(self._lateness, LEAD_MOST_S) if due - now >= LONG_S else None
            nanoseconds = max(1, math.ceil((due - (self._lead or 0.0)) * 1e9))
            self._spec.s, self._spec.ns = divmod(nanoseconds, 1_000_000_000)
            self._settime(self._fd, _TFD_TIMER_ABSTIME, self._spec_pointer, None)
        else:
            if self._handle is not None:
                self._handle.cancel()
            self._handle = self._loop.call_later(max(0.0, due - now), self._rang)

    def _rang(self) -> None:
        if self._fd >= 0:
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, 8)
        if self._lead is not None:
            self._wait_awake(self._lead)
        self._armed = math.inf
        now = time.monotonic()
        ready: list[Timer] = []
        while self._heap and (self._heap[0][0] <= now or self._heap[0][2].call is None):
            ready.append(heapq.heappop(self._heap)[2])
        for timer in ready:
            if timer.call is not None:
                timer.call()
        if self._heap and self._heap[0][0] < self._armed:
            self._arm(self._heap[0][0])

    def _wait_awake(self, lead: float) -> None:
        """Learn how late we were woken, and wait for the rest of the time."""
        late = time.monotonic() - (self._armed - lead)
        self._lateness += (min(max(late, 0.0), LEAD_MOST_S) - self._lateness) / 4
        while 0 < self._armed - time.monotonic() <= LEAD_MOST_S:
            self._meanwhile()
