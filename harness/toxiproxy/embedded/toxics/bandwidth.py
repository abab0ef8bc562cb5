"""bandwidth: a stream of `rate` KB/s, one KB being 1000 bytes. Rate 0 is a line that is pulled: nothing passes.

A piece of n bytes leaves n/rate milliseconds after it was taken; a chunk worth more than 100 ms goes in pieces of 100 ms. Idle
time earns no credit. Each connection and direction has the whole rate for itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic

#: A piece takes at most this long, milliseconds.
PIECE_MS = 100


class Bandwidth(Toxic):
    """`rate`: KB/s."""

    __slots__ = ()
    type = "bandwidth"
    names = ("rate",)

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """A negative rate means nothing."""
        return "bandwidth rate must be 0 or more" if attributes["rate"] < 0 else None

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """The item in pieces, each at its time."""
        if isinstance(item, Ending):
            return [(free, item)]
        rate = self.attributes["rate"]
        if rate <= 0:
            return [(math.inf, item)]
        size = rate * PIECE_MS
        if len(item) <= size:
            return [(free + len(item) / rate / 1000, item)]
        ends = [*range(size, len(item), size), len(item)]
        return [(free + end / rate / 1000, item[max(0, (end - 1) // size * size) : end]) for end in ends]
