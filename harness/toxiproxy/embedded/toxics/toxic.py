"""What every toxic is: a sans-I/O transducer from items that arrive to items that leave, each with its time.

A toxic never sleeps, reads a clock or touches a socket. It is given one item of a stream, when that item *arrived* and when
the toxic was *free* to take it (never before the item came, nor before all earlier items had left), and says what leaves and
when. A stage (`chain.py`) keeps the queue, so that a toxic can be removed or changed while it holds something.

Times are seconds of one monotonic clock. Attributes are Toxiproxy's: milliseconds, KB/s, bytes, microseconds for the slicer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from random import Random
from typing import ClassVar


class Ending(Enum):
    """How a stream ends. It travels behind the data, through the same toxics."""

    #: The source ended its stream: carried through as it came, a FIN or a reset.
    END = "end"
    #: A toxic closes the connection.
    CLOSE = "close"
    #: A toxic resets the connection: both ends get an RST.
    RESET = "reset"
    #: The same, but only when the sink's kernel has delivered all that left before it.
    RESET_BEHIND = "reset behind the data"


Item = bytes | Ending
Leaving = list[tuple[float, Item]]


class Toxic:
    """One toxic on one direction of one connection. Subclasses say what they do to a stream."""

    __slots__ = ("attributes", "deadline", "kept", "kept_bytes", "random")

    #: The name in the API.
    type: ClassVar[str]
    #: Attributes in the API's order.
    names: ClassVar[tuple[str, ...]] = ()
    #: Bytes it may hold before the source is no longer read.
    window: ClassVar[int] = 64 * 1024
    #: Whether a change of attributes lets the item in hand go at once (else it is begun anew).
    change_releases: ClassVar[bool] = True
    #: What an attribute is where a request does not say; 0 for all others.
    defaults: ClassVar[Mapping[str, int]] = {}
    #: Whether coming on or going off (see `schedule.py`) does something to a stream that holds nothing.
    acts_when_idle: ClassVar[bool] = False

    def __init__(self, attributes: Mapping[str, int], random: Random) -> None:
        self.attributes = attributes
        self.random = random
        #: When `expire` wants to be called, without any item: seconds, or infinity.
        self.deadline = math.inf
        #: Data that it keeps for later, of which `apply` did not yet say when it leaves, and how much that is.
        self.kept: list[bytes] = []
        self.kept_bytes = 0

    @classmethod
    def problem(cls, attributes: Mapping[str, int]) -> str | None:
        """Why these attributes cannot work, as a sentence; None where they can."""
        return None

    def start(self, now: float) -> None:
        """It begins to work on its stream, or begins anew after a change."""

    def apply(self, item: Item, arrived: float, free: float) -> Leaving:
        """What leaves for this item, in order; times do not fall. Empty: the item is swallowed."""
        return [(free, item)]

    def keep(self, data: bytes, until: float) -> None:
        """Keep this for later, and let `expire` be called then; an earlier deadline stays."""
        self.kept.append(data)
        self.kept_bytes += len(data)
        self.deadline = min(self.deadline, until)

    def give_back(self) -> list[bytes]:
        """All that it keeps, which it then keeps no longer."""
        kept, self.kept, self.kept_bytes, self.deadline = self.kept, [], 0, math.inf
        return kept

    def expire(self) -> Leaving:
        """Its deadline has come: what leaves now. It must set another deadline, or none."""
        raise NotImplementedError

    def removed(self) -> Ending | None:
        """It is taken off a live stream: how that stream ends now; None where it flows on."""
        return None
