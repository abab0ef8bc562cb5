"""Guests: bare connections to an instance of an unknown server, and the sense for when it has said all it will say.

A guest knows no dialect. It sends bytes, keeps what comes, and writes both into the transcript. *Settled* means: the
server has read what was sent, all its threads sleep, and nothing has come for a moment. Where the kernel cannot be
asked (a remote server), a longer moment has to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import replace

from harness.aftermath import GOODBYE_S
from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.patience import Processor
from harness.client.wire import Wire
from harness.dialect.framing import Framing
from harness.dialect.manners import Lens
from harness.dialect.profile import Profile
from harness.engine.deadlines import deadlines
from harness.engine.options import Options
from harness.history import Ending
from harness.properties.quoting import quote
from harness.stage import Plan, Stage
from harness.target import Server, TargetError

#: Nothing has come for so long, and the server sleeps: it is settled.
MOMENT_S = 0.04
#: The same for a server of which only the socket is known.
REMOTE_MOMENT_S = 0.4
#: A server that has not read what was sent, or not accepted, may be asleep between two looks.
UNREAD_S = 0.35
#: Nothing is waited for longer than this.
LONGEST_S = 3.0
#: Looks at the server's threads, and how many in a row must find them asleep.
LOOK_S, LOOKS = 0.006, 4
#: A server that waited for a processor for more than this part of the time was not silent.
STARVED = 0.3
#: One that spins waits for a processor for ever. It has had its time when it has run for so long and said nothing, in seconds.
SPENT_S = 0.1
#: Nothing that a server gathers is waited for longer than this, in seconds.
LATEST_S = 1.25
#: What is kept of one guest's stream, in bytes.
KEPT_BYTES = 1 << 16
#: More than can come: the end of a connection is told once.
OVER = 1 << 60
#: Names that stand in no greeting: letters only, 4 or 5 of them, none a part of a word.
NAMES = ("zelda", "yuri", "wanda", "vasco", "ugur", "tulio", "quim", "kenji")


class Guest:
    """One connection. Nothing is framed on it, unless the house has a manner: then `raw` holds a line for each message."""

    def __init__(self, name: str, house: House) -> None:
        self.name = name
        self.raw = bytearray()
        self.mark = 0
        self.ended: Ending | None = None
        self.wire: Wire | None = None
        self.left = False
        self._told = 0
        self._house = house
        self._framing: Framing | None = None
        self._lens = Lens(house.manner) if house.manner is not None else None

    @property
    def framed(self) -> bool | None:
        """Whether what came was framed in the house's manner; None as long as nothing came, or there is no manner."""
        return self._lens.framed if self._lens is not None else None

    def came(self, data: bytes) -> None:
        """Called by the wire."""
        if len(self.raw) < KEPT_BYTES:
            shown = self._lens.feed(data) if self._lens is not None else data
            self.raw += shown[: KEPT_BYTES - len(self.raw)]
        self._answer_heartbeats(data)
        self._house.heard(self)

    def _answer_heartbeats(self, data: bytes) -> None:
        spoken = self._house.spoken
        if spoken is None or spoken.keepalive is None or self.wire is None:
            return
        self._framing = self._framing or spoken.receiving()
        for answer in spoken.keepalive.answers(data, self._framing.feed(data)):
            self.send(spoken.sending().encode(answer))

    def over(self, how: Ending) -> None:
        """Called by the wire."""
        self.ended = how
        self._house.heard(self)

    @property
    def new(self) -> bytes:
        """What came since the last time it was heeded."""
        return bytes(self.raw[self.mark :])

    def heed(self) -> bytes:
        """What came since the last time; from now on it is known."""
        new, self.mark = self.new, len(self.raw)
        return new

    def send(self, data: bytes) -> bool:
        """One segment. False when the connection is gone."""
        self._house.tell()
        self._house.transcript.append(f"{self.name} -> {quote(data)}")
        try:
            return self.wire is not None and self.wire.send_now(data) == len(data)
        except OSError:
            return False

    def go(self) -> None:
        """Leave. What the server has not read of it by then, it will not: that is waited for no more."""
        self.left = True
        if self.wire is not None:
            self.wire.close()

    def tell(self) -> None:
        """Put what came into the transcript."""
        if len(self.raw) > self._told:
            self._house.transcript.append(f"{self.name} <- {quote(bytes(self.raw[self._told :]), 300)}")
            self._told = len(self.raw)
        if self.ended is not None and self._told < OVER:
            self._house.transcript.append(f"{self.name}: the server ended the connection ({self.ended})")
            self._told = OVER


class House:
    """One instance of the server, and its guests. Use `opened`."""

    def __init__(self, options: Options, isolated: bool, transcript: list[str], number: int) -> None:
        self.options = options
        self.transcript = transcript
        self.guests: list[Guest] = []
        self.clock = Clock()
        #: A server may gather its words and send them now and then: so long after a request its silence says nothing yet,
        #: in calm seconds. 0 where it answers at once.
        self.unhurried_s = 0.0
        #: The profile that the guests follow, as soon as there is one: its heartbeats are answered.
        self.spoken: Profile | None = None
        #: How messages are framed, where that is guessed or known, and no bare line or chunk.
        self.manner: Profile | None = None
        self._number = number
        self._last_s = 0.0
        limits = deadlines([], patience=options.patience)
        self.log = Log(self.clock, lambda: self.stage.processor())
        self.stage = Stage(
            Plan(options.spec, replace(limits), wait_s=options.wait_s, knocks=options.knocks, isolated=isolated),
            self.log,
        )

    async def open(self) -> None:
        """Start it. Raises TargetError."""
        self.clock.start()
        try:
            await self.stage.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Everybody is gone by RST (no TIME_WAIT is left on the port), then the server. Nobody else's server is reset."""
        self.tell()
        if self.stage.remote:
            await self._see_off()
        for guest in self.guests:
            if guest.wire is not None:
                guest.wire.reset()
        await self.stage.end()
        await self.clock.stop()

    async def _see_off(self) -> None:
        """FIN from each, and what the server still says of those who leave is read: at a closed socket it would meet a RST."""
        here = [guest for guest in self.guests if guest.wire is not None and not guest.left]
        for guest in here:
            if guest.wire is not None:
                guest.wire.half_close()
        await self.log.patience.until(lambda: all(guest.ended is not None for guest in here), GOODBYE_S)
        for guest in self.guests:
            guest.go()

    def tell(self) -> None:
        """Bring the transcript up to date."""
        for guest in self.guests:
            guest.tell()

    def heard(self, _: Guest) -> None:
        """Something came."""
        self._last_s = self.clock.now()
        self.log.beat()

    @property
    def server(self) -> Server | None:
        """The process, if it is ours."""
        return self.stage.server if isinstance(self.stage.server, Server) else None

    def alive(self) -> bool:
        """Whether the server runs."""
        return self.stage.alive()

    async def guest(self, name: str | None = None) -> Guest:
        """One more connection. A connection that is refused is a guest whose stay has ended."""
        letter = "abcdefghijklmnopqrstuvwxyz"[self._number % 26]
        number = len(self.guests)
        more = "abcdefghijklmnopqrstuvwxyz"[number // len(NAMES) % 26] if number >= len(NAMES) else ""
        made = Guest(name or NAMES[number % len(NAMES)] + letter * (self._number > 0) + more, self)
        self.guests.append(made)
        self.tell()
        try:
            made.wire = await Wire.open(
                self.stage.address, made.came, made.over, deadline_s=self.stage.plan.deadlines.connect_s
            )
            self.transcript.append(f"{made.name} connects")
        except (OSError, TimeoutError):
            made.ended = "error"
            self.transcript.append(f"{made.name} cannot connect")
        return made

    def came_late(self, after_s: float) -> None:
        """Something came so long after it was asked for, when the server had read all and slept: it gathers its words."""
        self.unhurried_s = max(self.unhurried_s, min(2 * after_s, LATEST_S))

    def rested_s(self, since: Processor, calm_s: float) -> float:
        """How much of the calm time since then the server neither ran nor waited for a processor, in seconds."""
        served = self.served()
        return self.clock.calm() - calm_s - (served.ran_s - since.ran_s) - (served.waited_s - since.waited_s)

    def unread(self, *of: Guest) -> int:
        """Bytes of these guests (of all who are there) that the server has not read."""
        if self.server is None:
            return 0
        here = [g.wire for g in of or self.guests if g.wire and not g.ended and not g.left]
        return sum(self.server.unread(wire.local_port) or 0 for wire in here)

    async def settle(self, *, at_least_s: float = 0.0, until: Callable[[], bool] | None = None) -> bool:
        """Wait until the server has said all that it will say by itself, or `until` holds; whether that held.

        `at_least_s`: how long is waited for a first byte in any case.
        """
        began, calm, since = self.clock.now(), self.clock.calm(), self.served()
        looks, self._last_s, last_s = 0, began, began
        moment = MOMENT_S if self.server is not None else REMOTE_MOMENT_S
        while self.clock.calm() - calm < LONGEST_S * self.options.patience:
            if until is not None and until():
                return True
            await self.log.pulse.next(LOOK_S if self.server else 0.05)
            now = self.clock.now()
            if self._last_s > last_s:
                since, last_s = self.served(), self._last_s
            waiting = self._waiting()
            looks = looks + 1 if waiting else 0
            quiet = now - self._last_s
            unanswered = self._last_s <= began and self.clock.calm() - calm < self.unhurried_s
            if quiet < moment or now - began < at_least_s or unanswered:
                looks = min(looks, LOOKS - 1)
                continue
            if not (looks >= LOOKS and self.unread() == 0) and quiet <= UNREAD_S:
                continue
            served = self.served()
            if starved(since, served, now - last_s):  # it is quiet from now on; what it has run counts on
                since, looks = Processor(served.waited_s, since.ran_s), 0
                self._last_s = last_s = now
                continue
            break
        return until() if until is not None else False

    def served(self) -> Processor:
        """How the processors served the server so far; nothing for somebody else's."""
        return self.stage.processor() or Processor(0.0, 0.0)

    def _waiting(self) -> bool:
        """Whether the server sleeps; for a remote one the moment alone decides."""
        if self.server is None or not self.server.is_alive():
            return True
        return self.server.is_waiting() is not False


@contextlib.asynccontextmanager
async def opened(options: Options, isolated: bool, transcript: list[str], number: int):  # type: ignore[no-untyped-def]
    """A house for as long as the block runs."""
    house = House(options, isolated, transcript, number)
    await house.open()
    try:
        yield house
    finally:
        await house.close()


def starved(since: Processor, until: Processor, took_s: float) -> bool:
    """Whether a server's silence was none: it stood ready without a processor, and has not run long enough to have spoken."""
    return until.waited_s - since.waited_s > STARVED * took_s and until.ran_s - since.ran_s < SPENT_S


def masked_port(text: str) -> str:
    """Digits folded, so that an address or a number in front compares."""
    return re.sub(r"\d+", "#", text)


__all__ = ["Guest", "House", "TargetError", "asyncio", "masked_port", "opened"]
