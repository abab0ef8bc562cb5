"""Steps that are done again and again, as a loop: a file is read by people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

#: A block of at most so many lines is looked for, and it must stand so often; a single line more often.
LONGEST, TIMES, ALONE = 24, 3, 4
#: How a loop counts: the first of these words that its block does not use itself.
_COUNTERS = ("number", "turn", "again")
_COMES = re.compile(r"^(\w+) = (\w+)\('([\w]+)'\)$")
#: Who comes back has been there before: it keeps its name.
_BACK = "come_back"


def folded(lines: Sequence[str]) -> list[str]:
    """The lines; where a block stands several times, one after the other, it stands once, in a loop."""
    told, at = list[str](), 0
    while at < len(lines):
        size, times = max(_repeated(lines, at), key=lambda one: one[0] * (one[1] - 1), default=(1, 1))
        if times == 1:
            told.append(lines[at])
        else:
            blocks = [lines[at + n * size : at + (n + 1) * size] for n in range(times)]
            told.append(_loop(blocks))
        at += size * times
    return told


def _repeated(lines: Sequence[str], at: int) -> Iterator[tuple[int, int]]:
    """Blocks that begin here and stand often enough: their size, and how often."""
    for size in range(1, min(LONGEST, (len(lines) - at) // TIMES) + 1):
        first, times = _shape(lines[at : at + size]), 1
        while _shape(lines[at + times * size : at + (times + 1) * size]) == first:
            times += 1
        while times >= (TIMES if size > 1 else ALONE):
            blocks = [lines[at + n * size : at + (n + 1) * size] for n in range(times)]
            if _is_closed(blocks, [*lines[:at], *lines[at + size * times :]]):
                yield size, times
                break
            times -= 1


def _shape(block: Sequence[str]) -> list[str]:
    """The lines of a block with numbers for those who come in it."""
    who = dict[str, int]()
    shape = list[str]()
    for line in block:
        comes = _COMES.match(line)
        if comes and comes[2] != _BACK:
            who.setdefault(comes[1], len(who))
            shape.append(f"#{who[comes[1]]} = {comes[2]}")
        else:
            shape.append(
                re.sub(r"\b[^\W\d]\w*\b", lambda word: f"#{who[word[0]]}" if word[0] in who else word[0], line)
            )
    return shape


def _new(blocks: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Who comes in each block under a name of its own: variable and name, block by block."""
    each = [[comes for line in block if (comes := _COMES.match(line))] for block in blocks]
    same = [len({(one[1], one[3]) for one in column}) == 1 for column in zip(*each, strict=True)]
    return [(one[1], one[3]) for row in each for one, is_same in zip(row, same, strict=True) if not is_same]


def _is_closed(blocks: Sequence[Sequence[str]], rest: Sequence[str]) -> bool:
    """Whether nobody who comes in one of the blocks is spoken of elsewhere."""
    words = set(re.findall(r"\w+", "\n".join(rest)))
    return not words & {word for pair in _new(blocks) for word in pair}


def _loop(blocks: Sequence[Sequence[str]]) -> str:
    first, new = blocks[0], {variable for variable, _ in _new(blocks)}
    counter = next(word for word in _COUNTERS if not re.search(rf"\b{word}\b", "\n".join(first)))
    told = [f"for {counter} in range({len(blocks)}):"]
    for line in first:
        comes = _COMES.match(line)
        if comes and comes[1] in new:
            line = f'{comes[1]} = {comes[2]}(f"{comes[3]}{{{counter}}}")'
        told += ["    " + part for part in line.split("\n")]
    return "\n".join(told)
