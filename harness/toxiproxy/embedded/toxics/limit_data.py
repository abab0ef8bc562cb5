"""limit_data: exactly `bytes` bytes pass, then the connection is closed at once; the rest is lost.

The count is the connection's own, from when the toxic came, and outlives changes of the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import ClassVar

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class LimitData(Toxic):
    """`bytes`: how many pass. 0 or less closes on the first data; idle connections are left alone."""

    __slots__ = ("passed",)
    type = "limit_data"
    names = ("bytes",)
    #: What follows the last byte.
    ending: ClassVar[Ending] = Ending.CLOSE

    def __init__(self, attributes: Mapping[str, int], random: Random) -> None:
        super().__init__(attributes, random)
        self.passed = 0

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """The item, or as much of it as may still pass, and then the close."""
        if isinstance(item, Ending):
            return [(free, item)]
        room = max(0, self.attributes["bytes"] - self.passed)
        part = item[:room]
        self.passed += len(part)
        leaving: Leaving = [(free, part)] if part else []
        if len(item) >= room:
            leaving.append((free, self.ending))
        return leaving
