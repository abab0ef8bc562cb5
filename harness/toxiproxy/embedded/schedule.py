"""When a toxic works: always, or on for so long and off for so long, again and again. A pure function of the time.

All connections of a proxy share the beginning, so a line is good or bad as a whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: The shortest phase, milliseconds: each is a wake-up for every connection that the toxic holds something of.
LEAST_MS = 10


@dataclass(frozen=True)
class Schedule:
    """Off for `after` milliseconds, then on for `on` and off for `off`, and so on. `off` 0: on for good, once it began."""

    on: int
    off: int = 0
    after: int = 0

    def problem(self) -> str | None:
        """Why it cannot work, as a sentence; None where it can."""
        if self.after < 0:
            return "schedule after must be 0 or more"
        if self.on < LEAST_MS:
            return f"schedule on must be {LEAST_MS} or more"
        return f"schedule off must be 0, or {LEAST_MS} or more" if self.off and self.off < LEAST_MS else None

    def phase(self, elapsed_s: float) -> tuple[bool, float]:
        """Whether it is on so many seconds after its beginning, and when that ends, on the same scale; or infinity."""
        after, on, period = self.after / 1000, self.on / 1000, (self.on + self.off) / 1000
        if elapsed_s < after:
            return False, after
        if not self.off:
            return True, math.inf
        round_ = math.floor((elapsed_s - after) / period)
        for begin in (after + (round_ - 1) * period, after + round_ * period, after + (round_ + 1) * period):
            # The neighbours too: a quotient may be a hair off, and a phase must end after it was asked for.
            if elapsed_s < begin + on:
                return elapsed_s >= begin, begin + on if elapsed_s >= begin else begin
            if elapsed_s < begin + period:
                return False, begin + period
        raise AssertionError("a moment lies in its own round or beside it")
