"""noop: nothing happens to the stream. Good for tests, and for toxics that the dice passed over."""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.toxic import Toxic


class Noop(Toxic):
    """Everything leaves as it came."""

    __slots__ = ()
    type = "noop"
