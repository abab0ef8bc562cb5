"""Steps that are done again and again, as a loop: a file is read by people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set

#: A block of at most so many lines is looked for, and it must stand so often; a single line more often.
LONGEST, TIMES, ALONE = 24, 3, 4
#: How a loop counts: the first of these words that its block does not use itself.
_COUNTERS = ("number", "turn", "again")
_COMES = re.compile(r"^(\w+) = (\w+)\('([\w]+)'\)$")
#: Who comes back has been there before: it keeps its name.
_BACK = "come_back"


def folded(lines: Sequence[str]) -> list[str]:
    """The lines; where a block stands several times, one after the other, it stands once, in a loop."""
    repeated, told, at = _Repeated(lines), list[str](), 0
    while at < len(lines):
        size, times = max(repeated.at(at), key=lambda one: one[0] * (one[1] - 1), default=(1, 1))
        told.append(lines[at] if times == 1 else _loop(repeated.blocks(at, size, times)))
        at += size * times
    return told


class _Repeated:
    """Blocks that stand several times. A crowd of hundreds has as many lines: nothing is worked out twice."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        come = {comes[1] for line in lines if (comes := _COMES.match(line)) and comes[2] != _BACK}
        #: The lines, whoever they speak of: blocks of one shape are of one kind.
        self._kinds = [_kind(line, come) for line in lines]
        #: Where each word stands first and last.
        self._spoken: dict[str, tuple[int, int]] = {}
        for number, line in enumerate(lines):
            for word in re.findall(r"\w+", line):
                self._spoken[word] = (self._spoken.get(word, (number, number))[0], number)

    def blocks(self, at: int, size: int, times: int) -> list[Sequence[str]]:
        """So many of this size that begin here."""
        return [self.lines[at + n * size : at + (n + 1) * size] for n in range(times)]

    def at(self, at: int) -> Iterator[tuple[int, int]]:
        """Blocks that begin here and stand often enough: their size, and how often."""
        for size in range(1, min(LONGEST, (len(self.lines) - at) // TIMES) + 1):
            least, most = TIMES if size > 1 else ALONE, self._alike(at, size)
            if most < least or self._closed(at, size, least, at + size * most) < least:
                continue
            shapes = [_shape(block) for block in self.blocks(at, size, most)]
            times = next((n for n, shape in enumerate(shapes) if shape != shapes[0]), most)
            while times >= least and (closed := self._closed(at, size, times, at + size * times)) < times:
                times = closed if closed >= least else min(self._same(at, size), times - 1)
            if times >= least:
                yield size, times

    def _alike(self, at: int, size: int) -> int:
        """So many blocks may have one shape, at most."""
        first, end = self._kinds[at : at + size], at + size
        while self._kinds[end : end + size] == first:
            end += size
        return (end - at) // size

    def _same(self, at: int, size: int) -> int:
        """So many blocks are one and the same: whoever comes in one comes in all of them."""
        first, end = self.lines[at : at + size], at + size
        while self.lines[end : end + size] == first:
            end += size
        return (end - at) // size

    def _closed(self, at: int, size: int, times: int, end: int) -> int:
        """How many of the blocks there are before one in which somebody comes who is spoken of before or after."""
        for number, new in enumerate(_new(self.blocks(at, size, times))):
            places = [self._spoken[word] for pair in new for word in pair if word in self._spoken]
            if any(first < at or last >= end for first, last in places):
                return number
        return times


def _kind(line: str, come: Set[str]) -> str:
    comes = _COMES.match(line)
    if comes and comes[2] != _BACK:
        return f"# = {comes[2]}"
    return re.sub(r"\b[^\W\d]\w*\b", lambda word: "#" if word[0] in come else word[0], line)


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


def _new(blocks: Sequence[Sequence[str]]) -> list[list[tuple[str, str]]]:
    """Who comes in each block under a name of its own: variable and name, block by block."""
    each = [[comes for line in block if (comes := _COMES.match(line))] for block in blocks]
    same = [len({(one[1], one[3]) for one in column}) == 1 for column in zip(*each, strict=True)]
    return [[(one[1], one[3]) for one, is_same in zip(row, same, strict=True) if not is_same] for row in each]


def _loop(blocks: Sequence[Sequence[str]]) -> str:
    first, new = blocks[0], {variable for row in _new(blocks) for variable, _ in row}
    counter = next(word for word in _COUNTERS if not re.search(rf"\b{word}\b", "\n".join(first)))
    told = [f"for {counter} in range({len(blocks)}):"]
    for line in first:
        comes = _COMES.match(line)
        if comes and comes[1] in new:
            line = f'{comes[1]} = {comes[2]}(f"{comes[3]}{{{counter}}}")'
        told += ["    " + part for part in line.split("\n")]
    return "\n".join(told)
