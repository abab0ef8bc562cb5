"""From a reading to profiles: what two people who heard each other did, written down as a dialect."""

from __future__ import annotations

from collections.abc import Mapping

from harness.dialect.masking import fold, text_of
from harness.dialect.profile import LoginStep, Profile
from harness.engine.reading import Reading, stable_words

#: A chunk server reads two quick sends as one: so far apart must they be, in seconds.
CHUNK_PAUSE_S = 0.05
#: The keys of a profile that say how messages are framed, besides `framing` itself.
MANNER = ("header", "length", "fixed", "terminator")


def opening(reading: Reading) -> str | None:
    return stable_words([g for g in reading.greetings if g[1]]) if reading.greeting else None


def profiles(reading: Reading, declared: Mapping[str, object] | None = None) -> list[Profile]:
    """The profiles that this reading speaks for, the likeliest first; none when nobody heard anybody.

    `declared`: keys that the user has declared; they stand as they are.
    """
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
    if reading.guess.manner is not None:
        values |= {
            key: getattr(reading.guess.manner, key) for key in MANNER if key in reading.guess.manner.model_fields_set
        }
        if not reading.borders:
            values |= {"newline": "", "pause": CHUNK_PAUSE_S}
    if "{name}" in reading.say:
        values["attributes"] = "client"
    elif not reading.named:
        values |= {"attributes": "client", "say": reading.say.replace("{text}", "{name}: {text}")}
    if reading.ascii:
        values["encoding"] = "ascii"
    values["name"] = _title(reading)
    if reading.login:
        values |= _login(reading)
    given = dict(declared or {})
    found = [Profile.model_validate(values | given)]
    if send == "chunk" and "newline" not in given:
        ended = found[0].model_copy(update={"newline": "\n"})
        found = [ended] if reading.guess.ended else [*found, ended]
    elif reading.apart and "framing" not in given:
        chunks = {"framing": {"send": "chunk", "receive": reading.receive}, "newline": "\n", "pause": CHUNK_PAUSE_S}
        found.append(Profile.model_validate(values | chunks | given))
    return found


def _title(reading: Reading) -> str:
    """The archetype in a word or two, with the framing where that is a special one."""
    manner = f"{reading.framing}, " if reading.guess.manner is not None else ""
    return manner + _archetype(reading)


def _archetype(reading: Reading) -> str:
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
