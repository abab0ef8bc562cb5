"""What all connections of a process share: the event loop, the timers, the poll of all sockets, the events."""

from __future__ import annotations

import asyncio

from harness.toxiproxy.embedded.events import Events
from harness.toxiproxy.embedded.poll import poll_of
from harness.toxiproxy.embedded.timers import Timers


class Reactor:
    """One for an event loop. To be closed when no connection is left."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.poll = poll_of(loop)
        self.timers = Timers(loop, self.poll.look)
        self.events = Events()

    def close(self) -> None:
        """No more timers, no more readiness, no more events."""
        self.events.close()
        self.timers.close()
        self.poll.close()
