"""latency_normal: latency as most lines have it, `mean` with a normal (Gaussian) deviation. Counted, and kept in order, as latency is."""

from __future__ import annotations

from collections.abc import Mapping

from harness.toxiproxy.embedded.toxics.latency import Latency

#: Further than so many deviations from the mean no delay goes: one of sixteen thousand would.
MOST_DEVIATIONS = 4


class LatencyNormal(Latency):
    """`mean`, `deviation`: milliseconds. No delay is below 0 or further than four deviations from the mean."""

    __slots__ = ()
    type = "latency_normal"
    names = ("mean", "deviation")

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """Neither is below zero."""
        wrong = next((name for name in cls.names if attributes[name] < 0), None)
        return f"latency_normal {wrong} must be 0 or more" if wrong else None

    def delay_ms(self) -> float:
        """Drawn for each chunk."""
        mean, deviation = self.attributes["mean"], self.attributes["deviation"]
        most = MOST_DEVIATIONS * deviation
        return max(0.0, mean + min(most, max(-most, self.random.gauss(0, deviation))))
