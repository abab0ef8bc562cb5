"""One direction of one connection: read the source, through the toxics, write the sink.

Without toxics a link is a callback that reads into a buffer shared by all and writes at once what it read; nothing is kept for it but
these few fields. With toxics each chunk goes through a chain (`chain.py`) and one timer wakes the link when the
chain has something due. What the sink does not take waits in `backlog`, and the source is left unread until it is gone.

The stream's end is carried through as it came: an end of the stream as an end of this direction alone, a reset as a reset.
"""

from __future__ import annotations

import fcntl
import math
import socket
import sys
import termios
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.toxiproxy.embedded.chain import Chain, ToxicSpec
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


class Counter:
    """Bytes of one direction: taken from the sources, and given to the sinks. They move at once."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0

    def add(self, other: Counter) -> None:
        """Count these as well."""
        self.received += other.received
        self.sent += other.sent

    def told(self) -> dict[str, int]:
        """As the API tells it."""
        return {"received": self.received, "sent": self.sent}


def unsent(sock: socket.socket) -> int:
    """Bytes that the socket's peer has not confirmed (SIOCOUTQ, tcp(7)); 0 where the kernel cannot say."""
    try:
        return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


class Link:
    """From one socket to the other. `opposite` is the way back."""

    __slots__ = (
        "backlog",
        "chain",
        "connection",
        "counter",
        "dead",
        "deaf",
        "ending",
        "eof",
        "events",
        "finished",
        "opposite",
        "paused",
        "read_size",
        "seed",
        "sink",
        "source",
        "source_reset",
        "stream",
        "timer",
        "writing",
    )  # fmt: skip
    opposite: Link

    def __init__(
        self, connection: Connection, source: socket.socket, sink: socket.socket, stream: str, seed: str
    ) -> None:
        self.connection = connection
        self.events = connection.events
        self.stream = stream
        self.source = source
        self.sink = sink
        self.counter = Counter()
        self.seed = seed
        self.chain: Chain | None = None
        self.backlog: deque[bytes] = deque()
        self.read_size = READ_LEAST
        self.timer: Timer | None = None
        #: The source is not read for now / for good.
        self.paused = True
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

    # Reading

    def start(self) -> None:
        """Begin to read."""
        self.connection.hangups.watch(self.source.fileno(), self._hung_up)
        self._resume()

    def _pause(self) -> None:
        if not self.paused:
            self.paused = True
            self.connection.loop.remove_reader(self.source.fileno())

    def _resume(self) -> None:
        if self.paused and not self.eof:
            self.paused = False
            self.connection.loop.add_reader(self.source.fileno(), self._readable)

    def _hung_up(self) -> None:
        """The source is dead in both directions. What it said before can still be read."""
        self.dead = True
        if not self.paused:
            self._readable()
        elif not self.opposite.finished:  # else both ends have ended: no reset
            self.opposite.sink_died()

    def _readable(self) -> None:
        self._read()
        while self.dead and not self.paused:
            self._read()

    def _read(self) -> None:
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
        self.counter.received += got
        if self.events.data:
            self._tell("received", got, self.counter.received)
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
        self._pause()
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

    # Toxics

    def add(self, spec: ToxicSpec, now: float) -> None:
        """A toxic at the end of the chain, from now on."""
        if self.ending is None and not self.deaf:
            if self.chain is None:
                self.chain = Chain(self.seed, self._toxic_did, self.stream)
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
            self.timer = self.connection.timers.at(due, self._woken)

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
        self.events.pass_on(event, connection.proxy, connection=connection.number, stream=self.stream, **fields)

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
            self.counter.sent += sent
            if sent and self.events.data:
                self._tell("sent", sent, self.counter.sent)
            if sent == len(data):
                return
        self.backlog.append(bytes(data[sent:]))
        if not self.writing:
            self.writing = True
            self.connection.loop.add_writer(self.sink.fileno(), self._writable)
        self._pause()

    def _writable(self) -> None:
        while self.backlog:
            data = self.backlog[0]
            try:
                sent = self.sink.send(data)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.sink_died()
                return
            self.counter.sent += sent
            if self.events.data:
                self._tell("sent", sent, self.counter.sent)
            if sent < len(data):
                self.backlog[0] = data[sent:]
                return
            self.backlog.popleft()
        self._stop_writing()
        if self.ending is not None:
            self._finish()
        else:
            self._throttle()

    def _stop_writing(self) -> None:
        if self.writing:
            self.writing = False
            self.connection.loop.remove_writer(self.sink.fileno())

    def sink_died(self) -> None:
        """The sink was reset. What is for it is lost, and its own stream ends as a reset behind what it still said."""
        if self.deaf or self.connection.closed:
            return
        self.deaf = True
        self.backlog.clear()
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
            self.timer = self.connection.timers.at(now + DELIVERY_LOOK_S, lambda: self._reset_behind(patience))

    def stop(self) -> None:
        """The connection is over: let go of everything but the sockets."""
        if self.timer is not None:
            self.timer.cancel()
        if not self.paused:
            self.paused = True
            self.connection.loop.remove_reader(self.source.fileno())
        self._stop_writing()
        self.connection.hangups.forget(self.source.fileno())
        self.eof = self.finished = True
        self.backlog.clear()
        self.chain = None
