"""The keys of a JSON chat: which are usual, and objects that hold all of them at once. Sans-I/O.

Most servers look at the keys they know and at no other: one object with every usual key is understood by many at the
first attempt, and shows afterwards, key by key, which of them it needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.dialect.json_words import ENGLISH, KINDS, OTHERS, ROOM, TARGETS, WHISPERS

#: Somebody's language, when one of these was seen: then all that is usual in it may be.
_FOREIGN = frozenset(word for words in OTHERS.values() for word in words)


@dataclass(frozen=True)
class Shape:
    """An object: which keys of each group it has, and what its kind is. None of a group: the key is left out."""

    kind: str
    gap: str
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    texts: tuple[str, ...]
    rooms: tuple[str, ...]

    @property
    def template(self) -> str:
        """As it stands in a profile."""
        told: dict[str, str] = dict.fromkeys(self.kinds, self.kind)
        told |= dict.fromkeys(self.names, "{name}") | dict.fromkeys(self.rooms, ROOM)
        return json.dumps(told | dict.fromkeys(self.texts, "{text}"), ensure_ascii=False)


def namings(seen: Sequence[str]) -> list[Shape]:
    """Objects that may give a name, with every usual key; the words that were seen first."""
    kinds, names, rooms = first("kinds", seen), first("names", seen), first("rooms", seen)
    return [Shape(join, "{name}", kinds, names, (), rooms) for join in first("joins", seen)]


def sayings(seen: Sequence[str]) -> list[Shape]:
    """Objects that may say something to everybody, with every usual key."""
    groups = (first("kinds", seen), first("names", seen), first("texts", seen), first("rooms", seen))
    return [Shape(say, "{text}", *groups) for say in first("says", seen)]


def first(group: str, seen: Sequence[str]) -> tuple[str, ...]:
    """The usual words of a group, those that were seen before the others; the others' where one of them was seen."""
    words = list(dict.fromkeys((*ENGLISH[group], *(OTHERS[group] if not _FOREIGN.isdisjoint(seen) else ()))))
    return tuple(sorted(words, key=lambda w: (w not in seen, words.index(w))))


def smaller(shape: Shape, seen: Sequence[str] = ()) -> Iterator[tuple[str, list[Shape]]]:
    """For each group of keys, what may be enough of it: nothing, or one of them; to be tried in this order.

    A kind that was seen is kept although it may not be looked at: it is how this chat speaks.
    """
    for group in ("rooms", "names", "kinds", "texts"):
        keys: tuple[str, ...] = getattr(shape, group)
        needed = f"{{{group[:-1]}}}" == shape.gap or (group == "kinds" and any(key in seen for key in keys))
        yield group, [_with(shape, group, kept) for kept in (*(() if needed else ((),)), *((key,) for key in keys))]


def _with(shape: Shape, group: str, keys: tuple[str, ...]) -> Shape:
    return replace(shape, **{group: keys})  # type: ignore[arg-type]


def relatives(say: str, words: Sequence[str]) -> list[str]:
    """Objects of the same make as a saying's, of another kind and without a text: to leave, or to ask who is there."""
    return [json.dumps({**told, **dict.fromkeys(texts, "")}) for told, texts in _other_kinds(say, words)]


def whispers(say: str, targets: Sequence[str] = TARGETS) -> list[str]:
    """Objects that may say something to one alone, with these keys for whom."""
    return [json.dumps(told | dict.fromkeys(targets, "{to}")) for told, _ in _other_kinds(say, WHISPERS)]


def _other_kinds(say: str, words: Sequence[str]) -> list[tuple[dict[str, str], list[str]]]:
    """What a saying would be with each of these for its kind, and which of its keys hold the text."""
    try:
        told = json.loads(say)
    except ValueError:
        return []
    kinds = [key for key in told if key in KINDS] if isinstance(told, dict) else []
    texts = [key for key in told if told[key] == "{text}"] if kinds else []
    return [(told | dict.fromkeys(kinds, word), texts) for word in words] if kinds else []
