"""duplicate: now and then a chunk is delivered twice, one right behind the other.

TCP itself never does this: it stands for a sender that repeats itself, or for a relay that resends what had arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class Duplicate(Toxic):
    """`percent`: how many chunks of a hundred are delivered twice. A chunk is what one read took, at most 32 KiB."""

    __slots__ = ()
    type = "duplicate"
    names = ("percent",)
    defaults: ClassVar[Mapping[str, int]] = {"percent": 100}

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """A part of a hundred."""
        return None if 1 <= attributes["percent"] <= 100 else "duplicate percent must be between 1 and 100"

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """The item, once or twice."""
        twice = not isinstance(item, Ending) and self.random.random() * 100 < self.attributes["percent"]
        return [(free, item)] * (2 if twice else 1)
