"""coalesce: small chunks are put together and leave as one, the opposite of slicer.

What comes waits until `size` bytes are together, or until the first of them has waited `wait` milliseconds: as a kernel with
Nagle's algorithm does, or a relay that fills its buffer first. A receiver that takes one read for one message meets several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic

#: No more is kept for one stream, bytes.
SIZE_MOST = 1024 * 1024


class Coalesce(Toxic):
    """`size`: bytes, at most 1 MiB; `wait`: milliseconds."""

    __slots__ = ()
    type = "coalesce"
    names = ("size", "wait")
    defaults: ClassVar[Mapping[str, int]] = {"size": 16 * 1024, "wait": 100}
    window = 2 * SIZE_MOST

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """A size that fits, and a wait that ends."""
        if not 1 <= attributes["size"] <= SIZE_MOST:
            return f"coalesce size must be between 1 and {SIZE_MOST}"
        return "coalesce wait must be 1 or more" if attributes["wait"] < 1 else None

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """All that is together, when it is enough or when the stream ends."""
        if isinstance(item, Ending):
            return [*self._all(free), (free, item)]
        self.keep(item, free + self.attributes["wait"] / 1000)
        return self._all(free) if self.kept_bytes >= self.attributes["size"] else []

    def expire(self) -> Leaving:
        """The first has waited long enough."""
        return self._all(self.deadline)

    def _all(self, due: float) -> Leaving:
        together = b"".join(self.give_back())
        return [(due, together)] if together else []
