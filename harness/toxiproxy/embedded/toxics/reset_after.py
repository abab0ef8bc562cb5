"""reset_after: exactly `bytes` bytes pass, then both ends get an RST: a connection torn off in the middle of the data.

The bytes that passed arrive: the reset waits until the kernel has delivered them, for as long as the receiver takes them (a
reset throws away what a socket has not sent yet). The count is the connection's own, from when the toxic came.
"""

from __future__ import annotations

from harness.toxiproxy.embedded.toxics.limit_data import LimitData
from harness.toxiproxy.embedded.toxics.toxic import Ending


class ResetAfter(LimitData):
    """`bytes`: how many pass. 0 or less resets on the first data; idle connections are left alone."""

    __slots__ = ()
    type = "reset_after"
    ending = Ending.RESET_BEHIND
