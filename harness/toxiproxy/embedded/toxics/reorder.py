"""reorder: now and then a chunk lets the one behind it overtake.

A chunk that is chosen stays until the next one has passed, or for `wait` milliseconds where none comes. TCP itself never does
this: it stands for a relay with more than one way to its server. The end of the stream overtakes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class Reorder(Toxic):
    """`percent`: how many chunks of a hundred step back, where the one before did not; `wait`: milliseconds."""

    __slots__ = ()
    type = "reorder"
    names = ("percent", "wait")
    defaults: ClassVar[Mapping[str, int]] = {"percent": 100, "wait": 100}

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """A part of a hundred, and a wait that ends."""
        if not 1 <= attributes["percent"] <= 100:
            return "reorder percent must be between 1 and 100"
        return "reorder wait must be 1 or more" if attributes["wait"] < 1 else None

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """The item and then the one that waited for it; or nothing, when this one waits."""
        if self.kept:
            waited = self.give_back()
            order: list[Item] = [*waited, item] if isinstance(item, Ending) else [item, *waited]
            return [(free, one) for one in order]
        if isinstance(item, Ending) or self.random.random() * 100 >= self.attributes["percent"]:
            return [(free, item)]
        self.keep(item, free + self.attributes["wait"] / 1000)
        return []

    def expire(self) -> Leaving:
        """No other came."""
        due = self.deadline
        return [(due, one) for one in self.give_back()]
