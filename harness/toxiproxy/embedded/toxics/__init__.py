"""The toxics, one module each. A new one is a module here and a line in `TOXICS`."""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.bandwidth import Bandwidth
from harness.toxiproxy.embedded.toxics.blackhole import Blackhole
from harness.toxiproxy.embedded.toxics.coalesce import Coalesce
from harness.toxiproxy.embedded.toxics.corrupt import Corrupt
from harness.toxiproxy.embedded.toxics.duplicate import Duplicate
from harness.toxiproxy.embedded.toxics.full_close import FullClose
from harness.toxiproxy.embedded.toxics.latency import Latency
from harness.toxiproxy.embedded.toxics.latency_normal import LatencyNormal
from harness.toxiproxy.embedded.toxics.latency_pareto import LatencyPareto
from harness.toxiproxy.embedded.toxics.limit_data import LimitData
from harness.toxiproxy.embedded.toxics.noop import Noop
from harness.toxiproxy.embedded.toxics.refuse import Refuse
from harness.toxiproxy.embedded.toxics.reorder import Reorder
from harness.toxiproxy.embedded.toxics.reset_after import ResetAfter
from harness.toxiproxy.embedded.toxics.reset_peer import ResetPeer
from harness.toxiproxy.embedded.toxics.slicer import Slicer
from harness.toxiproxy.embedded.toxics.slow_close import SlowClose
from harness.toxiproxy.embedded.toxics.stall import Stall
from harness.toxiproxy.embedded.toxics.timeout import Timeout
from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic

#: Those of Toxiproxy 2.12.
_ORIGINAL = (Noop, Latency, Bandwidth, SlowClose, Timeout, ResetPeer, Slicer, LimitData)
#: Those that this proxy has beyond it.
_OWN = (
    LatencyNormal, LatencyPareto, Corrupt, Duplicate, Reorder, Coalesce, Stall, Blackhole, ResetAfter, FullClose, Refuse
)  # fmt: skip
#: By their name in the API.
TOXICS: dict[str, type[Toxic]] = {toxic.type: toxic for toxic in (*_ORIGINAL, *_OWN)}
#: The names that Toxiproxy does not know.
OWN = frozenset(toxic.type for toxic in _OWN)

__all__ = ["OWN", "TOXICS", "Ending", "Item", "Leaving", "Toxic"]
