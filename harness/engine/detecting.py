"""Finding out how a server speaks, by talking to fresh instances of it: the driver of `harness.dialect.hypotheses`.

Each hypothesis is a whole profile. It is believed only when two clients who follow it hear each other's tokens both
ways, with a third as witness. A wrong guess costs a fresh instance, never a trace.
"""

from __future__ import annotations

from dataclasses import replace

from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Member
from harness.dialect.hypotheses import Greeting, classify, features, hypotheses
from harness.dialect.masking import text_of
from harness.dialect.profile import Profile
from harness.engine.baseline import Learned
from harness.engine.deadlines import deadlines
from harness.engine.options import Options
from harness.engine.play import run_until_signal
from harness.history import Baseline
from harness.properties.quoting import quote
from harness.room import Room, Setting
from harness.stage import Plan, Stage
from harness.target import TargetError, sandbox

#: How long the first greeting may take before the server is believed to be silent, in seconds.
GREETING_S = 0.6
#: How long a trial waits for a token, in seconds (calm time).
TRIAL_S = 0.7


def detect(options: Options) -> Learned:
    """The profile that lets people talk, or why none was found. To be called in a forked worker."""
    isolated = sandbox.enter(namespaces=options.namespaces and options.spec.kind != "remote")
    search = Search(options, isolated)

    async def all_of_it() -> str | None:
        return await search.run()

    try:
        failure = run_until_signal(all_of_it)
    except TargetError as error:
        return Learned(failure=str(error), transcript=error.output, start_error=True)
    return Learned(profile=search.found, failure=failure, transcript="\n".join(search.transcript[-60:]))


class Search:
    """One search: a greeting, then hypothesis after hypothesis, each on a server of its own."""

    def __init__(self, options: Options, isolated: bool) -> None:
        self.options = options
        self.isolated = isolated
        self.transcript: list[str] = []
        self.found: Profile | None = None
        self.shown = ""
        limits = replace(deadlines([], patience=options.patience), join_s=1.2 * options.patience)
        self.baseline = Baseline(limits, named=False, login=False)

    async def run(self) -> str | None:
        """Set `found`, or give the reason why nothing was found."""
        greeting = await self._listen()
        self.transcript.append(f"on connecting: {quote(greeting.first) or 'nothing'}")
        for profile in hypotheses(greeting):
            if await self._trial(profile):
                self.found = features(await self._borders(profile), greeting.text + self.shown)
                return None
        return (
            "could not find out how this server speaks: two clients never heard each other's words. Declare [dialect] in "
            "harness.toml (framing, login), see docs/dialects.md"
        )

    async def _listen(self) -> Greeting:
        """What the server says by itself to the first and to the second who connect."""
        shown: list[bytes] = []

        async def act(room: Room) -> bool:
            first = await room.connect("ana")
            await self._quiet(room, first)
            second = await room.connect("bia")
            await self._quiet(room, second)
            shown.extend((bytes(first.inbox.raw), bytes(second.inbox.raw)))
            return True

        await self._with_server(Profile(), act)
        return classify(*shown)

    async def _quiet(self, room: Room, member: Member) -> None:
        await room.until(lambda: member.inbox.total > 0 or member.gone, GREETING_S)
        seen = -1
        while member.inbox.total != seen and not member.gone:
            seen = member.inbox.total
            await room.until(lambda s=seen: member.inbox.total != s, 0.15)  # type: ignore[misc]

    async def _trial(self, profile: Profile) -> bool:
        """Whether three who follow this profile hear one another, and nobody hears a login as a message."""

        async def act(room: Room) -> bool:
            members = [await room.connect(who) for who in ("ana", "bia", "caio")]
            for member in members:
                if member.gone or not await member.log_in((), room.deadlines.join_s):
                    return False
                await room.log.read_by_server(member)
                member.established = True
            for one in members:
                if not await self._heard_by_all(room, one, members):
                    return False
            self.shown = "\n".join(text_of(bytes(m.inbox.raw)) for m in members)
            return not login_overheard(profile, members)

        heard = await self._with_server(profile, act)
        self.transcript.append(f"tried {profile.name}: {'they hear each other' if heard else 'nobody heard anybody'}")
        return heard

    async def _heard_by_all(self, room: Room, one: Member, members: list[Member]) -> bool:
        """Said up to three times: many servers list a client only after its first message."""
        tokens: set[str] = set()
        others = [m for m in members if m is not one]
        for _ in range(3):
            tokens.add(await one.say(room.words(), kind="fence"))
            if await room.until(lambda: all(tokens & m.inbox.tokens for m in others), TRIAL_S * self.options.patience):
                return True
        return False

    async def _borders(self, profile: Profile) -> Profile:
        """Whether a server that was spoken to in lines really looks for their ends.

        One that relays half a line at once takes each read for a message: chunks; unless it cuts two lines that came
        in one segment apart, then it means lines (and gets half of them wrong).
        """
        if profile.framing_name("send") != "line" or profile.attributes == "client":
            return profile
        seen: dict[str, bytes] = {}

        async def act(room: Room) -> bool:
            ana, bia = [await room.connect(who) for who in ("ana", "bia")]
            for member in (ana, bia):
                await member.log_in((), room.deadlines.join_s)
                await room.log.read_by_server(member)
                member.established = True
                await self._heard_by_all(room, member, [ana, bia])
            (one, first), (two, second) = ana.compose("first"), ana.compose("second")
            await ana.utter([one, two], first + second)
            await room.until(lambda: {one.token, two.token} <= bia.inbox.tokens, TRIAL_S)
            half, data = ana.compose("half a line")
            start = len(bia.inbox.raw)
            await ana.utter([half], data.rstrip(b"\r\n"))
            await room.until(lambda: half.token.encode() in bytes(bia.inbox.raw[start:]), TRIAL_S / 2)
            seen["half"] = bytes(bia.inbox.raw[start:]) if half.token.encode() in bytes(bia.inbox.raw[start:]) else b""
            seen["apart"] = b"" if joined(bytes(bia.inbox.raw), one.text, two.text) else b"apart"
            return True

        await self._with_server(profile, act)
        if not seen.get("half") or seen.get("apart"):
            return profile
        receive = "line" if seen["half"].endswith(b"\n") else "chunk"
        self.transcript.append(
            "half a line is relayed at once, and two lines as one: messages are what one read brings"
        )
        update = {"framing": {"send": "chunk", "receive": receive}, "pause": 0.05, "name": f"{profile.name}, chunks"}
        return profile.model_copy(update=update)

    async def _with_server(self, profile: Profile, act: object) -> bool:
        clock = Clock()
        stage: Stage | None = None
        log = Log(clock, lambda: stage.starved_s() if stage else None)
        stage = Stage(
            Plan(self.options.spec, self.baseline.deadlines, wait_s=self.options.wait_s, isolated=self.isolated), log
        )
        room = Room(Setting(profile, self.baseline, visits=self._names()), stage, log, clock)
        clock.start()
        try:
            await stage.start()
            return bool(await act(room))  # type: ignore[operator]
        finally:
            for member in log.members:
                if member.wire:
                    member.wire.reset()
                if not member.joined and member.inbox.total and profile.login:
                    self.transcript.append(f"  {member.who} was shown {quote(bytes(member.inbox.raw), 120)}")
            await stage.end()
            await clock.stop()

    def _names(self) -> dict[str, int]:
        """With a remote server no name is used twice."""
        if self.options.spec.kind != "remote":
            return {}
        return {who: len(self.transcript) for who in ("ana", "bia", "caio")}


def login_overheard(profile: Profile, members: list[Member]) -> bool:
    """Whether the answer to a login was relayed as a message: then it was none."""
    if not profile.login or not members[0].inbox.raw:
        return False
    first = text_of(bytes(members[0].inbox.raw))
    return any(line.strip() == members[1].name for line in first.splitlines())


def joined(raw: bytes, first: bytes, second: bytes) -> bool:
    """Whether two messages that were sent in one segment came out as one: nothing but a newline between them."""
    start, end = raw.find(first), raw.find(second)
    return start < 0 or end < 0 or raw[start + len(first) : end].strip(b"\r\n") == b""
