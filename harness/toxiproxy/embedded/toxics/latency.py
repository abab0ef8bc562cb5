"""latency: every chunk is late by `latency` ± `jitter` milliseconds, counted from when it arrived.

So chunks back to back are each late once, not one after the other, and latency does not throttle. Order is kept: a chunk never
overtakes the one before it. A bare end of the stream is not delayed; one behind data waits for the data.
"""

from __future__ import annotations

from typing import ClassVar

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class Latency(Toxic):
    """`latency`, `jitter`: milliseconds. The delay is uniform in [latency - jitter, latency + jitter - 1]."""

    __slots__ = ()
    type = "latency"
    names: ClassVar[tuple[str, ...]] = ("latency", "jitter")
    #: What is in flight on a long fat line: 100 ms of 160 MB/s.
    window = 16 * 1024 * 1024

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """One item, later."""
        if isinstance(item, Ending):
            return [(free, item)]
        return [(max(free, arrived + self.delay_ms() / 1000), item)]

    def delay_ms(self) -> float:
        """The next chunk's delay, milliseconds."""
        latency, jitter = self.attributes["latency"], self.attributes["jitter"]
        if jitter <= 0:
            return latency
        return latency + self.random.randrange(-jitter, jitter)
