"""latency_pareto: latency with a long tail, as queues make it: mostly a little more than `least`, now and then very much.

A Pareto distribution, given by two points that people know of their lines: no delay is shorter than `least`, and one of a hundred
is longer than `p99`. From these follows the exponent, ln 100 / ln(p99 / least). Counted, and kept in order, as latency is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from harness.toxiproxy.embedded.toxics.latency import Latency

#: Where `most` is not given, the tail ends at so many times `p99`.
MOST_P99 = 10


class LatencyPareto(Latency):
    """`least`, `p99`, `most`: milliseconds. No delay is above `most`; 0 stands for ten times `p99`."""

    __slots__ = ()
    type = "latency_pareto"
    names = ("least", "p99", "most")

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """The three ascend, from 1."""
        if attributes["least"] < 1:
            return "latency_pareto least must be 1 or more"
        if attributes["p99"] < attributes["least"]:
            return "latency_pareto p99 must not be less than least"
        if attributes["most"] and attributes["most"] < attributes["p99"]:
            return "latency_pareto most must not be less than p99, or 0 for ten times p99"
        return None

    def delay_ms(self) -> float:
        """Drawn for each chunk."""
        least, p99 = self.attributes["least"], self.attributes["p99"]
        most = self.attributes["most"] or MOST_P99 * p99
        # The inverse of the distribution; its logarithm keeps a long tail within the floats.
        tail = -math.log(1 - self.random.random()) * math.log(p99 / least) / math.log(100)
        return min(float(most), least * math.exp(min(tail, 700.0)))
