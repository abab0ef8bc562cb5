"""Patience: one way to wait for everything. Woken by events, ended by a deadline in calm time.

Before a deadline counts, the judge looks at itself and at the machine: the clock stands still while the harness was
not served (see `clock`), and when the server's threads stood ready without a processor for much of the time, the
deadline is given again: until it has had as much processor time as the deadline is long. (A server that spins always
waits for a processor too; it has had its time, and spent it.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from harness.client.clock import Clock

#: The server was starved when its threads waited for a processor for more than this part of the time.
STARVED = 0.2
#: After a deadline the machine is watched for this part of it.
SECOND_LOOK = 0.2
#: How often a deadline is given again to a starved server.
MOST_EXTENSIONS = 3


class Pulse:
    """Wakes whoever waits in the room: anything came, anybody's connection ended."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def beat(self) -> None:
        """Something happened."""
        self._event.set()
        self._event = asyncio.Event()

    async def next(self, timeout_s: float) -> None:
        """Wait for the next beat, at most `timeout_s`."""
        event = self._event
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass


class Processor(NamedTuple):
    """What the processors gave the server's threads so far, in seconds: how long they stood ready, how long they ran."""

    waited_s: float
    ran_s: float


class Patience:
    """Waits for a condition; `processor` tells how the server was served, None where that is unknown."""

    def __init__(self, clock: Clock, pulse: Pulse, processor: Callable[[], Processor | None]) -> None:
        self._clock = clock
        self._pulse = pulse
        self._processor = processor
        self.extended = 0
        #: No second look, and no deadline again: nobody is judged by what does not come.
        self.once_only = False

    async def until(self, condition: Callable[[], bool], deadline_s: float) -> bool:
        """True as soon as `condition` holds, False when it did not within `deadline_s` of calm time.

        When the deadline is over, the machine is looked at for a little longer; only a server that was served by the
        processors counts as silent.
        """
        return await self._fairly(lambda seconds: self._once(condition, seconds), deadline_s)

    async def _fairly(self, once: Callable[[float], Awaitable[bool]], deadline_s: float) -> bool:
        start = self._clock.now()
        for _ in range(1 + MOST_EXTENSIONS):
            if await once(deadline_s):
                return True
            if self.once_only:
                return False
            before, began = self._processor(), self._clock.now()
            if before is None:
                return False
            if await once(deadline_s * SECOND_LOOK):
                return True
            after, now = self._processor(), self._clock.now()
            took = now - began
            if after is None or after.waited_s - before.waited_s < STARVED * took:
                return False
            if min(1.0, (after.ran_s - before.ran_s) / took) * (now - start) >= deadline_s:
                return False
            self.extended += 1
        return False

    async def _once(self, condition: Callable[[], bool], deadline_s: float) -> bool:
        end = self._clock.calm() + deadline_s
        while not condition():
            left = end - self._clock.calm()
            if left <= 0:
                return False
            await self._pulse.next(left)
        return True

    async def poll(self, condition: Callable[[], bool], deadline_s: float, first_s: float = 0.002) -> bool:
        """For what beats no pulse (the kernel's tables, a process): asked again and again, ever less often.

        A server that had no processor meanwhile is given its deadline again, as in `until`.
        """
        return await self._fairly(lambda seconds: self._polled(condition, seconds, first_s), deadline_s)

    async def _polled(self, condition: Callable[[], bool], deadline_s: float, first_s: float) -> bool:
        end, pause = self._clock.calm() + deadline_s, first_s
        while not condition():
            if self._clock.calm() >= end:
                return False
            await self._pulse.next(pause)
            pause = min(pause * 1.6, 0.05)
        return True
