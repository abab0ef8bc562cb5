"""reset_peer: `timeout` milliseconds after the first data (or the end) of its stream, both ends get an RST.

What the stream says in between is not delivered. The wait can be interrupted: a change begins it anew, removal lets the held
data flow on, so that nothing is lost. Idle connections are left alone.
"""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class ResetPeer(Toxic):
    """`timeout`: milliseconds from the first data to the reset; 0 or less: at once."""

    __slots__ = ()
    type = "reset_peer"
    names = ("timeout",)
    change_releases = False

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """A reset in place of the item."""
        return [(free + max(0, self.attributes["timeout"]) / 1000, Ending.RESET)]
