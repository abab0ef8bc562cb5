"""Masking: what varies in a server's words (names, numbers, times, addresses) folded, so that shapes compare."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_DIGITS = re.compile(r"\d+([.:,/-]\d+)*")
#: A token: letters and digits mixed. A word with a number behind it (`user12`) is none, however long the number grows.
#: Each part looks at a letter once: a flood's filler is one word of many kilobytes.
_HEXISH = re.compile(r"\b(?!(?=[A-Fa-f]*[g-zG-Z])[A-Za-z]+[-_]?\d+\b)(?=\w*\d)(?=\w*[a-zA-Z])[\w-]{6,}\b")
_NAME_MARK = "\x00"


def text_of(data: bytes) -> str:
    """The bytes as text for looking at: UTF-8 with replacement, colours taken out."""
    return _ANSI.sub("", data.decode("utf-8", "replace"))


def fold(text: str) -> str:
    """Case and accents folded, so that `Usuário` is found by `usuario`."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def mask(text: str, names: Iterable[str] = ()) -> str:
    """One line with names as `{name}`, numbers, times, addresses and tokens as `#`, blanks joined."""
    plain = text.lower() if text.isascii() else None
    for name in sorted({n for n in names if n}, key=len, reverse=True):
        if plain is not None and name.isascii() and name.lower() not in plain:
            continue  # as most often, and looked at much faster
        text = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", _NAME_MARK, text, flags=re.IGNORECASE)
    text = _HEXISH.sub("#", text)
    text = _DIGITS.sub("#", text)
    return " ".join(text.replace(_NAME_MARK, "{name}").split())


def lines(data: bytes, names: Iterable[str] = ()) -> tuple[str, ...]:
    """The masked lines of what a server showed, the empty ones left out."""
    known = tuple(names)
    return tuple(m for line in text_of(data).replace("\r", "\n").split("\n") if (m := mask(line, known)))


def shape_of_number(name: str) -> str:
    """A given name such as `user12` with its number masked: `user#`."""
    return _DIGITS.sub("#", name)


def missing_parts(intro: bytes, wanted: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Which of an introduction's stable parts have not been shown (yet).

    Without newlines words are glued together (`NICKana joined!`): there the name need not stand alone.
    """
    shown = "\n".join(lines(intro, (name,)))
    plain = "\n".join(" ".join(line.split()) for line in re.split(r"[\r\n]+", text_of(intro)))
    folded = plain.lower()

    def stands(part: str) -> bool:
        if "#" not in part:  # as it is: no pattern need be made of it
            return part in shown or part.replace("{name}", name).lower() in folded
        pattern = re.escape(part).replace(r"\#", r"\S*")
        glued = pattern.replace(r"\{name\}", re.escape(name))
        return re.search(pattern, shown) is not None or re.search(glued, plain, re.IGNORECASE) is not None

    return tuple(part for part in wanted if not stands(part))


def stands_in(name: str, answer: bytes) -> bool:
    """Whether `name` stands in these bytes as a word of its own, case and accents folded."""
    return re.search(rf"(?<![^\W_]){re.escape(fold(name))}(?![^\W_])", fold(text_of(answer))) is not None
