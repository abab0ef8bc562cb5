"""stall: after `bytes` bytes the stream stands still for `duration` milliseconds, once; then it flows on, and nothing is lost.

The standstill is counted from the moment when that byte passed, so a stream that had nothing to say meanwhile is not delayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class Stall(Toxic):
    """`bytes`: how many pass before it, 0: the first data waits; `duration`: milliseconds."""

    __slots__ = ("_until", "passed")
    type = "stall"
    names = ("bytes", "duration")

    def __init__(self, attributes: Mapping[str, int], random: Random) -> None:
        super().__init__(attributes, random)
        self.passed = 0
        #: When the standstill ends or ended; None: it did not begin.
        self._until: float | None = None

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """A stall of no length would be none."""
        if attributes["bytes"] < 0:
            return "stall bytes must be 0 or more"
        return "stall duration must be 1 or more" if attributes["duration"] < 1 else None

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """What may still pass, and the rest when the standstill is over."""
        if self._until is not None:
            return [(max(free, self._until), item)]
        if isinstance(item, Ending):
            return [(free, item)]
        room = max(0, self.attributes["bytes"] - self.passed)
        self.passed += len(item)
        if len(item) < room:
            return [(free, item)]
        self._until = free + self.attributes["duration"] / 1000
        parts = [(free, item[:room]), (self._until, item[room:])]
        return [(due, part) for due, part in parts if part]
