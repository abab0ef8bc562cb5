"""One direction of one connection: read the source, through the toxics, write the sink.

Without toxics a link is a callback that reads into a buffer shared by all and writes at once what it read; nothing is kept for it but
these few fields. With toxics each chunk goes through a chain (`chain.py`) and one timer wakes the link when the
chain has something due. What the sink does not take waits in `backlog`, and the source is left unread until it is gone.

The stream's end is carried through as it came: an end of the stream as an end of this direction alone, a reset as a reset.
"""

from __future__ import annotations

import math
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.toxiproxy.embedded.account import Counter
from harness.toxiproxy.embedded.chain import Chain, ToxicSpec
from harness.toxiproxy.embedded.poll import READ, WRITE
from harness.toxiproxy.embedded.tcp import unsent
from harness.toxiproxy.embedded.toxics import Ending, Item, Leaving

if TYPE_CHECKING:
    from harness.toxiproxy.embedded.connection import Connection
    from harness.toxiproxy.embedded.timers import Timer

#: A chunk, as toxics see it.
CHUNK = 32 * 1024
#: What one read takes without toxics: from the first to the last, doubled whenever a read was full.
READ_LEAST = 64 * 1024
READ_MOST = 1024 * 1024
#: How long a reset waits until the data before it is delivered, and how often it looks; seconds.
DELIVERY_S = 0.5
DELIVERY_LOOK_S = 0.001
#: All links read here first: one event loop, one read at a time.
_BUFFER = bytearray(READ_MOST)
_VIEW = memoryview(_BUFFER)


class Link:
    """From one socket to the other. `opposite` is the way back."""

    __slots__ = (
        "backlog", "chain", "connection", "dead", "deaf", "ending", "eof", "events", "fd", "finished", "opposite", "paused", "read_size",
        "received", "sent", "sink", "source", "source_reset", "stream", "timer", "writing",
    )  # fmt: skip
    opposite: Link

    def __init__(self, connection: Connection, source: socket.socket, sink: socket.socket, stream: str) -> None:
        self.connection = connection
        self.events = connection.reactor.events
        self.stream = stream
        self.source = source
        self.sink = sink
        self.fd = source.fileno()
        #: Bytes taken from the source, and given to the sink. They move at once.
        self.received = 0
        self.sent = 0
        self.chain: Chain | None = None
        #: What the sink did not take yet; an empty one costs more than all the rest, so it is there when needed.
        self.backlog: deque[bytes] | None = None
        self.read_size = READ_LEAST
        self.timer: Timer | None = None
        #: The source is not read for now / for good.
        self.paused = False
        self.eof = False
        #: The source is known to be dead: it will not be announced as readable again, read it to the end.
        self.dead = False
        #: The source died of a reset, whatever its last read said.
        self.source_reset = False
        #: The sink is dead: what still comes is thrown away.
        self.deaf = False
        self.writing = False
        #: The end that came out of the chain, and whether the sink has had it.
        self.ending: Ending | None = None
        self.finished = False

    @property
    def counter(self) -> Counter:
        """What went through so far."""
        return Counter(self.received, self.sent)

    # Reading

    def start(self) -> None:
        """Begin to read."""
        self.connection.reactor.poll.watch(self.fd, self, READ)

    def _attend(self) -> None:
        """Have the source watched for what it is wanted for: to be read, and to be written as the sink of the opposite."""
        mask = (0 if self.paused else READ) | (WRITE if self.opposite.writing else 0)
        self.connection.reactor.poll.want(self.fd, mask)

    def _pause(self) -> None:
        if not self.paused:
            self.paused = True
            self._attend()

    def _resume(self) -> None:
        if self.paused and not self.eof:
            self.paused = False
            self._attend()

    def hung_up(self) -> bool:
        """The source is dead in both directions. What it said before can still be read, and whoever pauses goes on later."""
        if self.paused:
            if not self.opposite.finished:  # else both ends have ended: no reset
                self.opposite.sink_died()
            return False
        self.dead = True
        while self.dead and not self.paused:
            self.readable()
        return not self.paused

    def writable(self) -> None:
        """The source, as the sink of the opposite, takes more."""
        self.opposite.send_backlog()

    def readable(self) -> None:
        """One read of the source, and what becomes of it."""
        size = self.read_size if self.chain is None else CHUNK
        try:
            got = self.source.recv_into(_BUFFER, size)
        except (BlockingIOError, InterruptedError):
            self.dead = False
            return
        except OSError:
            self._source_died()
            return
        if not got:
            self.source_ended()
            return
        self.received += got
        if self.events.data:
            self._tell("received", got, self.received)
        if self.chain is not None:
            now = time.monotonic()
            self.chain.feed(bytes(_VIEW[:got]), now)
            self._pump(now)
            return
        if got == size and size < READ_MOST:
            self.read_size = size * 2
        self._write(_VIEW[:got])

    def _source_died(self) -> None:
        """Reset (or given up by the kernel): nothing can be written to it either."""
        self.source_reset = True
        if not self.opposite.finished:
            self.opposite.sink_died()
        if not self.connection.closed:
            self.source_ended()

    def source_ended(self) -> None:
        """Nothing more comes: the end follows what is inside."""
        if self.eof:
            return
        watched, self.paused = not self.paused, True
        self.eof = True
        if self.connection.by is None:
            self.connection.by = "client" if self.stream == "upstream" else "server"
        if self.events.listened_to:
            self._say("ended", how="reset" if self.source_reset else "fin")
        if self.chain is None:
            self._end(Ending.END)
        else:
            now = time.monotonic()
            self.chain.feed(Ending.END, now)
            self._pump(now)
        if watched and not self.connection.closed:
            self._attend()

    # Toxics

    def add(self, spec: ToxicSpec, now: float) -> None:
        """A toxic at the end of the chain, from now on."""
        if self.ending is None and not self.deaf:
            if self.chain is None:
                self.chain = Chain(f"{self.connection.seed}/{self.stream}", self._toxic_did, self.stream)
            self.chain.add(spec, now)
            self._pump(now)

    def change(self, spec: ToxicSpec, now: float) -> None:
        """A toxic of the chain has other attributes now."""
        self._alter(Chain.change, spec, now)

    def remove(self, spec: ToxicSpec, now: float) -> None:
        """Take a toxic off; what it held flows on."""
        self._alter(Chain.remove, spec, now)

    def _alter(self, act: Callable[[Chain, ToxicSpec, float], list[Item]], spec: ToxicSpec, now: float) -> None:
        if self.chain is None or self.ending is not None:
            return
        for item in act(self.chain, spec, now):
            self._deliver(item)
        if self.chain is not None and not self.chain.stages:
            self.chain = None
        self._pump(now)

    def _pump(self, now: float) -> None:
        """Let out what is due, and be woken for the rest."""
        if self.chain is not None and self.ending is None:
            for item in self.chain.advance(now):
                self._deliver(item)
        if self.connection.closed:
            return
        if self.chain is not None and self.ending is None:
            self._wake_at(self.chain.due)
        self._throttle()

    def _wake_at(self, due: float) -> None:
        if self.timer is not None:
            if self.timer.due <= due:
                return
            self.timer.cancel()
            self.timer = None
        if due < math.inf:
            self.timer = self.connection.reactor.timers.at(due, self._woken)

    def _woken(self) -> None:
        self.timer = None
        self._pump(time.monotonic())

    def _throttle(self) -> None:
        """Read the source just while there is room for what it says."""
        if self.eof:
            return
        full = self.chain is not None and self.chain.held > self.chain.window
        if (self.backlog or full or self.ending is not None) and not self.deaf:
            self._pause()
        else:
            self._resume()

    # Events

    def _say(self, event: str, **fields: object) -> None:
        connection = self.connection
        self.events.pass_on(event, connection.proxy.name, connection=connection.number, stream=self.stream, **fields)

    def _tell(self, event: str, count: int, total: int) -> None:
        self._say(event, bytes=count, total=total)

    def _toxic_did(self, spec: ToxicSpec, item: Item, arrived: float, leaving: Leaving) -> None:
        """Tell what a toxic did; an item that leaves at once as it came is nothing to tell."""
        if not self.events.data or leaving == [(arrived, item)]:
            return
        gave = [one for _, one in leaving if isinstance(one, bytes)]
        took = len(item) if isinstance(item, bytes) else 0
        last = leaving[-1][0] if leaving else math.inf
        fields: dict[str, object] = {"toxic": spec.name, "type": spec.type, "took": took, "gave": sum(map(len, gave))}
        fields["pieces"] = len(gave)
        fields["delay_ms"] = round((last - arrived) * 1000, 3) if last < math.inf else None
        fields["altered"] = fields["gave"] == took and b"".join(gave) != item and took > 0
        end = next((one for _, one in leaving if isinstance(one, Ending)), None)
        if end is not None:
            fields["end"] = {Ending.END: "fin", Ending.CLOSE: "close"}.get(end, "reset")
        self._say("toxic", **fields)

    # Writing

    def _deliver(self, item: Item) -> None:
        if isinstance(item, Ending):
            if self.ending is None:
                self._end(item)
        elif self.ending is None:
            self._write(item)

    def _write(self, data: bytes | memoryview) -> None:
        """Now, as far as the sink takes it. A view is of the shared buffer, and what stays is copied."""
        if self.deaf:
            return
        sent = 0
        if not self.backlog:
            try:
                sent = self.sink.send(data)
            except (BlockingIOError, InterruptedError):
                pass
            except OSError:
                self.sink_died()
                return
            self.sent += sent
            if sent and self.events.data:
                self._tell("sent", sent, self.sent)
            if sent == len(data):
                return
        if self.backlog is None:
            self.backlog = deque()
        self.backlog.append(bytes(data[sent:]))
        if not self.writing:
            self.writing = True
            self.opposite._attend()
        self._pause()

    def send_backlog(self) -> None:
        """The sink takes more."""
        while self.backlog:
            data = self.backlog[0]
            try:
                sent = self.sink.send(data)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.sink_died()
                return
            self.sent += sent
            if self.events.data:
                self._tell("sent", sent, self.sent)
            if sent < len(data):
                self.backlog[0] = data[sent:]
                return
            self.backlog.popleft()
        self.backlog = None
        self._stop_writing()
        if self.ending is not None:
            self._finish()
        else:
            self._throttle()

    def _stop_writing(self) -> None:
        if self.writing:
            self.writing = False
            self.opposite._attend()

    def sink_died(self) -> None:
        """The sink was reset. What is for it is lost, and its own stream ends as a reset behind what it still said."""
        if self.deaf or self.connection.closed:
            return
        self.deaf = True
        self.backlog = None
        self.chain = None
        self._stop_writing()
        self.opposite.source_reset = True
        if self.opposite.finished:
            self.connection.reset()
        elif self.ending is not None:
            self._finish()
        else:
            self._throttle()

    # Ending

    def _end(self, ending: Ending) -> None:
        """The end has come out of the chain."""
        self.ending = ending
        if not self.backlog:
            self._finish()

    def _finish(self) -> None:
        """The sink has had all data: now it has the end."""
        if self.finished:
            return
        if self.ending is Ending.RESET_BEHIND and not self.deaf:
            if self.timer is not None:
                self.timer.cancel()
            self._reset_behind(time.monotonic() + DELIVERY_S)
            return
        self.finished = True
        if self.ending in (Ending.RESET, Ending.RESET_BEHIND) or self.source_reset:
            self._reset()
        elif self.ending is Ending.CLOSE:
            self.connection.link_closed(self)
        else:
            self.connection.link_ended(self)

    def _reset(self) -> None:
        """Both ends: the source's own reset, or a toxic's."""
        self.connection.by = self.connection.by or "proxy"
        self.connection.reset()

    def _reset_behind(self, patience: float) -> None:
        """Reset both ends as soon as the sink has everything, or when it has not by then."""
        now = time.monotonic()
        if now >= patience or not unsent(self.sink):
            self.finished = True
            self._reset()
        else:
            self.timer = self.connection.reactor.timers.at(now + DELIVERY_LOOK_S, lambda: self._reset_behind(patience))

    def stop(self) -> None:
        """The connection is over: let go of everything but the sockets."""
        if self.timer is not None:
            self.timer.cancel()
        self.connection.reactor.poll.forget(self.fd)
        self.paused = self.eof = self.finished = True
        self.writing = False
        self.backlog = self.chain = None
