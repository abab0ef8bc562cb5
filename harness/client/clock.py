"""The harness's clock and its patience.

`Clock.now` is seconds since the history began. `Clock.calm` is the same time, but it only runs while the harness
itself is served on time: a ticker credits at most a tick and a half for each tick, however late that came. Deadlines
are counted in calm time, so that a starved machine stretches them for everybody instead of blaming the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

#: How often the ticker looks at the clock.
TICK_S = 0.02
#: The most calm time that one tick can credit.
MOST_S = 1.5 * TICK_S


class Clock:
    """Time since the start, calm time, and the harness's own timer lag."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._calm = 0.0
        self._last = self._start
        self._lags: list[float] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def began_s(self) -> float:
        """The start, on the monotonic clock."""
        return self._start

    def now(self) -> float:
        """Seconds since the start, on the monotonic clock."""
        return time.monotonic() - self._start

    def calm(self) -> float:
        """Seconds of calm time: never more than `now`."""
        return self._calm + min(time.monotonic() - self._last, MOST_S)

    def start(self) -> None:
        """Begin to tick on the running event loop."""
        self._last = time.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._tick())

    async def stop(self) -> None:
        """End the ticker."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def lag(self) -> tuple[float, float]:
        """The 99th percentile and the worst of the timer's lag so far, in seconds."""
        if not self._lags:
            return 0.0, 0.0
        ordered = sorted(self._lags)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], ordered[-1]

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            elapsed = now - self._last
            self._last = now
            self._calm += min(elapsed, MOST_S)
            self._lags.append(max(0.0, elapsed - TICK_S))
