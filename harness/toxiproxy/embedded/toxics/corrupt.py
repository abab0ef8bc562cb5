"""corrupt: bits flip. At a rate, at one offset, or both; the length of the stream stays as it is.

Which bytes and which bits is settled by the seed and by the place in the stream alone, however it was cut into chunks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import ClassVar

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic

MILLION = 1_000_000


class Corrupt(Toxic):
    """`per_million`: of so many bytes one bit is flipped each; `offset`: in this byte too, counted from 0; -1: in none."""

    __slots__ = ("_bit", "_next", "_offset_bit", "passed")
    type = "corrupt"
    names = ("per_million", "offset")
    defaults: ClassVar[Mapping[str, int]] = {"offset": -1}

    def __init__(self, attributes: Mapping[str, int], random: Random) -> None:
        super().__init__(attributes, random)
        self.passed = 0
        #: The next byte that the rate hits, and the bit of it.
        self._next, self._bit = math.inf, 0
        self._offset_bit = random.randrange(8)

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """A rate is a part of a million, and something must be said."""
        if not 0 <= attributes["per_million"] <= MILLION:
            return "corrupt per_million must be between 0 and 1000000"
        if attributes["offset"] < -1:
            return "corrupt offset must be 0 or more, or -1 for none"
        if not attributes["per_million"] and attributes["offset"] < 0:
            return "corrupt needs a per_million or an offset"
        return None

    def start(self, now: float) -> None:
        """Where the next bit flips."""
        self._draw(self.passed)

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """The item, with flipped bits."""
        if isinstance(item, Ending):
            return [(free, item)]
        begin, self.passed = self.passed, self.passed + len(item)
        flips: dict[int, int] = {}
        offset = self.attributes["offset"]
        if begin <= offset < self.passed:
            flips[offset] = self._offset_bit
        while self._next < self.passed:
            flips[int(self._next)] = self._bit
            self._draw(int(self._next) + 1)
        if not flips:
            return [(free, item)]
        data = bytearray(item)
        for place, bit in flips.items():
            data[place - begin] ^= 1 << bit
        return [(free, bytes(data))]

    def _draw(self, begin: int) -> None:
        """The next flip from `begin` on: how many bytes stay whole is geometric."""
        rate = self.attributes["per_million"] / MILLION
        if rate <= 0:
            self._next = math.inf
            return
        whole = 0 if rate >= 1 else math.floor(math.log(1 - self.random.random()) / math.log(1 - rate))
        self._next, self._bit = begin + whole, self.random.randrange(8)
