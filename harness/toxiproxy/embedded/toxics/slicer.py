"""slicer: every chunk leaves in small pieces, `delay` microseconds apart.

A chunk is halved again and again until a piece is no larger than `average_size` + `size_variation`; each cut is moved by up to
`size_variation` bytes. Chunks are never joined.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class Slicer(Toxic):
    """`average_size`, `size_variation`: bytes; `delay`: microseconds after every piece, the last one included."""

    __slots__ = ()
    type = "slicer"
    names = ("average_size", "size_variation", "delay")

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """Pieces need a size."""
        average, variation = attributes["average_size"], attributes["size_variation"]
        if average < 1:
            return "slicer average_size must be 1 or more"
        return "slicer size_variation must not be more than average_size" if variation > average else None

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """The pieces, each at its time. An empty piece at the end stands for the last delay."""
        if isinstance(item, Ending):
            return [(free, item)]
        delay_s = max(0, self.attributes["delay"]) / 1e6
        leaving: Leaving = []
        start = 0
        for end in self._cuts(len(item)):
            leaving.append((free + len(leaving) * delay_s, item[start:end]))
            start = end
        if delay_s:
            leaving.append((free + len(leaving) * delay_s, b""))
        return leaving

    def _cuts(self, size: int) -> list[int]:
        """Where the pieces end, ascending."""
        average, variation = self.attributes["average_size"], max(0, self.attributes["size_variation"])
        ends: list[int] = []
        todo = [(0, size)]
        while todo:
            start, end = todo.pop()
            if end - start <= max(1, average + variation):
                ends.append(end)
                continue
            cut = start + (end - start) // 2
            if variation:
                cut += self.random.randrange(-variation, variation)
            cut = min(max(cut, start + 1), end - 1)
            todo += [(cut, end), (start, cut)]
        return ends
