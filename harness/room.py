"""The room: what a scenario holds in its hands.

It brings people in (directly or through a line of the Toxiproxy), lets them talk and waits until everybody has heard,
and does things to the server's process. It writes the history and judges nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Identity, Member
from harness.client.wire import Wire
from harness.dialect.masking import stands_in
from harness.dialect.profile import Profile
from harness.history import (
    Awaited,
    Baseline,
    JoinFailed,
    Knocked,
    Left,
    Listed,
    Note,
    Opened,
    OpenFailed,
    Role,
    Skipped,
)
from harness.line import Line
from harness.stage import Stage

if TYPE_CHECKING:
    from harness.toxiproxy import Toxiproxy

#: A newcomer's first message is said again at most so often: it may have come before the server listed its sender.
HELLOS = 3
#: Whoever is refused its own name tries again at most so often.
MOST_RETURNS = 6
#: How many of a crowd log in at the same time, unless a scenario wants them all at once.
SIDE_BY_SIDE = 16
#: Places that a crowd leaves free for those who come after it.
FOR_OTHERS = 4
#: Background talk stops by itself after so many messages.
MOST_CHATTER = 400


class NotHere(Exception):
    """The scenario cannot do its fault on this server or machine; the message is the reason of the skip."""


@dataclass
class Setting:
    """What a room is made of, besides the server."""

    profile: Profile
    baseline: Baseline
    seed: int = 0
    storm: int = 50
    max_clients: int = 200
    toxiproxy: Toxiproxy | None = None
    learning: bool = False
    limit_s: float = 60.0  # the whole scenario may take so long
    known_leaks: frozenset[str] = frozenset()
    visits: dict[str, int] = field(default_factory=dict)
    watch_port: Callable[[int], None] = lambda _: None  # a line has this port: packets are captured there too


class Room:
    """People, talk, and the fault. One per scenario run."""

    def __init__(self, setting: Setting, stage: Stage, log: Log, clock: Clock) -> None:
        self.setting = setting
        self.stage = stage
        self.log = log
        self.clock = clock
        self.profile = setting.profile
        self.baseline = setting.baseline
        self.deadlines = setting.baseline.deadlines
        self.random = random.Random(setting.seed)
        self.storm = min(setting.storm, setting.max_clients)
        self.lines: dict[str, Line] = {}
        self._keeps_names = False
        self._round = 0
        self._said = 0
        log.unread_by_server = lambda member: stage.unread(member)

    # -- the story -----------------------------------------------------------------------------------------------

    def step(self, did: str, who: str | None = None) -> None:
        """Tell a line of the story."""
        self.log.step(did, who)

    def note(self, text: str) -> None:
        """A line that the text report shows between a documented test's title and its outcome."""
        self.log.add(Note(at_s=self.log.now(), text=text))

    def skip(self, reason: str) -> None:
        """This fault cannot be done here. Raises NotHere."""
        self.log.add(Skipped(at_s=self.log.now(), reason=reason))
        raise NotHere(reason)

    @property
    def people(self) -> list[Member]:
        """Who is in the room and counts."""
        return [m for m in self.log.members if m.present and m.counted]

    def again(self) -> None:
        """The same play once more on the same server: everybody gets a new name."""
        self._round += 1

    # -- coming in -----------------------------------------------------------------------------------------------

    async def join(self, *who: str, line: Line | None = None, role: Role = "bystander") -> list[Member]:
        """Bring people in, one after the other, until each has been heard by the others."""
        return [await self.enter(one, line=line, role=role) for one in who]

    async def enter(
        self, who: str, *, line: Line | None = None, role: Role = "bystander", receive_buffer: int | None = None,
        counted: bool = True,
    ) -> Member:  # fmt: skip
        """Bring one in. Whoever cannot get in is returned all the same, not `present`; the history has the reason."""
        member = await self.connect(who, line=line, role=role, receive_buffer=receive_buffer)
        member.counted = counted
        await self.log_in(member)
        return member

    async def back(self, member: Member, *, line: Line | None = None, resume: bool = False) -> Member:
        """The same person returns, under the same name, on a new connection.

        Whoever is refused its name comes again until the server has had its time to notice that it had left. That time
        is given once in a play: where somebody was refused for all of it, others ask once.
        """
        left_s = next((r.at_s for r in self.log.records if isinstance(r, Left) and r.conn == member.conn), 0.0)
        for visit in range(member.identity.visit + 1, member.identity.visit + 1 + MOST_RETURNS):
            asked_s = self.log.now()
            returned = await self.connect(
                member.who, line=line, role=member.identity.role, name=member.name, visit=visit
            )
            if resume and member.token and self.profile.resume:
                await returned.resume_session(member.token, self.deadlines.join_s)
                returned.established = True
                return returned
            await self.log_in(returned)
            refusal = self._refusal(returned)
            if refusal is None or not refusal.refused or self._keeps_names:
                return returned
            if asked_s - left_s >= self.deadlines.reply_s:
                self._keeps_names = self.told_no(returned)
                return returned
            returned.close()
            await asyncio.sleep(self.deadlines.reply_s / 4)  # a person's pause before the next attempt
        return returned

    def told_no(self, member: Member) -> bool:
        """Whether the server answered this one's login with a word of refusal, and not by an end alone."""
        refusal = self._refusal(member)
        return refusal is not None and refusal.refused and bool(refusal.got.strip())

    def _refusal(self, member: Member) -> JoinFailed | None:
        return next((r for r in self.log.records if isinstance(r, JoinFailed) and r.conn == member.conn), None)

    async def connect(
        self, who: str, *, line: Line | None = None, role: Role = "faulty", receive_buffer: int | None = None,
        name: str | None = None, visit: int = 1,
    ) -> Member:  # fmt: skip
        """Only connect: no login, no word. Raises NotHere where the server takes no more clients (role `crowd` aside)."""
        if role != "crowd" and self.free_places() < 1:
            if self.profile.max_clients == self._places():
                self.skip(f"this server takes {self.profile.max_clients} clients; more are needed here")
            self.skip(f"--max-clients allows {self._places()} clients; more are needed here")
        identity = Identity(who, name or self.name_for(who), visit, role, "proxy" if line else "direct")
        member = Member(len(self.log.members) + 1, identity, self.profile, self.log)
        self.log.members.append(member)
        address = line.address if line else self.stage.address
        try:
            member.wire = await Wire.open(
                address, member.bytes_came, member.connection_ended,
                deadline_s=self.deadlines.connect_s, receive_buffer=receive_buffer,
            )  # fmt: skip
        except (OSError, TimeoutError) as error:
            member.ended = "error"
            self.log.add(
                OpenFailed(at_s=self.log.now(), who=who, error=name_of(error), way=identity.way, role=identity.role)
            )
            return member
        self.log.add(
            Opened(
                at_s=self.log.now(), conn=member.conn, who=who, name=member.name, way=identity.way, role=identity.role,
                local_port=member.wire.local_port, visit=visit,
            )
        )  # fmt: skip
        return member

    def free_places(self) -> int:
        """How many more clients this server takes, and the user allows.

        Who vanished without a word keeps a place: the server cannot know.
        """
        here = sum(not member.gone or member.left == "silent" for member in self.log.members)
        return self._places() - here

    def _places(self) -> int:
        return min(self.profile.max_clients or self.setting.max_clients, self.setting.max_clients)

    async def log_in(self, member: Member) -> bool:
        """Walk one that is connected through the login, and let it be heard."""
        if member.gone:
            return False
        wanted = None if self.setting.learning else self.baseline.introduction
        if not await member.log_in(wanted, self.deadlines.join_s):
            return False
        if member.identity.role != "crowd" and member.counted:
            await self.be_heard(member)
        member.established = True
        return member.present

    async def be_heard(self, member: Member) -> bool:
        """The newcomer speaks until the others hear: a login that shows nothing is ordered by this fence."""
        others = [m for m in self.people if m is not member and m.established]
        if not others:
            if self.profile.speak_first:
                await member.say("hello", kind="fence")
            return True
        asked, tokens = self.log.now(), set[str]()
        deadline = self.log.reply_s()

        def heard() -> bool:
            return member.gone or all(m.gone or tokens & m.inbox.tokens for m in others)

        for attempt in range(HELLOS):
            tokens.add(await member.say("hello", kind="fence"))
            last = attempt == HELLOS - 1
            if await (
                self.log.wait("reply", heard, deadline) if last else self.log.patience.until(heard, deadline / 4)
            ):
                break
        came = heard() and not member.gone
        self.log.add(
            Awaited(
                at_s=self.log.now(), what="hello", asked_at_s=asked, came=came, deadline_s=deadline, conn=member.conn
            )
        )
        return came

    def name_for(self, who: str) -> str:
        """The name on the wire: letters only, never used twice for two people."""
        letters = "".join(c for c in who.lower() if c.isascii() and c.isalpha()) or "x"
        name = letters + "abcdefghijklmnopqrstuvwxyz"[self._round % 26] * (self._round > 0)
        used = self.setting.visits
        used[name] = used.get(name, 0) + 1
        if used[name] > 1:
            name += "abcdefghijklmnopqrstuvwxyz"[(used[name] - 2) % 26] + "z" * ((used[name] - 2) // 26)
        longest = self.profile.names.max
        return name[-longest:] if longest and len(name) > longest else name

    async def line(self, name: str = "line") -> Line:
        """A way through the Toxiproxy. Raises NotHere when the scenario was not declared with `proxy=True`."""
        if name not in self.lines:
            if self.setting.toxiproxy is None:
                self.skip("there is no Toxiproxy in this scenario")
            assert self.setting.toxiproxy is not None
            host, port = self.stage.address
            upstream = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            proxy = await asyncio.to_thread(self.setting.toxiproxy.create, name, upstream)
            self.lines[name] = Line(proxy, self.log)
            self.setting.watch_port(int(proxy.address[1]))
        return self.lines[name]

    # -- talking -------------------------------------------------------------------------------------------------

    async def talk(self, *speakers: Member, rounds: int = 1, words: str = "") -> bool:
        """Each speaks once a round; everybody must hear everybody. False when somebody did not in time."""
        heard = True
        for _ in range(rounds):
            for member in speakers or tuple(self.people):
                if member.present:
                    await member.say(words or self.words())
            heard = await self.log.settled() and heard
        return heard

    def words(self) -> str:
        """A few plain words, never the same twice."""
        self._said += 1
        return f"message {self._said}"

    @contextlib.asynccontextmanager
    async def chatting(self, *speakers: Member, pause_s: float | None = None) -> AsyncIterator[None]:
        """Meanwhile these talk in turn; at the end it is waited until all of it was heard."""
        task = asyncio.create_task(self._chatter(speakers, pause_s or max(0.04, 4 * self.deadlines.quiet_rtt_s)))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.log.settled()

    async def _chatter(self, speakers: Sequence[Member], pause_s: float) -> None:
        for turn in range(MOST_CHATTER):
            member = speakers[turn % len(speakers)]
            if member.present:
                await member.say(self.words())
            await asyncio.sleep(pause_s)  # the pace of the talk, not a wait for anything

    async def settled(self, but: str | None = None) -> bool:
        """Wait until all that was said has been heard, but for the message with this token."""
        return await self.log.settled(but=but)

    async def reaches(self, member: Member, tokens: Iterable[str], deadline_s: float) -> bool:
        """Wait until one of these tokens has reached a member; False at the deadline, or when it is gone."""
        wanted = set(tokens)
        await self.log.patience.until(lambda: member.gone or bool(wanted & member.inbox.tokens), deadline_s)
        return bool(wanted & member.inbox.tokens)

    async def until(self, condition: Callable[[], bool], deadline_s: float | None = None) -> bool:
        """Wait for a condition that an event in the room makes true."""
        return await self.log.patience.until(condition, deadline_s or self.deadlines.reply_s)

    async def pause(self, seconds: float) -> None:
        """Let time pass that is itself the scenario's subject (a drip, a dead time): never a wait for an event."""
        await asyncio.sleep(seconds)

    # -- looking -------------------------------------------------------------------------------------------------

    async def look(self, member: Member, gone: Sequence[str]) -> bool:
        """Ask for the list until none of `gone` stands in it; True then."""
        end = self.log.clock.calm() + self.deadlines.reply_s
        while True:
            answer = await self.ask_list(member)
            clean = answer is not None and not any(stands_in(name, answer) for name in gone)
            final = clean or self.log.clock.calm() >= end or member.gone
            if answer is not None:
                self.log.add(
                    Listed(at_s=self.log.now(), conn=member.conn, answer=answer[:4096], gone=tuple(gone), final=final)
                )
            if final:
                return clean
            await asyncio.sleep(0.05)  # between two looks at a list that changes by itself

    async def ask_list(self, member: Member) -> bytes | None:
        """The answer of the list command, closed by a fence; None when none came."""
        if self.profile.list is None or member.gone:
            return None
        start = len(member.inbox.raw)
        with contextlib.suppress(OSError):
            await member.command(self.profile.list)

        def answered() -> bool:
            return member.gone or stands_in(member.name, bytes(member.inbox.raw[start:]))

        if not await self.until(answered, self.log.reply_s()):
            return None
        other = next((m for m in self.people if m is not member and m.established), None)
        if other is not None:
            token = await other.say("fence", kind="fence")
            await self.until(lambda: member.gone or token in member.inbox.tokens, self.log.reply_s())
        return bytes(member.inbox.raw[start:])

    async def knock(self) -> str:
        """Try a direct connection where nobody may listen: refused, accepted, reset, timeout."""
        outcome = await asyncio.to_thread(knock, self.stage.address, self.deadlines.connect_s)
        self.log.add(Knocked(at_s=self.log.now(), outcome=outcome))
        return outcome

    # -- crowds --------------------------------------------------------------------------------------------------

    async def crowd(
        self, count: int | None = None, *, line: Line | None = None, at_once: bool = False, login: bool = True,
        people: Sequence[Member] = (), beyond: bool = False,
    ) -> list[Member]:  # fmt: skip
        """Many come in, as real clients do: who is not let in tries again. `people`: those who return.

        No more than the server takes, with places for some to come after them; unless `beyond` that limit is the subject.
        """
        count = min(count if count is not None else self.storm, self.setting.max_clients)
        if not beyond:
            count = min(count, max(1, self.free_places() - FOR_OTHERS))
        whose: list[Member | None] = list(people) or [None] * count
        gate = asyncio.Semaphore(len(whose) if at_once else SIDE_BY_SIDE)

        async def one(number: int, old: Member | None) -> Member:
            async with gate:
                return await self._crowd_member(number, old, line, login)

        return list(await asyncio.gather(*(one(number, old) for number, old in enumerate(whose))))

    async def _crowd_member(self, number: int, old: Member | None, line: Line | None, login: bool) -> Member:
        who = old.who if old else f"m{letters(number)}"
        name = old.name if old else self.name_for(who)
        visit = old.identity.visit + 1 if old else 1
        for attempt in range(3):
            member = await self.connect(who, line=line, role="crowd", name=name, visit=visit)
            member.counted = False
            if not login or (not member.gone and await self.log_in(member)):
                return member
            refused = next((r for r in reversed(self.log.records) if isinstance(r, JoinFailed)), None)
            if attempt == 2 or (refused is not None and refused.conn == member.conn and not refused.refused):
                return member
            member.close()
            await asyncio.sleep(0.05 * 2**attempt * (1 + self.random.random()))  # a client's own back-off
        return member

    async def all_of(self, members: Sequence[Member], act: Callable[[Member], Awaitable[object]]) -> None:
        """Do the same with many at the same time."""
        await asyncio.gather(*(act(member) for member in members))

    async def hang_up(self) -> None:
        """Everybody has left: the lines are taken down too, so that no proxy holds a connection for a client."""
        lines, self.lines = list(self.lines.values()), {}
        for line in lines:
            await line.count()
            await line.hang_up()

    async def let_go(self, *members: Member) -> bool:
        """Wait until the server keeps no connection of theirs any more, as far as the kernel can be asked: then they have
        left for the server as well, and who comes now comes after them."""

        def over() -> bool:
            return not self.stage.alive() or not self.stage.holds(*members)

        return await self.log.patience.poll(over, self.deadlines.reply_s)

    async def calm(self) -> None:
        """End of the fault: no toxic is left, the process runs, the lines are open."""
        for line in self.lines.values():
            await line.clear()
            await line.count()
        if self.stage.frozen:
            self.stage.thaw()


def name_of(error: BaseException) -> str:
    """The errno's name, or `timeout`."""
    if isinstance(error, TimeoutError):
        return "timeout"
    number = getattr(error, "errno", None)
    return errno.errorcode.get(number, str(error)) if number else type(error).__name__


def letters(number: int) -> str:
    """A number in letters: aa, ab, …"""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    text = alphabet[number % 26]
    while number := number // 26:
        text = alphabet[number % 26] + text
    return text.rjust(2, "a")


def knock(address: tuple[str, int], deadline_s: float) -> str:
    """One blocking connection attempt, closed at once by RST so that it leaves no TIME_WAIT."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(deadline_s)
        try:
            sock.connect(address)
        except ConnectionRefusedError:
            return "refused"
        except ConnectionResetError:
            return "reset"
        except (TimeoutError, OSError):
            return "timeout"
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return "accepted"
