"""slow_close: data flows untouched; the end of its stream is held for `delay` milliseconds."""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class SlowClose(Toxic):
    """`delay`: milliseconds. A change begins the whole delay anew; removal ends the stream at once."""

    __slots__ = ()
    type = "slow_close"
    names = ("delay",)
    change_releases = False

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """Data now, the end later."""
        if isinstance(item, Ending):
            return [(free + max(0, self.attributes["delay"]) / 1000, item)]
        return [(free, item)]
