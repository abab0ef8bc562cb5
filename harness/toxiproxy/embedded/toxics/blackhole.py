"""blackhole: after `bytes` bytes nothing of the stream arrives any more, not even its end, and the connection stays open.

It never closes by itself, as a cable that was pulled does not. Taken off, it closes a connection whose stream has a hole; one that
merely wanted to end, ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class Blackhole(Toxic):
    """`bytes`: how many pass first."""

    __slots__ = ("_ended", "_swallowed", "passed")
    type = "blackhole"
    names = ("bytes",)
    acts_when_idle = True

    def __init__(self, attributes: Mapping[str, int], random: Random) -> None:
        super().__init__(attributes, random)
        self.passed = 0
        self._swallowed = False
        self._ended: Ending | None = None

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """Nothing less than nothing."""
        return "blackhole bytes must be 0 or more" if attributes["bytes"] < 0 else None

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """As much as may still pass. An end passes where nothing would be swallowed before it."""
        room = max(0, self.attributes["bytes"] - self.passed)
        if isinstance(item, Ending):
            if room and not self._swallowed:
                return [(free, item)]
            self._ended = item
            return []
        part = item[:room]
        self.passed += len(part)
        self._swallowed = self._swallowed or len(part) < len(item)
        return [(free, part)] if part else []

    def removed(self) -> Ending | None:
        """A stream with a hole cannot go on."""
        return Ending.CLOSE if self._swallowed else self._ended
