"""The toxics, one module each. A new one is a module here and a line in `TOXICS`."""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.bandwidth import Bandwidth
from harness.toxiproxy.embedded.toxics.latency import Latency
from harness.toxiproxy.embedded.toxics.limit_data import LimitData
from harness.toxiproxy.embedded.toxics.noop import Noop
from harness.toxiproxy.embedded.toxics.reset_peer import ResetPeer
from harness.toxiproxy.embedded.toxics.slicer import Slicer
from harness.toxiproxy.embedded.toxics.slow_close import SlowClose
from harness.toxiproxy.embedded.toxics.timeout import Timeout
from harness.toxiproxy.embedded.toxics.toxic import Ending, Item, Leaving, Toxic

#: By their name in the API.
TOXICS: dict[str, type[Toxic]] = {
    toxic.type: toxic for toxic in (Noop, Latency, Bandwidth, SlowClose, Timeout, ResetPeer, Slicer, LimitData)
}

__all__ = ["TOXICS", "Ending", "Item", "Leaving", "Toxic"]
