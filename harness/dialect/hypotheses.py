"""Hypotheses: in which order to guess how a server speaks, from what it says by itself.

Behaviour alone decides; the greeting only orders the guesses. Names are letters only; nothing dangerous is ever sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from harness.dialect.masking import fold, text_of
from harness.dialect.profile import LoginStep, Profile

Kind = Literal["silent", "prompt", "keyword", "auto", "greeting"]

_NAME_WORDS = r"name|nick|nome|apelido|usuario|nombre|\bnom\b|pseudo|username|login|handle|identif"
#: Words that mean leaving, listing and whispering, the most usual first. None of them stops a server.
LEAVE_WORDS = ("/quit", "/exit", "/sair", "/leave", "/bye")
LIST_WORDS = ("/list", "/users", "/who", "/online", "/usuarios", "/lista", "/names")
WHISPER_WORDS = ("/whisper", "/msg", "/w", "/pm", "/private", "/tell", "/dm")


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the server said by itself to the first client, and to a second one while the first kept silent."""

    kind: Kind
    first: bytes
    second: bytes
    rename: str | None = None

    @property
    def text(self) -> str:
        """The greeting as text."""
        return text_of(self.first)


def classify(first: bytes, second: bytes = b"") -> Greeting:
    """What kind of greeting this is."""
    text = text_of(first)
    plain = fold(text).strip()
    if not plain:
        return Greeting("silent", first, second)
    rename = re.search(r"(/(?:nick|name|nome|nombre|nom|apelido|setname|rename|username))\b", fold(text))
    if rename and not text.rstrip(" ").endswith((":", "?", ">")):
        return Greeting("auto", first, second, rename[1])
    if re.fullmatch(r"[A-Z_]{2,12}", text.strip()):
        return Greeting("keyword", first, second)
    last = plain.splitlines()[-1]
    if re.search(_NAME_WORDS, last) or last.endswith((":", "?", ">")) or re.search(_NAME_WORDS, plain):
        return Greeting("prompt", first, second)
    return Greeting("greeting", first, second, rename[1] if rename else None)


def hypotheses(greeting: Greeting) -> list[Profile]:
    """Whole profiles to try, the likeliest first."""
    if greeting.kind in ("prompt", "keyword"):
        return [*_prompted(greeting), *_named(), *_plain(), *_commands()]
    if greeting.kind == "auto":
        return [*_auto(greeting), *_plain(), *_named(), *_commands()]
    if greeting.kind == "greeting":
        return [*_plain(), *_named(), *_commands()]
    return [*_named(), *_plain(), *_commands()]


def _prompted(greeting: Greeting) -> list[Profile]:
    """Wait for the prompt's last words, answer with the name."""
    last = text_of(greeting.first).rstrip().splitlines()[-1].strip()[-24:]
    step = LoginStep(expect=last, send="{name}")
    return [
        Profile(name="prompt, lines", framing="line", login=(step,)),
        Profile(name="prompt, chunks", framing="chunk", login=(step,), pause=0.05),
        Profile(
            name="prompt, raw relay of lines", framing="line", login=(step,), say="{name}: {text}", attributes="client"
        ),
    ]


def _auto(greeting: Greeting) -> list[Profile]:
    rename = greeting.rename or "/nick"
    step = LoginStep(send=f"{rename} {{name}}")
    expect = _first_line(greeting.first)
    steps = (LoginStep(expect=expect), step) if expect else (step,)
    return [
        Profile(name="given name, lines", framing="line", login=steps, auto=True, rename=f"{rename} {{name}}"),
        Profile(
            name="given name, chunks", framing="chunk", login=steps, auto=True, rename=f"{rename} {{name}}", pause=0.05
        ),
    ]


def _first_line(data: bytes) -> str | None:
    """The first words of a greeting, up to whatever varies."""
    words = re.split(r"[\d,!:]|user|guest|cliente", text_of(data).strip(), maxsplit=1)[0].strip()
    return words[:24] or None


def _named() -> list[Profile]:
    """The first message is the name, unasked."""
    return [
        Profile(name="first line is the name", framing="line", login=(LoginStep(send="{name}"),)),
        Profile(name="first chunk is the name", framing="chunk", login=(LoginStep(send="{name}"),), pause=0.05),
    ]


def _plain() -> list[Profile]:
    """No login: what comes is relayed; the client puts its own name in front."""
    return [
        Profile(name="raw lines", framing="line", say="{name}: {text}", attributes="client"),
        Profile(name="raw chunks", framing="chunk", say="{name}: {text}", attributes="client", pause=0.05),
    ]


def _commands() -> list[Profile]:
    return [
        Profile(name=f"login by {word}", framing="line", login=(LoginStep(send=f"{word} {{name}}"),))
        for word in ("/nick", "NICK", "JOIN", "/name", "/join", "/login")
    ]


def features(profile: Profile, shown: str) -> Profile:
    """What a server names in its greeting and after the login: the words for leaving, listing and whispering.

    The quiet run confirms them.
    """
    text = fold(shown)
    found: dict[str, str] = {}
    for key, words, template in (
        ("leave", LEAVE_WORDS, "{word}"),
        ("list", LIST_WORDS, "{word}"),
        ("whisper", WHISPER_WORDS, "{word} {{to}} {{text}}"),
    ):
        word = next((w for w in words if re.search(rf"(?<![\w/]){re.escape(w)}\b", text)), None)
        if word is not None and getattr(profile, key) is None:
            found[key] = template.format(word=word)
    return profile.model_copy(update=found)
