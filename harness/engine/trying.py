"""Commands of which only the word is known: one who may be lost says each of them, and what comes of it tells what it is.

Whoever's connection ends has said a word for leaving; who is answered with everybody's names, and nobody else told, has
asked for the list. What goes round as a message is no command.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from harness.dialect.masking import stands_in
from harness.engine.guests import Guest

#: So many words are tried; each costs a client, and a moment.
MOST_WORDS = 8


@dataclass(frozen=True)
class Tried:
    """What was found: the word for the list, and the one for leaving."""

    list: str | None = None
    leave: str | None = None


async def tried(
    words: Sequence[str],
    others: Sequence[Guest],
    comes: Callable[[], Awaitable[Guest | None]],
    says: Callable[[Guest, str], Awaitable[bool]],
    goes: Callable[[Guest], Awaitable[None]],
) -> Tried:
    """Try them. `others`: those whose names a list must have. `comes`: one more comes in, or None when nobody can.
    `says`: it says a word; False when that went round as a message. `goes`: wait for an end that a farewell announces."""
    listing = leaving = None
    one: Guest | None = None
    for word in words[:MOST_WORDS]:
        one = one if one is not None and not one.ended else await comes()
        if one is None or (listing and leaving):
            break
        if not await says(one, word):
            continue
        answer, told = one.new, any(other.new.strip() for other in others)
        await goes(one)
        if one.ended:
            leaving = leaving or word
        elif listing is None and not told and all(stands_in(other.name, answer) for other in others):
            listing = word
    if one is not None:
        one.go()
    return Tried(listing, leaving)
