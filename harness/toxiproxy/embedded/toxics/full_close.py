"""full_close: the end of its stream closes the whole connection, as Toxiproxy does and as many load balancers do.

Without it this proxy carries a half-close through as a half-close: the other direction stays open.
"""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic


class FullClose(Toxic):
    """No attributes."""

    __slots__ = ()
    type = "full_close"

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """Data as it is; its end ends both directions."""
        return [(free, Ending.CLOSE if item is Ending.END else item)]
