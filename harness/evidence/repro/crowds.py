"""How a crowd goes, in few lines: all in one way, or in several that take turns."""

from __future__ import annotations

from collections.abc import Sequence

#: Of the manners in which a crowd goes, at most so many take turns.
LONGEST_CYCLE = 4


def cycle(goings: Sequence[str | None]) -> list[str | None]:
    """The shortest cycle in which they go (every other one is reset, say); empty where there is none."""
    for size in range(1, LONGEST_CYCLE + 1):
        if all(going == goings[at % size] for at, going in enumerate(goings)):
            return list(goings[:size])
    return []


def all_go(crowd: str, cycle: Sequence[str | None]) -> list[str]:
    """The lines in which a crowd goes: all in one way, or in several, one after the other."""
    if len(cycle) > 1 and all(cycle):
        ways = ", ".join(f"Client.{going}" for going in cycle)
        return [f"for one, goes in zip({crowd}, ({ways}) * len({crowd})):\n    goes(one)"]
    some = [crowd if len(cycle) == 1 else f"{crowd}[{at}::{len(cycle)}]" for at in range(len(cycle))]
    return [f"for one in {who}:\n    one.{going}()" for who, going in zip(some, cycle, strict=True) if going]


def call(going: str | None) -> str:
    """A way to go as a call."""
    return going if going is not None and going.endswith(")") else f"{going}()"
