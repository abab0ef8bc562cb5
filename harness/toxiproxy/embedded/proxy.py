"""A proxy: a listening socket, an upstream, the toxics, and the connections that go through it now."""

from __future__ import annotations

import contextlib
import errno
import math
import socket
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from harness.toxiproxy.embedded import address
from harness.toxiproxy.embedded.account import Counter
from harness.toxiproxy.embedded.address import AddressError
from harness.toxiproxy.embedded.chain import ToxicSpec
from harness.toxiproxy.embedded.connection import Connection
from harness.toxiproxy.embedded.dial import Dial, begin, literal_target
from harness.toxiproxy.embedded.link import Link
from harness.toxiproxy.embedded.log import Log
from harness.toxiproxy.embedded.poll import READ
from harness.toxiproxy.embedded.reactor import Reactor
from harness.toxiproxy.embedded.schedule import Schedule
from harness.toxiproxy.embedded.tcp import close_is_reset
from harness.toxiproxy.embedded.timers import Timer
from harness.toxiproxy.embedded.toxics.refuse import Refuse

#: Connections accepted in one go, before others have their turn.
ACCEPT_AT_MOST = 64
#: The process or the machine is out of descriptors or memory: accept again later, seconds.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
ACCEPT_AGAIN_S = 0.1


@dataclass(frozen=True)
class House:
    """What proxies share: the reactor, the log, and the seed of every choice."""

    reactor: Reactor
    log: Log
    seed: int


class Proxy:
    """One proxy. `listen` is the address as given until it is first started, and the resolved one from then on."""

    def __init__(self, house: House, name: str, listen: str, upstream: str) -> None:
        self.house = house
        self.name = name
        self.listen = listen
        self._target = literal_target(upstream)
        self._upstream = upstream
        self.enabled = False
        #: Whether it was last acknowledged to be enabled: a port that is taken does not change that, so it goes into the state file.
        self.wanted = False
        self.toxics: list[ToxicSpec] = []
        #: Upstream and downstream, of the connections that are over.
        self._over = (Counter(), Counter())
        self.connections: set[Connection] = set()
        self.accepted = 0
        self._dials: dict[Dial, socket.socket] = {}
        #: It listens, or while new connections are refused holds the port.
        self._listener: socket.socket | None = None
        self._refusing = False
        self._turn: Timer | None = None

    @property
    def upstream(self) -> str:
        """Where it connects to, as given. A change is for the connections to come."""
        return self._upstream

    @upstream.setter
    def upstream(self, upstream: str) -> None:
        self._upstream, self._target = upstream, literal_target(upstream)

    def start(self, resolved: address.Address) -> None:
        """Listen. Raises AddressError; then it stays disabled."""
        self._listener = address.bind(resolved)
        self.listen = address.name_of(self._listener)
        self.enabled = True
        self._attend()
        self._say("Started proxy")
        self._tell("listening", listen=self.listen)
        self._attend_refusal()

    def stop(self) -> None:
        """Close the listener and every connection, at once. Harmless when repeated."""
        self.enabled = False
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self._refusing = False
        if self._listener is not None:
            self.house.reactor.poll.forget(self._listener.fileno())
            self._listener.close()
            self._listener = None
            self._say("Terminated proxy")
            self._tell("stopped")
        for dial, client in self._dials.items():
            dial.cancel()
            client.close()
        self._dials.clear()
        for connection in list(self.connections):
            connection.why, connection.by = "stopped", connection.by or "proxy"
            connection.close()

    def _say(self, message: str) -> None:
        self.house.log.say("info", message, name=self.name, proxy=self.listen, upstream=self.upstream)

    @property
    def counters(self) -> tuple[Counter, Counter]:
        """Bytes upstream and downstream since the proxy was made."""
        both = (Counter(), Counter())
        for stream, counter in enumerate(both):
            counter.add(self._over[stream])
            for connection in self.connections:
                counter.add((connection.upstream, connection.downstream)[stream].counter)
        return both

    def _tell(self, event: str, **fields: object) -> None:
        self.house.reactor.events.tell(event, self.name, lambda: fields)

    # Refusing who is new

    def _attend_refusal(self) -> None:
        """Listen or not, as the toxics of that kind say now; and ask again when their schedules turn."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if not self.enabled:
            return
        phases = [one.phase(time.monotonic()) for one in self.toxics if one.type == Refuse.type and one.toxicity >= 1]
        refusing = any(on for on, _ in phases)
        if refusing != self._refusing:
            self._refusing = refusing
            self._shut() if refusing else self._open()
        turn = min((until for _, until in phases), default=math.inf)
        if turn < math.inf and self.enabled:
            self._turn = self.house.reactor.timers.at(turn, self._attend_refusal)

    def _shut(self) -> None:
        """Listen no longer. Who is in the backlog came before, and gets in."""
        self.readable()
        if self._listener is None:
            return
        self.house.reactor.poll.forget(self._listener.fileno())
        self._listener.close()
        self._listener = None
        with contextlib.suppress(AddressError):  # whoever took the port so fast is met when it opens again
            self._listener = address.bind(self._bound(), listening=False)
        self._say("Refusing new connections")
        self._tell("refusing")

    def _open(self) -> None:
        """Listen again. Where that fails the proxy is disabled, as after any failed start."""
        try:
            if self._listener is None:
                self._listener = address.bind(self._bound())
            else:
                self._listener.listen(address.BACKLOG)
        except (AddressError, OSError) as error:
            self.house.log.say("error", "Cannot listen again", name=self.name, proxy=self.listen, err=str(error))
            self.stop()
            return
        self._attend()
        self._say("Accepting new connections")
        self._tell("accepting")

    def _bound(self) -> address.Address:
        host, port = address.split(self.listen)
        return address.Address(host, int(port))

    def _turned_away(self, number: int) -> bool:
        """Whether this connection is one of those that a refusal with a toxicity below 1 hits."""
        return any(
            toxic.phase(time.monotonic())[0]
            and Random(f"{self.house.seed}/{self.name}/{number}/{toxic.name}").random() < toxic.toxicity
            for toxic in self.toxics
            if toxic.type == Refuse.type and toxic.toxicity < 1
        )

    # Connections

    def _attend(self) -> None:
        """Be told of those who knock."""
        if self._listener is not None:
            self.house.reactor.poll.watch(self._listener.fileno(), self, READ)

    def writable(self) -> None:
        """A listener is never written to."""

    def hung_up(self) -> bool:
        """A listener does not die of itself."""
        return False

    def readable(self) -> None:
        """Accept who knocks."""
        for _ in range(ACCEPT_AT_MOST):
            if self._listener is None:
                return
            try:
                client, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._accept_later(self._listener)
                return
            self._join(client, peer)

    def _accept_later(self, listener: socket.socket) -> None:
        reactor = self.house.reactor
        reactor.poll.want(listener.fileno(), 0)
        self.house.log.say("error", "Out of descriptors or memory: accepting later", proxy=self.name)

        def again() -> None:
            if self._listener is listener:
                reactor.poll.want(listener.fileno(), READ)

        reactor.timers.at(time.monotonic() + ACCEPT_AGAIN_S, again)

    def _join(self, client: socket.socket, peer: tuple[Any, ...]) -> None:
        client.setblocking(False)
        number, self.accepted = self.accepted, self.accepted + 1
        if self.toxics and self._turned_away(number):
            close_is_reset(client)
            client.close()
            self._tell("refused", connection=number, client=address.text(peer))
            return
        begun = begin(self._target) if self._target is not None else None
        if begun is not None and begun[0] is not None and begun[1] == 0:
            self._connected(client, begun[0], number, peer)
            return
        dial = Dial(
            self.house.reactor,
            self.upstream,
            lambda server: self._connected(self._dials.pop(dial), server, number, peer),
            lambda why, reset: self._refused(dial, number, peer, why, reset),
        )
        self._dials[dial] = client
        dial.start() if begun is None else dial.go_on(begun)

    def _connected(self, client: socket.socket, server: socket.socket, number: int, peer: tuple[Any, ...]) -> None:
        connection = Connection(self, client, server, number, peer)
        self.connections.add(connection)
        events = self.house.reactor.events
        if events.listened_to:
            events.pass_on(
                "opened", self.name, connection=number, client=address.text(peer), server=address.local(server)
            )
        connection.start()
        if self.toxics:
            now = time.monotonic()
            for toxic in self.toxics:
                for link in connection.links(toxic):
                    link.add(toxic, now)

    def gone(self, connection: Connection) -> None:
        """One of its connections is over."""
        self.connections.discard(connection)
        for counter, link in zip(self._over, (connection.upstream, connection.downstream), strict=True):
            counter.received += link.received
            counter.sent += link.sent
        self.house.reactor.events.tell("closed", self.name, connection.account.told_when_over)

    def _refused(self, dial: Dial, number: int, peer: tuple[Any, ...], why: str, reset: bool) -> None:
        client = self._dials.pop(dial)
        if reset:
            close_is_reset(client)
        client.close()
        self.house.log.say("error", "Unable to open connection to upstream", name=self.name, err=why)
        self._tell("failed", connection=number, client=address.text(peer), why=why)

    # Toxics

    def toxic(self, name: str) -> ToxicSpec | None:
        """The toxic of that name, in either direction."""
        return next((toxic for toxic in self.toxics if toxic.name == name), None)

    def _links(self, toxic: ToxicSpec) -> list[Link]:
        """Where a toxic works now."""
        return [link for connection in self.connections for link in connection.links(toxic)]

    def in_order(self) -> list[ToxicSpec]:
        """All toxics, upstream first (and both), each direction in the order of its chain."""
        return sorted(self.toxics, key=lambda toxic: "upstream" not in toxic.streams)

    def add_toxic(self, toxic: ToxicSpec) -> None:
        """It works from now on, on live connections too."""
        self.toxics.append(toxic)
        self._tell("toxic-added", toxic=toxic.told())
        self._attend_refusal()
        now = time.monotonic()
        for link in self._links(toxic):
            link.add(toxic, now)

    def change_toxic(
        self, toxic: ToxicSpec, attributes: dict[str, int], own: dict[str, dict[str, int]], toxicity: float,
        schedule: Schedule | None,
    ) -> None:  # fmt: skip
        """Other attributes from now on, on live connections too. A new schedule begins now."""
        toxic.change(attributes, own)
        toxic.toxicity = toxicity
        now = time.monotonic()
        if schedule != toxic.schedule:
            toxic.schedule, toxic.since = schedule, now
        self._tell("toxic-changed", toxic=toxic.told())
        self._attend_refusal()
        for link in self._links(toxic):
            link.change(toxic, now)

    def remove_toxic(self, toxic: ToxicSpec) -> None:
        """Take it off; what it held flows on."""
        self.toxics.remove(toxic)
        self._tell("toxic-removed", toxic=toxic.told())
        self._attend_refusal()
        now = time.monotonic()
        for link in self._links(toxic):
            link.remove(toxic, now)
