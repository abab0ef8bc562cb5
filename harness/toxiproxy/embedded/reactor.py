"""What all connections of a process share: the event loop, the timers, the notice of dead sockets, the events."""

from __future__ import annotations

import asyncio

from harness.toxiproxy.embedded.events import Events
from harness.toxiproxy.embedded.hangup import Hangups
from harness.toxiproxy.embedded.timers import Timers


class Reactor:
    """One for an event loop. To be closed when no connection is left."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.timers = Timers(loop)
        self.hangups = Hangups(loop)
        self.events = Events()

    def close(self) -> None:
        """No more timers, no more notices, no more events."""
        self.events.close()
        self.timers.close()
        self.hangups.close()
