"""What members write into and ask of: the history as it grows, who must hear whom, and the room's patience."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.client.clock import Clock
from harness.client.patience import Patience, Processor, Pulse
from harness.client.trace import Trace
from harness.history import Awaited, Heard, Noticed, Record, Said, Step

if TYPE_CHECKING:
    from harness.client.member import Member

#: Records that one scenario's history may hold; a flood must not fill the memory. What is not kept is counted: nothing
#: is judged without it.
MOST_RECORDS = 250_000
#: Of what a crowd is shown, so much of each one and of all of them together is kept: a crowd is judged for being let in.
SHOWN_TO_ONE, SHOWN_TO_CROWD = 40, 40_000
#: Copies of one message that one connection heard: as many more say the same.
MOST_COPIES = 20
#: So often the same kind of time-out is waited for in full in one scenario; afterwards a shorter look has to do.
FULL_WAITS = 2
#: Of these the first that does not come decides: whether the others would have come later changes nothing.
ONCE_IN_FULL = ("introduction", "leave")
SHORT_WAIT_S = 0.25
GLANCE_S = 0.1
#: A login is never given up before it has had the time of so many quiet ones.
LOGINS = 2


class Log:
    """The history in the making. One per scenario run."""

    def __init__(self, clock: Clock, processor: Callable[[], Processor | None]) -> None:
        self.clock = clock
        self.pulse = Pulse()
        self.patience = Patience(clock, self.pulse, processor)
        self.records: list[Record] = []
        self.trace = Trace()
        self.members: list[Member] = []
        self.pending: dict[str, set[int]] = {}
        self.reply_deadline_s = 1.0
        #: The slowest login when all was quiet, in seconds: who gives up sooner has not asked.
        self.login_s = 0.0
        #: So long each client leaves between two of its messages, in seconds: the server lets nobody speak faster.
        self.pace_s = 0.0
        self.unread_by_server: Callable[[Member], int | None] = lambda _: None
        #: Only departures are wanted now, to see a leak grow: nothing that fails to come is waited for.
        self.hasty = False
        #: Told of each kind of thing that was waited for in vain.
        self.on_missed: Callable[[str], None] = lambda _: None
        #: Records that there was no more room for, and when the first of them came.
        self.dropped, self.dropped_s = 0, 0.0
        self._shown: Counter[int] = Counter()  # to each of a crowd
        self._shown_to_crowd = 0
        self._copies: Counter[tuple[int, str]] = Counter()
        self._ops = 0
        self._words: dict[tuple[int, str], str] = {}
        self._speaker: dict[str, int] = {}
        self._missed: dict[str, int] = {}

    def now(self) -> float:
        """Seconds since the history began."""
        return self.clock.now()

    def hasten(self, *, ends: bool = False) -> None:
        """From here on only departures are wanted: nobody is judged, so nothing is waited for, nor given more time."""
        self.hasty = self.patience.once_only = not ends

    def beat(self) -> None:
        """Something happened: wake whoever waits."""
        self.pulse.beat()

    def add(self, record: Record) -> None:
        """Write a record down."""
        if len(self.records) < MOST_RECORDS:
            self.records.append(record)
            return
        self.dropped_s = self.dropped_s if self.dropped else record.at_s
        self.dropped += 1

    def shown(self, member: Member, record: Heard | Noticed) -> None:
        """Something came to a member. Of what a crowd is shown only the first is kept, and of a message the first copies."""
        if isinstance(record, Heard):
            self._heard(record)
        if member.identity.role == "crowd":
            kept = self._shown[member.conn] < SHOWN_TO_ONE and self._shown_to_crowd < SHOWN_TO_CROWD
            self._shown[member.conn] += kept
            self._shown_to_crowd += kept
        elif isinstance(record, Heard):
            self._copies[record.conn, record.token] += 1
            kept = self._copies[record.conn, record.token] <= MOST_COPIES
        else:
            kept = True
        if kept:
            self.add(record)

    def step(self, did: str, who: str | None = None) -> None:
        """A line of the story."""
        self.add(Step(at_s=self.now(), did=did, who=who))

    def next_op(self) -> int:
        """The number of the next message."""
        self._ops += 1
        return self._ops

    def audience(self, sender: Member) -> tuple[int, ...]:
        """The connections that must hear what `sender` says now."""
        if not (sender.counted and sender.established):
            return ()
        return tuple(m.conn for m in self.members if m is not sender and m.present and m.counted and m.established)

    def said(self, said: Said) -> None:
        """A message goes out now."""
        self.add(said)
        self.pending[said.token] = set(said.expects)
        self._speaker[said.token] = said.conn
        words = said.text.decode("utf-8", "replace").removesuffix(said.token).strip()
        self._words[said.conn, words] = said.token

    def _heard(self, heard: Heard) -> None:
        waiting = self.pending.get(heard.token)
        if waiting is not None:
            waiting.discard(heard.conn)
            if not waiting:
                del self.pending[heard.token]

    def token_of(self, sender: Member, words: str) -> str:
        """The token of the last message of `sender` with these words. Raises KeyError when it never said that."""
        return self._words[sender.conn, words]

    def reply_s(self) -> float:
        """The deadline of an answer, see `allowed`."""
        return self.allowed("reply", self.reply_deadline_s)

    def allowed(self, kind: str, deadline_s: float) -> float:
        """How long is waited for this kind of thing now. Twice in full; then the fault is plain, and a look will do."""
        if self.hasty:
            return GLANCE_S
        missed = self._missed.get(kind, 0)
        if missed < (1 if kind in ONCE_IN_FULL else FULL_WAITS):
            return deadline_s
        short = max(SHORT_WAIT_S, deadline_s / 5) if missed < 3 * FULL_WAITS else max(GLANCE_S, deadline_s / 10)
        return min(deadline_s, max(short, LOGINS * self.login_s)) if kind == "login" else short

    async def wait(self, kind: str, condition: Callable[[], bool], deadline_s: float) -> bool:
        """Wait for something that must come; what does not come is counted, and waited for less the next times.

        What is given up in haste is no miss: nobody had asked for it in earnest.
        """
        done = await self.patience.until(condition, self.allowed(kind, deadline_s))
        if not done and not self.hasty:
            self._missed[kind] = self._missed.get(kind, 0) + 1
            self.on_missed(kind)
        return done

    def unheard(self) -> dict[str, set[int]]:
        """Messages that somebody who is still here has not heard, of speakers who are still here too."""
        here = {m.conn for m in self.members if m.present and m.counted}
        return {
            token: waiting & here
            for token, waiting in self.pending.items()
            if waiting & here and self._speaker[token] in here
        }

    async def settled(self, deadline_s: float | None = None, but: str | None = None) -> bool:
        """Wait until everything said so far was heard by everybody who must. False when the deadline came first.

        What is said meanwhile does not count: somebody may be talking all the time. Nor does the message with the token
        `but`, which is still on its way to the server.
        """
        asked, deadline, due = self.now(), deadline_s or self.reply_s(), set(self.pending) - {but}
        done = await self.wait("reply", lambda: due.isdisjoint(self.unheard()), deadline_s or self.reply_deadline_s)
        if not done:
            self.add(Awaited(at_s=self.now(), what="delivery", asked_at_s=asked, came=False, deadline_s=deadline))
        return done

    async def read_by_server(self, member: Member, deadline_s: float = 0.25) -> bool:
        """Wait until the server has read everything this member sent (its receive queue is empty).

        Where the kernel cannot be asked, a short pause has to do.
        """
        if self.unread_by_server(member) is None:
            await asyncio.sleep(0.005)
            return False
        return await self.patience.poll(lambda: not self.unread_by_server(member), deadline_s, first_s=0.0005)

    async def kept_apart(self, member: Member) -> bool:
        """Wait until what this member sent was read, as long as an answer may take: two sends must not become one read.

        A newcomer's connection may still stand in the accept queue, or its thread may not run yet. A server that keeps
        everybody waiting is waited for less the next times. False when it has not read in time.
        """
        read = await self.read_by_server(member, self.allowed("read", self.reply_deadline_s))
        if not read and self.unread_by_server(member):
            self._missed["read"] = self._missed.get("read", 0) + 1
        return read
