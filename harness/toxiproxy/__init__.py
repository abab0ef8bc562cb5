"""Which Toxiproxy stands between the members and the server, and how it is spoken to.

Embedded (`embedded/`, the default), installed (toxiproxy-server) or remote: always a process of its own, driven over its
HTTP API with toxiproxy-python.
"""

from harness.toxiproxy.client import ToxiproxyError
from harness.toxiproxy.process import Line, Passage, Toxiproxy, Traffic, capabilities, is_remote, start

__all__ = ["Line", "Passage", "Toxiproxy", "ToxiproxyError", "Traffic", "capabilities", "is_remote", "start"]
