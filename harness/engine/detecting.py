"""Finding out how a server speaks, by talking to fresh instances of it.

A conversation with a guess (or none) gives a reading; a reading gives profiles; a profile is believed when three new
clients on a new instance follow it and hear each other. A wrong guess costs an instance, never a trace. With somebody
else's server only the polite part of it is done: listen, answer, speak.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from harness.dialect.hints import Hints, read
from harness.dialect.hypotheses import commands
from harness.dialect.irc import IRC, sounds_like_irc, wants_a_password
from harness.dialect.masking import fold, text_of
from harness.dialect.profile import LoginStep, Profile
from harness.dialect.unspoken import Signs, foreign, reason_of
from harness.engine.baseline import Learned
from harness.engine.confirming import Confirmation, Confirmed
from harness.engine.conversation import (
    NAMINGS,
    PATIENT_GREETING_S,
    Conversation,
    Guess,
    PasswordAsked,
    Reading,
    Step,
    screened,
    stable_words,
)
from harness.engine.guests import House
from harness.engine.options import Options
from harness.engine.play import run_until_signal
from harness.target import RemoteServer, TargetError, sandbox, sources

#: The whole search takes no longer, in seconds; a conversation that has begun is not broken off.
LONGEST_SEARCH_S = 45.0
#: A chunk server reads two quick sends as one: so far apart must they be, in seconds.
CHUNK_PAUSE_S = 0.05
#: Lines of the transcript that are kept.
MOST_TRANSCRIPT = 80


@dataclass
class Search:
    """One search: conversation after conversation, each on a server of its own."""

    options: Options
    isolated: bool
    hints: Hints = field(default_factory=Hints)
    transcript: list[str] = field(default_factory=list)
    found: Profile | None = None
    unknown: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    proof: list[str] = field(default_factory=list)
    clients: int = 0
    late: bool = False
    spare: Confirmed | None = None
    _irc_tried: bool = False
    _houses: int = 0
    _began: float = field(default_factory=time.monotonic)

    async def run(self) -> str | None:
        """Set `found`, or give the reason why nothing was found."""
        if self.polite:
            self._houses = random.SystemRandom().randrange(1, 26)
        queue = [Guess("whatever it asks for")]
        seen: set[tuple[object, ...]] = set()
        rejected: set[str] = set()
        usual = False
        try:
            while queue and time.monotonic() - self._began < LONGEST_SEARCH_S:
                guess = queue.pop(0)
                if guess.key in seen:
                    continue
                seen.add(guess.key)
                reading = await self._converse(guess)
                if foreign(reading.greeting) or foreign(b"".join(reading.replies)):
                    break
                reading = await self._with_a_name(reading)
                for profile in profiles(reading):
                    key = profile.model_copy(update={"name": ""}).model_dump_json()
                    if key not in rejected and await self._confirm(profile, reading):
                        return None
                    rejected.add(key)
                if await self._is_irc(reading):
                    return None
                first = len(self.readings) == 1
                queue = [*self._next(reading, first=first), *queue]
                if self.late:
                    self.late, queue = (
                        False,
                        [replace(guess, why="what it asks for, late", greeting_s=PATIENT_GREETING_S)],
                    )
                elif self.spare is not None and self.spare.profile is not None:
                    self._believe(self.spare)
                    return None
                if not queue and not usual and await self._is_irc(None):
                    return None
                if not queue and not usual:
                    queue, usual = await self._usual(self.readings[0]), True
        except PasswordAsked as asked:
            return f"the server asks for a password ({asked}): declare the login in [dialect] of harness.toml"
        if self.polite and not await self._is_there():
            return "the server accepts no connection any more: it ended while it was talked to"
        return reason_of([r.greeting for r in self.readings], [r.text for r in self.readings], self._signs())

    async def _is_there(self) -> bool:
        """Whether somebody else's server can still be reached."""
        try:
            await RemoteServer(self.options.spec).wait_until_listening(0.0)
        except TargetError:
            return False
        return True

    def _signs(self) -> Signs:
        readings = self.readings
        return Signs(
            not_accepted=bool(readings) and all(r.not_accepted for r in readings),
            one_way=any(r.one_way for r in readings),
            died=next((r.died for r in readings if r.died), None),
            ended=bool(readings) and all(r.ended for r in readings),
        )

    async def _is_irc(self, reading: Reading | None) -> bool:
        """Whether it speaks IRC: tried once, when its words or its source look like it, or (None) when nothing does.

        A server that said anything at all in another manner is not asked. Raises PasswordAsked.
        """
        said = [text for r in self.readings for text in (r.greeting, *r.replies)]
        if reading is None:
            likely = not any(text.strip() for text in said) and not self.polite
        else:
            likely = any(sounds_like_irc(text) for text in said) or "PRIVMSG" in self.hints.words
        if not likely or self._irc_tried:
            return False
        self._irc_tried = True
        start = len(self.transcript)
        if await self._confirm(IRC, self.readings[0]):
            return True
        if wants_a_password("\n".join(self.transcript[start:]).encode()):
            raise PasswordAsked("464")
        return False

    async def _with_a_name(self, reading: Reading) -> Reading:
        """A server that gives names itself may take one by a command that only its source names."""
        if reading.login or reading.named or self.polite or not reading.works or not reading.before.strip():
            return reading
        for naming in self.hints.namings[:2]:
            other = await self._converse(Guess(f"a name by {naming!r}", (Step(naming, _opening(reading)),)))
            if other.works and other.named:
                return other
        return reading

    @property
    def polite(self) -> bool:
        """Somebody else's server: nothing is tried on it that it did not ask for."""
        return self.options.spec.kind == "remote"

    @asynccontextmanager
    async def _house(self) -> AsyncIterator[House]:
        if self.isolated and self._houses:
            sandbox.renew_network()
        house = House(replace(self.options, knocks=not self.readings), self.isolated, self.transcript, self._houses)
        self._houses += 1
        await house.open()
        try:
            yield house
        finally:
            await house.close()

    async def _converse(self, guess: Guess) -> Reading:
        self.transcript.append(f"--- {guess.why}")
        async with self._house() as house:
            hints = (*self.hints.namings, *self.hints.sayings, *(w for w in self.hints.words if "{room}" in w))
            reading = await Conversation(house, guess, polite=self.polite, hints=hints).hold()
        self.readings.append(reading)
        self.tried.append(f"{guess.why}: {'they hear each other' if reading.works else 'nobody heard anybody'}")
        return reading

    async def _confirm(self, profile: Profile, reading: Reading) -> bool:
        start = len(self.transcript)
        self.transcript.append(f"--- confirming: {profile.name}")
        async with self._house() as house:
            made = Confirmation(house, profile, words=self.hints.words, polite=self.polite)
            confirmed: Confirmed = await made.hold()
        if made.greeting.strip() and not reading.greeting.strip() and reading.guess.greeting_s < PATIENT_GREETING_S:
            self.late, self.spare = True, self.spare or confirmed
            return False
        if confirmed.profile is None:
            self.tried.append(f"{profile.name}: {confirmed.why_not}")
            return False
        self._believe(confirmed)
        self.proof = self.transcript[start : made.proved_at]
        return True

    def _believe(self, confirmed: Confirmed) -> None:
        self.found, self.unknown = confirmed.profile, confirmed.unknown
        limit = self.found.max_clients if self.found else None
        self.clients = min(3, limit or 3)

    def _next(self, reading: Reading, *, first: bool) -> list[Guess]:
        """What to try after this: what the server's answers name, then the usual."""
        if reading.cuts_last and not reading.guess.ended:
            return [replace(reading.guess, why="chunks with a newline", framing="chunk", ended=True)]
        guesses: list[Guess] = []
        said = commands(reading.text)
        namings = [c.template for c in said if c.use == "name"] + list(self.hints.namings)
        if reading.hinted == "chunk" and reading.ended:
            guesses.append(replace(reading.guess, why="chunks without a newline", framing="chunk"))
        sayings = [c.template for c in said if c.use == "say"]
        asked = tuple(reading.steps) if reading.steps else ()
        for naming in dict.fromkeys(namings):
            guesses.append(Guess(f"login by {naming!r}", (Step(naming, _opening(reading)),)))
            guesses += [
                Guess(f"login by {naming!r}, {say!r}", (Step(naming, _opening(reading)),), say) for say in sayings
            ]
        guesses += [Guess(f"speaking by {say!r}", asked, say) for say in sayings if asked]
        if first and not self.polite:
            guesses.append(Guess("the name unasked", (Step("{name}"),)) if reading.asked else Guess("no login", ()))
        return guesses

    async def _usual(self, reading: Reading) -> list[Guess]:
        """The usual commands for a name, those first that were answered otherwise than nonsense is; other oddities."""
        if self.polite:
            return []
        late = [
            Guess("after a long silence", greeting_s=PATIENT_GREETING_S),
            Guess("lines that end in CR LF", framing="line", newline="\r\n"),
        ]
        self.transcript.append("--- the usual commands for a name")
        async with self._house() as house:
            answered, others = await screened(house, NAMINGS)
        guesses = [Guess(f"login by {naming!r}", (Step(naming, _opening(reading)),)) for naming in (*answered, *others)]
        return [*guesses[: len(answered)], *late, *guesses[len(answered) :]]


def _opening(reading: Reading) -> str | None:
    return stable_words([g for g in reading.greetings if g[1]]) if reading.greeting else None


def profiles(reading: Reading) -> list[Profile]:
    """The profiles that this reading speaks for, the likeliest first; none when nobody heard anybody."""
    if not reading.works or reading.framing is None:
        return []
    send = reading.framing
    values: dict[str, object] = {
        "framing": send if send == reading.receive else {"send": send, "receive": reading.receive},
        "say": reading.say,
    }
    if send == "chunk":
        values["pause"] = CHUNK_PAUSE_S
    if reading.guess.newline != "\n":
        values["newline"] = reading.guess.newline
    if not reading.named:
        values |= {"attributes": "client", "say": reading.say.replace("{text}", "{name}: {text}")}
    if reading.ascii:
        values["encoding"] = "ascii"
    values["name"] = _title(reading)
    if reading.login:
        values |= _login(reading)
    found = [Profile.model_validate(values)]
    if send == "chunk":
        ended = found[0].model_copy(update={"newline": "\n"})
        found = [ended] if reading.guess.ended else [*found, ended]
    return found


def _title(reading: Reading) -> str:
    """The archetype in a word or two."""
    if not reading.login:
        return "no login"
    if reading.optional:
        return "given name"
    by_command = [s.send for s in reading.steps if s.send != "{name}" and "{name}" in s.send]
    if by_command:
        return f"login by {by_command[0].replace(' {name}', '').replace('{name}', '')}"
    if reading.asked is None:
        return "the first message is the name"
    word = text_of(reading.greeting).strip()
    return f"keyword {word}" if word.isupper() and len(word) <= 16 and " " not in word else "asked for the name"


def _login(reading: Reading) -> dict[str, object]:
    """The steps of the login: each waits for words that every newcomer was shown, the last for those of the welcome."""
    steps: list[LoginStep] = []
    for number, step in enumerate(reading.steps):
        expect = step.expect
        if number == 0:
            greeted = [(n, g) for n, g in reading.greetings if g]
            shown = all(g for _, g in reading.greetings)
            if expect is None or not all(fold(expect) in fold(text_of(g)) for _, g in greeted):
                expect = stable_words(greeted) if reading.greeting and shown else None
        elif expect is None:
            expect = stable_words(reading.answers.get(reading.steps[number - 1].send, []))
        if expect is not None:
            steps.append(LoginStep(expect=expect))
        steps.append(LoginStep(send=step.send))
    last = reading.answers.get(reading.steps[-1].send, []) if reading.steps else []
    welcome = stable_words(last) if len(last) > 1 else None
    if welcome is not None:
        steps.append(LoginStep(expect=welcome))
    values: dict[str, object] = {"login": tuple(steps)}
    naming = next((s.send for s in reading.steps if "{name}" in s.send and s.send != "{name}"), None)
    if reading.optional and naming is not None:
        values |= {"auto": True, "rename": naming}
    return values


def detect(options: Options) -> Learned:
    """The profile that lets people talk, or why none was found. To be called in a forked worker."""
    isolated = sandbox.enter(namespaces=options.isolates)
    search = Search(options, isolated, read(sources.texts(options.spec)) if options.hints else Hints())
    try:
        failure = run_until_signal(search.run)
    except TargetError as error:
        return Learned(failure=str(error), transcript=error.output, start_error=True)
    failure = failure and _with_hints(failure, search.hints)
    lines = search.proof if search.found else [*search.tried, *search.transcript]
    shown = "\n".join(lines[-MOST_TRANSCRIPT:])
    return Learned(profile=search.found, failure=failure, transcript=shown, told=tuple(search.unknown))


def _with_hints(failure: str, hints: Hints) -> str:
    """What the source shows of a protocol that is not spoken here."""
    return f"{failure}. Its source uses {' and '.join(hints.foreign)}" if hints.foreign else failure
