"""Clues from what the server's threads were doing: who waits for one lock, who is stuck in sending, who reads alone.

Pure. Where one thread is stuck in sending and others wait for a lock, the sending is the clue: it holds the lock.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from harness.findings.exceptions import Frame
from harness.findings.stacks import Stack, stacks
from harness.report.safe import visible
from harness.results import Clue
from harness.target.threads import Look, Thread

Source = Callable[[str, int], str]
#: Callers told with a place.
CALLERS = 4
_TAKES_LOCK = re.compile(r"\bwith\b.*(?:lock|mutex|sem|cond)|\bacquire\(|\.lock\(|synchronized", re.IGNORECASE)


def blocked(looks: Sequence[Look], source: Source) -> tuple[Clue, ...]:
    """What each look says, if anything; of looks that say the same the first."""
    found: dict[tuple[str, str], Clue] = {}
    for look in looks:
        for clue in _of(look, source):
            found.setdefault((clue.kind, clue.where), clue)
    placed = {clue.kind for clue in found.values() if clue.where}
    return tuple(clue for clue in found.values() if clue.where or clue.kind not in placed)


def _of(look: Look, source: Source) -> Iterable[Clue]:
    told = {one.tid: one for one in stacks(look.tool, look.stacks)} if look.tool else {}
    sending = [one for one in look.stuck if one.call == "send"]
    if sending:
        who = (look.names or {}).get(sending[0].peer_port)
        what = f"a thread is stuck in sending to {visible(who)}" if who else "a thread is stuck in sending to a client"
        yield _clue("blocked-send", what, look, told.get(sending[0].tid), source)
        return
    locked = _of_one_lock(look, told, source)
    if locked:
        count, stack = locked
        what = (
            f"{count} threads wait for the same lock"
            if count > 1
            else "a thread waits for a lock that nobody gives back"
        )
        yield _clue("lock", what + _since(look), look, stack, source)
    elif (reader := _reads_alone(look)) is not None:
        who = (look.names or {}).get(reader.peer_port)
        what = (
            f"its only thread waits for bytes of {visible(who)}"
            if who
            else "its only thread waits for bytes of one client"
        )
        yield _clue("blocked-read", what, look, told.get(reader.tid), source)


def _since(look: Look) -> str:
    if look.departed is None:
        return ""
    who, at_s = look.departed
    return f"; the last to leave before was {visible(who)}, at {at_s:.2f} s"


def _of_one_lock(look: Look, told: dict[int, Stack], source: Source) -> tuple[int, Stack | None] | None:
    """How many threads wait for the lock that most wait for, and the stack of one of them.

    Where the stack of a Python thread and its source are at hand, the line says whether it takes a lock; else several
    threads that wait at one address do. A thread that idles waits as well: for an event, a queue, a task.
    """
    if look.runtime == "java":
        return _of_java(told.values())
    lines: dict[str, list[Stack]] = defaultdict(list)
    places: dict[tuple[int, int], list[Thread]] = defaultdict(list)
    for one in look.stuck:
        stack = told.get(one.tid)
        line = source(stack.own[0].file, stack.own[0].line) if stack and stack.own else ""
        if stack and one.python and one.call == "futex" and not one.timed and _TAKES_LOCK.search(line):
            lines[line.strip()].append(stack)
        elif one.lock and not (one.python and (line or (stack and not stack.own))):
            places[one.pid, one.address].append(one)
    if lines:
        known = max(lines.values(), key=len)
        return len(known), max(known, key=lambda stack: len(stack.own))
    waiting = max(places.values(), key=len, default=[])
    if len(waiting) < 2:
        return None
    stacked = [told[one.tid] for one in waiting if one.tid in told]
    return len(waiting), max(stacked, key=lambda stack: len(stack.own), default=None)


def _of_java(told: Iterable[Stack]) -> tuple[int, Stack] | None:
    groups: dict[str, list[Stack]] = defaultdict(list)
    for stack in told:
        if stack.lock and stack.own:
            groups[stack.lock].append(stack)
    waiting = max(groups.values(), key=len, default=[])
    return (len(waiting), waiting[0]) if waiting else None


def _reads_alone(look: Look) -> Thread | None:
    """The one thread of the process that listens, where it waits for one client's bytes."""
    mine = [one for one in look.threads if one.pid == look.first]
    stuck = [one for one in look.stuck if one.pid == look.first and one.call == "recv"]
    return stuck[0] if len(mine) == 1 and stuck else None


def _clue(kind: str, what: str, look: Look, stack: Stack | None, source: Source) -> Clue:
    return Clue(kind, what, look.at_s, *_told(stack.own if stack else (), source))


def _told(frames: Sequence[Frame], source: Source) -> Iterator[str]:
    """The place and its callers, and the line itself; of a deadlock the callers tell who took the lock first."""
    if not frames:
        return
    yield visible(" ← ".join(_place(frame) for frame in frames[:CALLERS]))
    yield visible(source(frames[0].file, frames[0].line))


def _place(frame: Frame) -> str:
    name = re.split(r"[/\\]", frame.file)[-1]
    return f"{name}:{frame.line}" + (f" ({frame.function})" if not frame.function.startswith("<") else "")
