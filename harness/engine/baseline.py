"""The quiet runs: what this server does when nothing is wrong. What it never did here is not asked of it under faults.

Two fresh servers, so that what differs between them (numbers, times, lists) can be told from what is its habit.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.aftermath import clear, finish, see_off
from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Member
from harness.dialect.masking import lines, mask, stands_in, text_of
from harness.dialect.profile import Profile
from harness.engine import limits
from harness.engine.attribution import template_in_front
from harness.engine.deadlines import deadlines
from harness.engine.grounds import Grounds, of_quiet
from harness.engine.introductions import shown_once
from harness.engine.limits import Pace
from harness.engine.options import Options
from harness.engine.rest import longest_answer_s, unless_at_rest
from harness.engine.until_signal import run_until_signal
from harness.history import Baseline, Heard, Joined, JoinFailed, Noticed, Record, Said
from harness.properties.quoting import quote
from harness.room import Room, Setting
from harness.stage import Plan, Stage
from harness.target import TargetError, sandbox

#: Round trips that are measured.
ROUND_TRIPS = 12
#: Fewer are enough when they have taken so long: (how many, seconds). A server may batch its writes each second.
ENOUGH = ((6, 0.3), (3, 2.0))
#: An introduction is over when nothing has come for so long (or eight times the longest gap seen), in seconds.
QUIET_S = 0.15
#: The others are told of an arrival or a departure in this time, or not at all, in seconds.
NOTICE_S = 0.6
#: Whoever was shown as much as the first one is shown no more once the server has rested for so long, in seconds.
MOMENT_S = 0.05
#: A second client of a name is refused when it is not in after so long, or after eight times what a login took, in seconds.
TWIN_S = 0.4
#: Its first byte may take so long; where the first client was shown nothing, the next ones wait no longer than for its end.
FIRST_S = 0.4
LONGEST_INTRODUCTION_S = 3.0
#: So many messages of one person stand in the transcript.
MOST_TOLD = 20
#: A server that ends when its last client has left does so within this time, in seconds; that it lets all of them go is
#: not waited for longer than the second.
EMPTY_S, LONGEST_EMPTYING_S = 0.3, 1.5
ENDS_WHEN_EMPTY = (
    "the server ends when its last client has left: that is judged where all of them leave, elsewhere one stays"
)


#: Without newlines a welcome is glued to what comes before and after it, by other threads too: its sentences stay whole.
_SENTENCE = re.compile(r"(?<=[.!?])(?=\s|[A-Z{])")


@dataclass(frozen=True)
class Learned:
    """What the quiet runs found, or why they found nothing. `likely`: how it may speak, where that was not confirmed."""

    baseline: Baseline | None = None
    profile: Profile | None = None
    failure: str | None = None
    transcript: str = ""
    address: str | None = None
    isolated: bool = False
    start_error: bool = False
    told: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()  # those of it that everybody should read: what the server does not bear
    likely: Profile | None = None
    grounds: Grounds = field(default_factory=dict)
    unheeded: bool = False  # there is a word for leaving, and in no quiet run did it end a connection


@dataclass(frozen=True)
class Quiet:
    """One quiet run's raw findings."""

    intros: tuple[tuple[str, ...], ...]
    rtts: tuple[float, ...]
    login_s: float
    attribution: str | None
    echo: bool
    join_notice: str | None
    leave_notice: str | None
    lists: bool
    whispers: bool
    closes_on_leave: bool
    duplicates: str
    max_message: int
    pace: Pace | None = None
    ends_when_empty: bool = False
    shown_once: tuple[str, ...] = ()  # to the first client of all, and to nobody after it


class Silent(Exception):
    """Two clients could not hear each other."""


def learn(options: Options, profile: Profile) -> Learned:
    """Two quiet runs. To be called in a forked worker."""
    isolated = sandbox.enter(namespaces=options.isolates)
    first = Baseline(deadlines([], patience=options.patience), profile.named, profile.must_log_in)
    lesson = Lesson(options, profile, first, isolated)

    async def both() -> str | None:
        await lesson.run()
        return None

    try:
        run_until_signal(both)
    except TargetError as error:
        return Learned(failure=str(error), transcript=error.output, isolated=isolated, start_error=True)
    except Silent as error:
        return Learned(failure=str(error), transcript=lesson.transcript(), isolated=isolated)
    return lesson.learned()


def misled(learned: Learned, options: Options) -> bool:
    """Whether what was found for a word for leaving is none: when it was tried, another word's end was on its way."""
    return learned.unheeded and "leave" not in dict(options.overrides)


class Lesson:
    """The quiet runs of one server."""

    def __init__(self, options: Options, profile: Profile, baseline: Baseline, isolated: bool) -> None:
        self.options = options
        self.profile = profile
        self.baseline = baseline
        self.isolated = isolated
        self.quiet: list[Quiet] = []
        self.records: list[Record] = []
        self.members: list[Member] = []
        self.address: str | None = None

    async def run(self) -> None:
        """Both runs (one for a remote server, which stays as it is), side by side unless they would want the same port."""
        casts = [("ana", "bia", "caio"), ("dora", "elis", "fred")]
        if self.options.spec.kind == "remote" or self.options.spec.fixed_port or self.options.held_port is not None:
            for cast in casts[: 1 if self.options.spec.kind == "remote" else 2]:
                if self.quiet and self.isolated:
                    sandbox.renew_network()  # the first server's ended connections may still hold its port
                self.quiet.append(await self._one(cast))
            return
        runs = [asyncio.create_task(self._one(cast)) for cast in casts]
        try:
            self.quiet += await asyncio.gather(*runs)
        finally:
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)

    async def _one(self, cast: Sequence[str]) -> Quiet:
        clock = Clock()
        stage: Stage | None = None
        log = Log(clock, lambda: stage.processor() if stage else None)
        log.reply_deadline_s = 3 * self.baseline.deadlines.reply_s
        stage = Stage(
            Plan(self.options.spec, self.baseline.deadlines, wait_s=self.options.wait_s, isolated=self.isolated), log
        )
        setting = Setting(self.profile, self.baseline, max_clients=self.options.max_clients, learning=True)
        room = Room(setting, stage, log, clock)
        clock.start()
        try:
            await stage.start()
            self.address = "{}:{}".format(*stage.address)
            run = QuietRun(room, stage, log, self.profile)
            if self.quiet:
                run.looks_for_pace = False
                log.pace_s = pace_of(self.quiet)
            quiet = await run.go(cast)
            ends = not stage.remote and await run.ends_when_empty()
            once = () if stage.remote or ends else await run.shown_once()
            return replace(quiet, ends_when_empty=ends, shown_once=once)
        except Silent:
            self.records, self.members = log.records, log.members
            raise
        finally:
            await clear(room)
            await stage.end()
            await clock.stop()

    def transcript(self) -> str:
        """What was sent and what came back, safe to read."""
        told = []
        for member in self.members:
            said = [r for r in self.records if isinstance(r, Said) and r.conn == member.conn]
            told += [
                f"{member.who} -> {quote(self.profile.speak(record.text.decode(), member.name))}"
                for record in said[:MOST_TOLD]
            ]
            told.append(f"{member.who} <- {quote(bytes(member.inbox.raw), 400) or 'nothing'}")
        told += [
            f"connection {record.conn}: {record.why}; it was shown {quote(record.got) or 'nothing'}"
            for record in self.records
            if isinstance(record, JoinFailed)
        ]
        return "\n".join(told)

    def learned(self) -> Learned:
        """Both runs together: only what both showed is a habit."""
        first, last = self.quiet[0], self.quiet[-1]
        rtts = [r for q in self.quiet for r in q.rtts]
        intros = [intro for q in self.quiet for intro in q.intros]
        once = [part for part in first.shown_once if len(self.quiet) > 1 and part in last.shown_once]
        stable = tuple(
            part for part in intros[0] if part in once or all(any(part in one for one in intro) for intro in intros[1:])
        )
        if self.profile.framing_name("receive") == "chunk":
            stable = tuple(piece.strip() for part in stable for piece in _SENTENCE.split(part) if piece.strip())
        baseline = replace(
            self.baseline,
            deadlines=deadlines(rtts, max(q.login_s for q in self.quiet), self.options.patience),
            greeted=(all(intros) and bool(intros)) or bool(once),
            introduction=stable,
            attribution=first.attribution if first.attribution == last.attribution else None,
            echo=first.echo,
            join_notice=first.join_notice if first.join_notice == last.join_notice else None,
            leave_notice=first.leave_notice if first.leave_notice == last.leave_notice else None,
            lists=first.lists and last.lists,
            whispers=first.whispers and last.whispers,
            closes_on_leave=first.closes_on_leave and last.closes_on_leave,
            duplicates=self.profile.duplicates or first.duplicates,
            parsed=self.profile.parsed,
            lines=self.profile.bordered,
            shown_lines=self.profile.shows_ends,
            commanded=self.profile.commanded,
            idle_s=self.profile.idle,
            resumes=self.profile.resume is not None,
            remote=self.options.spec.kind == "remote",
            ends_when_empty=any(q.ends_when_empty for q in self.quiet),
            pace_s=pace_of(self.quiet) or None,
        )
        longest = self.profile.max_message or min(q.max_message for q in self.quiet)
        profile = self.profile.model_copy(update={"max_message": longest})
        return Learned(
            baseline, profile, address=self.address, isolated=self.isolated, told=told(baseline, profile, first.pace),
            limits=respected(profile, first.pace), grounds=of_quiet(len(self.quiet), named=baseline.named),
            unheeded=self.profile.leave is not None and not any(q.closes_on_leave for q in self.quiet),
        )  # fmt: skip


def pace_of(quiet: Sequence[Quiet]) -> float:
    """What one client leaves between two messages, in seconds; 0 where it may speak as fast as it likes."""
    return max((q.pace.gap_s for q in quiet if q.pace is not None), default=0.0)


def told(baseline: Baseline, profile: Profile, pace: Pace | None = None) -> tuple[str, ...]:
    """What was learned, in plain words."""
    words = [f"dialect {profile.name}: messages are {profile.framing_name('send')}s"]
    words.append(f"a quiet round trip takes {baseline.deadlines.quiet_rtt_s * 1000:.1f} ms")
    if baseline.greeted:
        words.append(f"newcomers are shown: {quote(' / '.join(baseline.introduction), 200)}")
    if baseline.attribution:
        words.append(f"messages look like: {quote(baseline.attribution)}…")
    for what, template in (("arrival", baseline.join_notice), ("departure", baseline.leave_notice)):
        if template:
            words.append(
                f"an {what} is told: {quote(template)}" if what == "arrival" else f"a {what} is told: {quote(template)}"
            )
    if baseline.ends_when_empty:
        words.append(ENDS_WHEN_EMPTY)
    words += respected(profile, pace)
    words.append(f"a name that is taken is {baseline.duplicates}" if baseline.named else "there are no names")
    return tuple(words)


def respected(profile: Profile, pace: Pace | None) -> tuple[str, ...]:
    """Limits that are narrow enough to be felt: what scenarios that are not about them keep to."""
    words = []
    if profile.max_message is not None and profile.max_message < limits.USUAL:
        words.append(f"the longest message that it takes has {profile.max_message} bytes: nobody says more")
    if pace is not None:
        words.append(
            f"one client may say {pace.at_once} things at once, then one each {pace.gap_s} s ({pace.met}): nobody speaks faster"
        )
    return tuple(words)


def _names_any(names: Sequence[str], unit: bytes) -> bool:
    return any(stands_in(name, unit) for name in names)


class QuietRun:
    """One quiet run: three people come, talk, ask, and leave."""

    def __init__(self, room: Room, stage: Stage, log: Log, profile: Profile) -> None:
        self.room = room
        self.stage = stage
        self.log = log
        self.profile = profile
        self.intros: list[tuple[str, ...]] = []
        self.greeting: tuple[str, ...] | None = None  # what the first of all was shown before it said anything
        self.looks_for_pace = True
        self._welcomed: int | None = None  # so many parts had the first one's introduction after its login

    async def go(self, cast: Sequence[str]) -> Quiet:
        """Raises Silent when two of them cannot hear each other."""
        ana, bia = await self._come(cast[0]), await self._come(cast[1])
        await self._can_talk(ana, bia)
        if self.room.free_places() < 1:
            await self._pace(bia)
            return await self._of_two(ana, bia, await self._round_trips(ana, bia))
        before = self.log.now()
        caio = await self._come(cast[2])  # before anybody has left: a faulty server greets otherwise from then on
        noticed = self._notice(caio, (ana, bia), before)
        join_notice, pace = await asyncio.gather(noticed, self._pace(bia))  # waiting takes nobody's time
        rtts = await self._round_trips(ana, bia)
        await self.room.talk(ana, bia, caio)
        lists = await self._lists(ana, bia)
        whispers = await self._whispers(ana, bia, caio)
        before = self.log.now()
        closes = await caio.leave()
        noticed = self._notice(caio, (ana, bia), before)
        leave_notice, (longest, duplicates) = await asyncio.gather(noticed, self._longest_and_twins(ana, bia))
        joins = [r for r in self.log.records if isinstance(r, Joined)]
        return Quiet(
            tuple(self.intros), rtts, max(j.at_s - j.asked_at_s for j in joins), self._attribution(ana, bia),
            any(isinstance(r, Heard) and r.conn == r_conn for r, r_conn in self._own_heard()), join_notice, leave_notice,
            lists, whispers, closes, duplicates, longest, pace,
        )  # fmt: skip

    async def _longest_and_twins(self, ana: Member, bia: Member) -> tuple[int, str]:
        longest = self.profile.max_message or await limits.longest_message(self.room, bia)
        return longest, await self._duplicates(ana, bia)

    async def ends_when_empty(self) -> bool:
        """Everybody leaves; whether the process then ends."""
        for member in self.log.members:
            if member.left is None and member.wire:
                member.close()
        empty_since: float | None = None

        def over() -> bool:
            nonlocal empty_since
            if not self.stage.alive():
                return True
            if self.stage.holds(*self.log.members):
                empty_since = None
            elif empty_since is None:
                empty_since = self.log.now()
            return empty_since is not None and self.log.now() - empty_since > EMPTY_S

        await self.log.patience.poll(over, LONGEST_EMPTYING_S)
        return not self.stage.alive()

    async def shown_once(self) -> tuple[str, ...]:
        """What only the first of all was greeted with: one more comes, to a server that everybody has left.

        Whoever has come in may be told otherwise: the first one may be whom a room belongs to.
        """
        first, *later = self.intros
        if not shown_once(first, later):
            return ()
        ever = [lines(bytes(member.inbox.raw), (member.name,)) for member in self.log.members[1:]]
        try:
            await self._come("gina")
        except (Silent, OSError):
            return ()
        return tuple(part for part in shown_once(first, self.intros[1:], ever) if part in (self.greeting or ()))

    async def _of_two(self, ana: Member, bia: Member, rtts: tuple[float, ...]) -> Quiet:
        """A server that takes two clients: what a third would show is not asked of it."""
        before = self.log.now()
        lists, closes = await self._lists(ana, bia), await bia.leave()
        leave_notice = await self._notice(bia, (ana,), before)
        joins = [r for r in self.log.records if isinstance(r, Joined)]
        return Quiet(
            tuple(self.intros), rtts, max(j.at_s - j.asked_at_s for j in joins), self._attribution(ana, bia),
            any(isinstance(r, Heard) and r.conn == r_conn for r, r_conn in self._own_heard()), None, leave_notice,
            lists, False, closes, "unknown", self.profile.max_message or limits.UNTRIED,
        )  # fmt: skip

    def _own_heard(self) -> list[tuple[Heard, int]]:
        senders = {r.token: r.conn for r in self.log.records if isinstance(r, Said)}
        return [(r, senders.get(r.token, -1)) for r in self.log.records if isinstance(r, Heard)]

    async def _come(self, who: str) -> Member:
        member = await self.room.connect(who, role="bystander")
        first_s = QUIET_S if self.intros and not self.intros[0] else FIRST_S
        if not member.gone:
            await self._shown(member, first_s, None if self.greeting is None else len(self.greeting))
            member.inbox.mark = 0
        if self.greeting is None:
            self.greeting = lines(bytes(member.inbox.raw), (member.name,))
        joined = not member.gone and await member.log_in(None, self.room.deadlines.join_s)
        if not joined:
            raise Silent(f"{who} could not log in")
        if self.profile.login:
            await self._shown(member, first_s, self._welcomed)
        raw, mark = bytes(member.inbox.raw), member.inbox.mark
        # what it said before it was answered, and what after: between the two others may be heard
        before, after = lines(raw[:mark], (member.name,)), lines(raw[mark:], (member.name,))
        self.intros.append(before + after)
        self._welcomed = len(after) if self._welcomed is None else self._welcomed
        member.token = member.inbox.find(self.profile.resume.token) if self.profile.resume else None
        await self.room.be_heard(member)
        member.established = True
        return member

    async def _shown(self, member: Member, first_s: float, parts: int | None) -> None:
        """Read until this part of the introduction is over: it has grown quiet, or is as long as the first one's (`parts`)
        and the server rests."""

        def as_many() -> bool:
            return len(lines(bytes(member.inbox.raw[member.inbox.mark :]), (member.name,))) >= (parts or 0)

        reading = self._until_quiet(member, first_s)
        if parts is None:
            await reading
        else:
            await unless_at_rest(reading, self.stage, self.log, least_s=MOMENT_S, ready=as_many)

    async def _until_quiet(self, member: Member, first_s: float = FIRST_S) -> None:
        """Read until nothing has come for a while; for the first greeting `first_s` is waited."""
        quiet, end, first = QUIET_S, self.log.now() + LONGEST_INTRODUCTION_S, member.inbox.total == 0
        last, since = member.inbox.total, self.log.now()
        while self.log.now() < end and not member.gone:
            patience = first_s if first and member.inbox.total == 0 else quiet
            await self.log.pulse.next(patience)
            now = self.log.now()
            if member.inbox.total != last:
                quiet = max(quiet, min(1.0, 8 * (now - since))) if last else quiet
                last, since = member.inbox.total, now
            elif now - since >= patience * 0.95:
                return

    async def _can_talk(self, ana: Member, bia: Member) -> None:
        """Both ways, tried again until the patience is over."""
        for one, other in ((ana, bia), (bia, ana), (ana, bia)):
            tokens: set[str] = set()
            for _ in range(3):
                tokens.add(await one.say(self.room.words(), kind="fence"))
                if await self.room.reaches(other, tokens, self.log.reply_deadline_s / 2):
                    break
            else:
                raise Silent(f"{other.who} never heard what {one.who} said")

    async def _pace(self, listener: Member) -> Pace | None:
        """How fast one may speak; from now on nobody speaks faster. Looked for once: it takes its time."""
        if not self.looks_for_pace:
            return None
        found = await limits.pace(self.room, listener)
        self.log.pace_s = found.gap_s if found else 0.0
        return found

    async def _round_trips(self, ana: Member, bia: Member) -> tuple[float, ...]:
        times, first_s = list[float](), self.log.now()
        for _ in range(ROUND_TRIPS):
            if any(len(times) >= count and self.log.now() - first_s > long_s for count, long_s in ENOUGH):
                break
            began = self.log.now()
            token = await ana.say(self.room.words(), kind="fence")
            if await self.room.reaches(bia, (token,), self.log.reply_deadline_s):
                times.append(self.log.now() - began)
        if not times:
            raise Silent(f"{bia.who} heard {ana.who} once and never again")
        return (statistics.median(times), max(times))

    async def _notice(self, about: Member, who: Sequence[Member], since_s: float) -> str | None:
        """The template of what the others were told about one of them, if they were told anything.

        Words that name one of those who come meanwhile to try the limits are about them. A message with nothing in it, in
        the name of one who is gone, tells nobody anything.
        """
        near, front = {m.conn for m in who}, (self._attribution(*who) or "").strip()

        def empty(unit: bytes) -> bool:
            return bool(front) and mask(text_of(unit), (about.name,)).strip() == front

        def found() -> bytes | None:
            passing = [m.name for m in self.log.members if not m.counted]
            units = (
                r.unit for r in self.log.records if isinstance(r, Noticed) and r.at_s >= since_s and r.conn in near
            )
            return next(
                (u for u in units if stands_in(about.name, u) and not _names_any(passing, u) and not empty(u)), None
            )

        told = self.room.until(lambda: found() is not None, NOTICE_S)
        await unless_at_rest(
            told, self.stage, self.log, least_s=max(QUIET_S, 2 * longest_answer_s(self.log.records)),
            ready=lambda: not about.gone or not self.stage.holds(about),
        )  # fmt: skip
        unit = found()
        return mask(text_of(unit), (about.name,)) if unit is not None else None

    async def _lists(self, ana: Member, bia: Member) -> bool:
        answer = await self.room.ask_list(ana)
        return answer is not None and stands_in(bia.name, answer)

    async def _whispers(self, ana: Member, bia: Member, caio: Member) -> bool:
        token = await ana.whisper(bia, "between us")
        return bool(token) and await self.room.until(lambda: token in bia.inbox.tokens, self.room.deadlines.reply_s)

    async def _duplicates(self, ana: Member, bia: Member) -> str:
        """What a second client of the same name meets."""
        if not self.profile.named or self.room.free_places() < 1:
            return "unknown"
        twin = await self.room.connect("bia", role="faulty", name=bia.name)
        twin.counted = False
        logins = [r.at_s - r.asked_at_s for r in self.log.records if isinstance(r, Joined)]
        longest_s = min(1.0, self.room.deadlines.join_s, max(TWIN_S, 8 * max(logins)))
        entering = unless_at_rest(
            twin.log_in(None, longest_s), self.stage, self.log,
            least_s=max(QUIET_S, 2 * longest_answer_s(self.log.records)),
        )  # fmt: skip
        if twin.gone or not await entering:
            await finish(self.room, twin)
            return "refused"
        await self._until_quiet(twin)
        twin.established = True
        token = ""
        with contextlib.suppress(OSError):
            token = await twin.say("who am I")
        heard = await self.room.until(lambda: token in ana.inbox.tokens or twin.gone, self.room.deadlines.reply_s)
        verdict = self._verdict(twin, bia, token, heard)
        await see_off(self.room, twin)
        return verdict

    def _verdict(self, twin: Member, bia: Member, token: str, heard: bool) -> str:
        if bia.ended is not None:
            return "replaces"
        if twin.ended is not None or not heard:
            return "refused"
        unit = next((r.unit for r in self.log.records if isinstance(r, Heard) and r.token == token), b"")
        template = self._attribution(bia, bia) if unit else None
        shown = mask(text_of(unit).split(token)[0], (bia.name,))
        return "accepted" if template is None or "{name}" in shown else "refused"

    def _attribution(self, *who: Member) -> str | None:
        """What stands before the words, with the name masked: the same for each of them, or nothing."""
        if self.profile.attributes == "client":
            return None
        names = {member.conn: member.name for member in self.log.members}
        return template_in_front(self.log.records, names, [member.conn for member in who])
