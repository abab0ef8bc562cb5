"""Finding out how a server speaks, by talking to fresh instances of it.

A conversation with a guess (or none) gives a reading; a reading gives profiles; a profile is believed when three new
clients on a new instance follow it and hear each other. A wrong guess costs an instance, never a trace. With somebody
else's server only the polite part of it is done: listen, answer, speak.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from harness.dialect import json_words
from harness.dialect.hints import Hints, read
from harness.dialect.hypotheses import commands
from harness.dialect.irc import IRC, sounds_like_irc, wants_a_password
from harness.dialect.json_words import JsonWords
from harness.dialect.manners import COUNTED, distinct, hinted, shown, usual
from harness.dialect.masking import text_of
from harness.dialect.profile import LoginStep, Profile
from harness.dialect.unspoken import Signs, foreign, reason_of
from harness.engine.baseline import Learned
from harness.engine.confirming import Confirmation, Confirmed
from harness.engine.conversation import NAMINGS, Conversation, screened
from harness.engine.grounds import DECLARED, STRICT, Ground, of_borders, of_login
from harness.engine.guests import House
from harness.engine.keys import Keys
from harness.engine.options import Options
from harness.engine.profiles import MANNER, opening, profiles
from harness.engine.reading import PATIENT_GREETING_S, Guess, PasswordAsked, Reading, Step
from harness.engine.until_signal import run_until_signal
from harness.target import RemoteServer, TargetError, sandbox, sources

#: The whole search takes no longer, in seconds; what has begun by then is broken off.
LONGEST_SEARCH_S = 45.0
OUT_OF_TIME = "the search was out of time before all commands had been tried"
HALF_LINES = "it parts what it reads at newlines, but waits for none: half a line goes round as a message"
#: The keys of a JSON chat are looked for so long, in seconds.
LONGEST_KEYS_S = 14.0
#: So many conversations are held side by side, each with a server of its own, where two servers can run at a time.
SIDE_BY_SIDE = 3
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
    grounds: dict[str, Ground] = field(default_factory=dict)
    clients: int = 0
    late: bool = False
    spare: Confirmed | None = None
    longest_s: float = float("inf")
    _irc_tried: bool = False
    _others: list[str] = field(default_factory=list)  # commands for a name that were answered like nonsense, or not
    _rejected: set[str] = field(default_factory=set)
    _houses: int = 0

    async def run(self) -> str | None:
        """Set `found`, or give the reason why nothing was found."""
        if self.polite:
            self._houses = random.SystemRandom().randrange(1, 26)
        limit = asyncio.timeout(min(self.longest_s, LONGEST_SEARCH_S * max(1.0, self.options.patience)))
        try:
            async with limit:
                await self._search()
        except PasswordAsked as asked:
            return f"the server asks for a password ({asked}): declare the login in [dialect] of harness.toml"
        except TimeoutError:
            if not limit.expired():
                raise
        if self.found is None and self.spare is not None and self.spare.profile is not None:
            self._believe(self.spare)
        if self.found is not None:
            return None
        if self.polite and not await self._is_there():
            return "the server accepts no connection any more: it ended while it was talked to"
        return reason_of([r.greeting for r in self.readings], [r.text for r in self.readings], self._signs())

    async def _search(self) -> None:
        """Guess after guess, until one is confirmed or none is left."""
        queue, seen = [self._first()], set[tuple[object, ...]]()
        further = self._further()
        while self.found is None:
            queue = [guess for guess in map(self._as_declared, queue) if guess.key not in seen]
            if not queue:
                more = await anext(further, None)
                if more is None:
                    return
                queue = more
                continue
            together, queue = self._together(queue)
            seen |= {guess.key for guess in together}
            asked_late = False
            async with aclosing(self._side_by_side(together)) as readings:
                async for reading in readings:
                    if foreign(reading.greeting) or foreign(b"".join(reading.replies)):
                        return
                    if await self._settles(reading):
                        return
                    queue = [*self._next(reading), *queue]
                    asked_late = asked_late or reading.asked_late
            if self.late or asked_late:
                late = replace(together[0], why="what it asks for, late", greeting_s=PATIENT_GREETING_S, quick=False)
                self.late, queue = False, [late] if self.late else [late, *queue]
            elif self.spare is not None and self.spare.profile is not None:
                return

    async def _settles(self, reading: Reading) -> bool:
        """Whether what was read is confirmed on another instance: then `found` is set."""
        if reading.sounded_like_irc:
            if await self._is_irc(reading):
                return True
            reading = await self._converse(reading.guess)
        reading = await self._with_a_name(reading)
        for profile in profiles(reading, self.declared):
            key = profile.model_copy(update={"name": ""}).model_dump_json()
            if key not in self._rejected and await self._confirm(profile, reading):
                return True
            self._rejected.add(key)
        return await self._is_irc(reading)

    # -- what is tried -------------------------------------------------------------------------------------------

    @property
    def declared(self) -> dict[str, object]:
        """Keys of `[dialect]` that the user has declared: they are no guesses."""
        return dict(self.options.overrides)

    def _first(self) -> Guess:
        """Whatever it asks for. Where its source speaks for another framing, no time is lost on a server that is mute."""
        return Guess("whatever it asks for", quick=bool(hinted(self.hints)))

    def _as_declared(self, guess: Guess) -> Guess:
        """The guess with what the user has declared in it."""
        given = self.declared
        framing = given.get("framing")
        send = framing.get("send", "line") if isinstance(framing, dict) else framing
        if send in ("line", "chunk"):
            guess = replace(guess, framing=str(send), manner=None, keys=False)
        elif send is not None and not guess.keys:
            keys = {key: given[key] for key in (*MANNER, "newline") if key in given}
            guess = replace(guess, manner=Profile.model_validate({"framing": send, **keys}))
        if given.get("newline") and guess.manner is None:
            guess = replace(guess, newline=str(given["newline"]), ended=send == "chunk")
        if "say" in given:
            guess = replace(guess, say=str(given["say"]))
        if "login" in given:
            guess = replace(guess, steps=_steps(given["login"]))
        return guess

    async def _framed(self) -> list[Guess]:
        """The framings that the server's bytes show, and those that its source speaks for."""
        data = [data for r in self.readings for data in (r.greeting, *r.replies)]
        evident = [manner for one in data for manner in shown(one, java=self._java)]
        likely = [] if self.polite or self._answers() else hinted(self.hints)
        manners = distinct([*evident, *likely])
        return self._guesses(manners) + self._guesses_of_objects(manners)

    async def _otherwise_framed(self) -> list[Guess]:
        """The usual framings, when neither words nor commands have helped."""
        return self._guesses([] if self.polite else self._usual_manners())

    async def _objects_framed(self) -> list[Guess]:
        """JSON in them, whose keys take long to find."""
        return self._guesses_of_objects([] if self.polite else self._usual_manners())

    def _usual_manners(self) -> list[Profile]:
        return distinct([*hinted(self.hints), *usual(java=self._java)])

    def _answers(self) -> bool:
        """Whether words without a frame were answered in words: then it is commands that are not known."""
        return any(reply.strip() for r in self.readings for reply in r.replies if r.guess.manner is None)

    async def _patiently(self) -> list[Guess]:
        """The first guess again, with all the time that a slow server needs."""
        return [replace(self._first(), quick=False)]

    async def _further(self) -> AsyncIterator[list[Guess]]:
        """What is tried when the first guess has led nowhere."""
        yield await self._framed()
        yield await self._patiently()
        for guesses in self._in_turn():
            yield await guesses()

    def _in_turn(self) -> tuple[Callable[[], Awaitable[list[Guess]]], ...]:
        """The usual commands first for a server that answers. One that is mute may be so to all commands but the right one:
        what is cheap comes first."""
        if self._answers():
            return self._answered, self._unanswered, self._otherwise_framed, self._objects_framed
        return self._otherwise_framed, self._answered, self._objects_framed, self._unanswered

    def _guesses(self, manners: list[Profile]) -> list[Guess]:
        """Plain texts in these manners."""
        made: list[Guess] = []
        for manner in manners:
            name = _told(manner)
            if manner.framing == "fixed" and manner.fixed.name:
                made.append(Guess(f"{name}, no login", (), "{name}\0{text}", manner=manner, quick=True))
            if manner.framing != "json":
                made.append(Guess(name, manner=manner, quick=True))
        return made

    def _guesses_of_objects(self, manners: list[Profile]) -> list[Guess]:
        """JSON; in these manners too where the source has any."""
        within = [m for m in manners if m.framing in COUNTED and "json" in self.hints.framings]
        objects = [*(m for m in manners if m.framing == "json"), *within]
        return [Guess(f"JSON, {_told(m)}", manner=m, quick=True, keys=True) for m in objects]

    @property
    def _java(self) -> bool:
        return "java" in (self.options.spec.command_text or "") or any(f.endswith(".java") for f in self.hints.files)

    def _together(self, queue: list[Guess]) -> tuple[list[Guess], list[Guess]]:
        """What is tried at a time, and the rest: wrong framings are cheap, and a server each is all they need."""
        many = (
            SIDE_BY_SIDE if queue[0].manner is not None and not self.options.spec.fixed_port and not self.polite else 1
        )
        count = next((n for n, g in enumerate(queue[:many]) if g.manner is None), min(many, len(queue)))
        count = max(1, count)
        return queue[:count], queue[count:]

    async def _side_by_side(self, guesses: list[Guess]) -> AsyncGenerator[Reading, None]:
        """Their readings as they come. Whoever has read enough leaves, and the others are broken off."""
        tasks = [asyncio.create_task(self._converse(guess)) for guess in guesses]
        try:
            for task in asyncio.as_completed(tasks):
                yield await task
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

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
            other = await self._converse(Guess(f"a name by {naming!r}", (Step(naming, opening(reading)),)))
            if other.works and other.named:
                return other
        return reading

    @property
    def polite(self) -> bool:
        """Somebody else's server: nothing is tried on it that it did not ask for."""
        return self.options.spec.kind == "remote"

    @asynccontextmanager
    async def _house(self, transcript: list[str]) -> AsyncIterator[House]:
        if self.isolated and self._houses and self.options.spec.fixed_port:
            sandbox.renew_network()
        house = House(replace(self.options, knocks=not self.readings), self.isolated, transcript, self._houses)
        self._houses += 1
        await house.open()
        try:
            yield house
        finally:
            await house.close()

    async def _converse(self, guess: Guess) -> Reading:
        told = [f"--- {guess.why}"]
        try:
            with_keys = await self._with_keys(guess, told) if guess.keys else guess
            reading = Reading(guess)
            if with_keys is not None:
                async with self._house(told) as house:
                    talk = Conversation(
                        house, with_keys, polite=self.polite, hints=self._templates(), maybe_irc=not self._irc_tried
                    )
                    reading = await talk.hold()
        finally:
            self.transcript += told
        self.readings.append(reading)
        self.tried.append(f"{guess.why}: {'they hear each other' if reading.works else 'nobody heard anybody'}")
        return reading

    def _templates(self) -> tuple[str, ...]:
        """Commands that the source shows, as templates; those whose names tell nothing come last."""
        rooms = (word for word in self.hints.words if "{room}" in word)
        others = (f"{word}{{text}}" for word in self.hints.commands)
        return (*self.hints.namings, *self.hints.sayings, *rooms, *others)

    async def _with_keys(self, guess: Guess, told: list[str]) -> Guess | None:
        """A guess with the keys that this server's objects have; None when nothing was understood."""
        assert guess.manner is not None
        try:
            async with asyncio.timeout(LONGEST_KEYS_S * self.options.patience):
                found = await self._keys(guess.manner, told)
        except TimeoutError:
            return None
        if found is None:
            return None
        naming, say = found
        return replace(guess, steps=() if naming is None else (Step(naming),), say=say, keys=False)

    async def _keys(self, manner: Profile, told: list[str]) -> tuple[str | None, str] | None:
        """The objects of a JSON chat: on one server with everything at once, on another with what is usual elsewhere,
        on a third one after the other."""
        known = self._objects()
        for words, at_once in ((known, True), (known.everywhere, True), (known, False)):
            async with self._house(told) as house:
                keys = Keys(house, manner, words)
                found = await keys.find(at_once=at_once)
            if found is not None or not keys.noticed():
                return found
        return None

    def _objects(self) -> JsonWords:
        """What the server's own words say of its objects, and what its source says."""
        said = "\n".join(text_of(data) for r in self.readings for data in (r.greeting, *r.replies))
        return json_words.spoken(said).before(self.hints.json)

    async def _confirm(self, profile: Profile, reading: Reading) -> bool:
        start = len(self.transcript)
        self.transcript.append(f"--- confirming: {profile.name}")
        async with self._house(self.transcript) as house:
            made = Confirmation(house, profile, words=self.hints.words, polite=self.polite)
            try:
                confirmed: Confirmed = await made.hold()
            except asyncio.CancelledError:  # no more time: what was proved by then stays so
                if made.proved_at:
                    self.spare, self.proof = made.so_far(), self.transcript[start : made.proved_at]
                    self.spare.unknown.append(OUT_OF_TIME)
                    self._founded(self.spare, reading)
                raise
        if confirmed.profile is not None:
            self._founded(confirmed, reading)
        if made.greeting.strip() and not reading.greeting.strip() and reading.guess.greeting_s < PATIENT_GREETING_S:
            self.late, self.spare = True, self.spare or confirmed
            return False
        if confirmed.profile is None:
            self.tried.append(f"{profile.name}: {confirmed.why_not}")
            return False
        if reading.apart and confirmed.profile.framing_name("send") == "line":
            confirmed.unknown.append(HALF_LINES)
        self._believe(confirmed)
        self.proof = self.transcript[start : made.proved_at]
        return True

    def _founded(self, confirmed: Confirmed, reading: Reading) -> None:
        """On what each finding rests: the conversation, and what the confirmation has seen."""
        profile, known = confirmed.profile, confirmed.grounds
        assert profile is not None
        before, confirming = len(reading.names_heard) if reading.works else 0, known.get("say")
        if before:
            known["framing"] = of_borders(reading)
        if confirming is not None:
            clients, servers = before + confirming.values["clients"], 1 + bool(before)
            known["login"] = of_login(clients, servers=servers, must=profile.must_log_in, remote=self.polite)
        if profile.encoding == "ascii":
            known["encoding"] = Ground(STRICT)

    @property
    def likely(self) -> Profile | None:
        """The likeliest reading, where none was confirmed: what the bytes show, else what the source speaks for."""
        evident = [m for r in self.readings for data in (r.greeting, *r.replies) for m in shown(data, java=self._java)]
        plain = next((r for r in self.readings if r.guess.manner is None and r.steps), None)
        manner = next(iter([*evident, *hinted(self.hints)]), None)
        values: dict[str, object] = {"framing": "line"}
        if manner is not None and (evident or not self._answers()):
            values = manner.to_json()
            values.pop("name", None)
        elif plain is not None:
            values["framing"] = "chunk" if plain.hinted == "chunk" else "line"
        if plain is not None and "json" not in values.values():
            values["login"] = tuple(LoginStep(expect=step.expect, send=step.send) for step in plain.steps)
        if values["framing"] == "json":
            naming, saying = self._objects().likeliest
            values |= {"login": (LoginStep(send=naming),), "say": saying}
        return Profile.model_validate(values | self.declared) if self.readings else None

    def _believe(self, confirmed: Confirmed) -> None:
        profile = confirmed.profile
        if any(r.in_turn for r in self.readings[:1]) and not self.polite:
            confirmed.unknown.append(
                "clients come in one by one: the next is served only when the one before has said its name"
            )
        self.found, self.unknown = profile and profile.model_copy(update=self.declared), confirmed.unknown
        self.grounds = confirmed.grounds | {key: Ground(DECLARED) for key in self.declared}
        limit = self.found.max_clients if self.found else None
        self.clients = min(3, limit or 3)

    def _next(self, reading: Reading) -> list[Guess]:
        """What to try after this: what the server's answers name, then the usual."""
        first = reading is self.readings[0]
        if reading.guess.manner is not None:
            return self._next_framed(reading)
        if first and reading.guess.quick and self._answers() and not reading.works:
            evident = any(shown(data) for data in (reading.greeting, *reading.replies))
            return [] if evident else [replace(reading.guess, quick=False)]
        if reading.cuts_last and not reading.guess.ended:
            return [replace(reading.guess, why="chunks with a newline", framing="chunk", ended=True)]
        guesses: list[Guess] = []
        said = commands(reading.text)
        namings = [c.template for c in said if c.use == "name"]
        if not reading.guess.quick:
            namings += self.hints.namings
        if reading.hinted == "chunk" and reading.ended:
            guesses.append(replace(reading.guess, why="chunks without a newline", framing="chunk"))
        sayings = [c.template for c in said if c.use == "say"]
        asked = tuple(reading.steps) if reading.steps else ()
        for naming in dict.fromkeys(namings):
            guesses.append(Guess(f"login by {naming!r}", (Step(naming, opening(reading)),)))
            guesses += [
                Guess(f"login by {naming!r}, {say!r}", (Step(naming, opening(reading)),), say) for say in sayings
            ]
        guesses += [Guess(f"speaking by {say!r}", asked, say) for say in sayings if asked]
        if first and not self.polite and not reading.guess.quick:
            guesses.append(Guess("the name unasked", (Step("{name}"),)) if reading.asked else Guess("no login", ()))
        return guesses

    def _next_framed(self, reading: Reading) -> list[Guess]:
        """A server that was understood so far that its frames were read: what its answers name, in the same manner."""
        named = [c.template for c in commands(reading.text) if c.use == "name"]
        if reading.works or not reading.text.strip() or reading.guess.keys:
            return []
        guesses = [replace(reading.guess, why=f"login by {n!r}", steps=(Step(n),), quick=False) for n in named]
        if reading.guess.steps is None and reading.asked is not None and reading.asked.want == "command":
            guesses.append(replace(reading.guess, why="the name unasked", steps=(Step("{name}"),), quick=False))
        return guesses

    async def _answered(self) -> list[Guess]:
        """Those of the usual commands for a name that were answered otherwise than nonsense is."""
        if self.polite or await self._is_irc(None):
            return []
        self.transcript.append("--- the usual commands for a name")
        async with self._house(self.transcript) as house:
            own = [f"{word}{{name}}" for word in self.hints.commands]
            answered, self._others = await screened(house, tuple(dict.fromkeys([*own, *NAMINGS])))
        return self._namings(answered)

    async def _unanswered(self) -> list[Guess]:
        """Other oddities, and the other commands."""
        if self.polite:
            return []
        late = Guess("after a long silence", greeting_s=PATIENT_GREETING_S)
        return [late, Guess("lines that end in CR LF", framing="line", newline="\r\n"), *self._namings(self._others)]

    def _namings(self, templates: list[str]) -> list[Guess]:
        return [Guess(f"login by {naming!r}", (Step(naming, opening(self.readings[0])),)) for naming in templates]


def _steps(login: object) -> tuple[Step, ...]:
    """A declared login as the answers of a conversation."""
    steps, expect = list[Step](), None
    for step in login if isinstance(login, (list, tuple)) else ():
        told = LoginStep.model_validate(step)
        expect = told.expect or expect
        if told.send is not None:
            steps.append(Step(told.send, expect))
            expect = None
    return tuple(steps)


def _told(manner: Profile) -> str:
    """A manner in a word or two."""
    match manner.framing_name("send"):
        case "header":
            return f"a header of {manner.header} digits"
        case "length":
            return f"a length of {manner.length.bytes} bytes, {manner.length.order}-endian"
        case "utf":
            return "writeUTF"
        case "nul":
            return f"an end of {manner.terminator!r}"
        case "fixed":
            return f"blocks of {manner.fixed.name} and {manner.fixed.message} bytes"
        case other:
            return str(other)


def detect(options: Options, longest_s: float = float("inf")) -> Learned:
    """The profile that lets people talk, or why none was found; in `longest_s` seconds at most. To be called in a forked worker."""
    isolated = sandbox.enter(namespaces=options.isolates)
    own = {path.name for path in sources.named(options.spec)}
    search = Search(options, isolated, read(sources.texts(options.spec), own) if options.hints else Hints())
    search.longest_s = longest_s
    try:
        failure = run_until_signal(search.run)
    except TargetError as error:
        return Learned(failure=str(error), transcript=error.output, start_error=True)
    failure = failure and _with_hints(failure, search.hints)
    lines = search.proof if search.found else [*search.tried, *search.transcript]
    shown_lines = "\n".join(lines[-MOST_TRANSCRIPT:])
    return Learned(
        profile=search.found,
        failure=failure,
        transcript=shown_lines,
        told=tuple(search.unknown),
        likely=search.likely,
        grounds=search.grounds,
    )


def _with_hints(failure: str, hints: Hints) -> str:
    """What the source shows of a protocol that is not spoken here."""
    return f"{failure}. Its source uses {' and '.join(hints.foreign)}" if hints.foreign else failure
