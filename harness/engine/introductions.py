"""What the first client of all was shown, and nobody after it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

Introduction = Sequence[str]


def shown_once(
    first: Introduction, others: Sequence[Introduction], ever: Sequence[Introduction] = ()
) -> tuple[str, ...]:
    """The parts of the first introduction that stand in none of the `others`, nor in what those were shown later (`ever`).

    None where the others were shown anything that the first was not: a history, a list, other words instead are a
    server's own business, and so is what it says to the one who is alone (let one of the others come to an empty room).
    """
    if not others or any(part not in first for intro in others for part in intro):
        return ()
    shown = [line for intro in (*others, *ever) for line in intro]
    return tuple(part for part in first if not any(part in line for line in shown))
