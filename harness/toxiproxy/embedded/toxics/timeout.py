"""timeout: nothing of the stream arrives, and after `timeout` milliseconds without new data the connection is closed.

Every chunk begins the wait anew; what it swallowed is gone. `timeout` 0 never closes by itself. Taken off, it closes the
connections that it worked on, since their stream has a hole.
"""

from __future__ import annotations

import math

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class Timeout(Toxic):
    """`timeout`: milliseconds without data until the connection closes; 0: never."""

    __slots__ = ()
    type = "timeout"
    names = ("timeout",)
    acts_when_idle = True

    def start(self, now: float) -> None:
        """The wait begins."""
        wait_ms = self.attributes["timeout"]
        self.deadline = now + wait_ms / 1000 if wait_ms > 0 else math.inf

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """Data is swallowed; an end passes."""
        if isinstance(item, Ending):
            return [(free, item)]
        self.start(arrived)
        return []

    def expire(self) -> Leaving:
        """Nothing came for the whole wait."""
        due, self.deadline = self.deadline, math.inf
        return [(due, Ending.CLOSE)]

    def removed(self) -> Ending | None:
        """The stream cannot go on with a hole in it."""
        return Ending.CLOSE
