"""refuse: nobody new gets in, those who are in stay. It does nothing to a stream: the proxy asks for it when it listens.

While it is on with toxicity 1 the port does not listen, and the kernel refuses who connects. With a smaller toxicity a part of those
who connect is let in and reset at once. In which stream it is set makes no difference.
"""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.toxic import Toxic


class Refuse(Toxic):
    """No attributes."""

    __slots__ = ()
    type = "refuse"
