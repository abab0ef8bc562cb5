"""What the server's threads were doing when something failed to come: looked at then and there, and before the stop.

A run in which nothing is missed is never looked at. A look takes some milliseconds of reading /proc, a second one
follows shortly after, to tell who is stuck from who is passing, and a tool that gives stacks has a second at most,
beside whatever goes on. What comes of it is evidence and a hint; no judge knows of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.client.log import Log
from harness.history import Left, Looked, Opened, Record, Sample
from harness.report.safe import visible, visible_lines
from harness.stage import Stage
from harness.target import Server, threads
from harness.target.threads import Look, Thread

#: Looks while a scenario goes on, and the time between two of them, in seconds.
MOST, APART_S = 2, 1.5
#: Between the two glances of a look, in seconds.
AGAIN_S = 0.08
#: Of a tool's words, in lines; of what threads do, in lines; threads named that do the same.
LINES, GROUPS, NAMED = 300, 40, 6
#: What a missed thing is called; of anything else no look is taken.
_MACHINERY = re.compile(r"\(threading\.py:\d+\)$|_bootstrap|java\.lang\.Thread\.run")
MISSED = {
    "reply": "a message did not come",
    "login": "a login was not answered",
    "introduction": "an introduction did not come",
}


class Witness:
    """Looks when it is told of something that did not come; see `looks` when the scenario is over."""

    def __init__(self, stage: Stage, log: Log, *, idle: bool = False) -> None:
        """`idle`: it takes no look; another run has seen the same."""
        self._stage = stage
        self._log = log
        self._tasks: list[asyncio.Task[None]] = []
        self._suspicious = False
        self.looks: list[Look] = []
        if not idle:
            log.on_missed = self.missed
            stage.before_the_stop = self.before_the_stop

    def missed(self, kind: str) -> None:
        """Something of this kind was waited for in vain."""
        if kind not in MISSED:
            return
        self._suspicious = True
        if len(self.looks) < MOST and (not self.looks or self._log.now() > self.looks[-1].at_s + APART_S):
            self._look(MISSED[kind], java=False)

    async def before_the_stop(self) -> None:
        """A last look, where something was missed or more threads are left than there were at first."""
        await self.settled()
        server = self._stage.server
        java = isinstance(server, Server) and threads.runtime(server.listener_pid) == "java"
        if self._threads_are_left() or (self._suspicious and (java or not self.looks)):
            self._look("it was to be stopped", java=True)
            await self.settled()

    async def settled(self) -> None:
        """Wait for what is under way: little more than `threads.TOOL_S`."""
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    def _threads_are_left(self) -> bool:
        samples = [record for record in self._log.records if isinstance(record, Sample)]
        before = next((one for one in samples if one.label == "before"), None)
        last = next((one for one in reversed(samples) if one.label.startswith("after-")), None)
        return before is not None and last is not None and last.alive and last.threads > before.threads

    def _look(self, why: str, *, java: bool) -> None:
        server = self._stage.server
        if not isinstance(server, Server) or self._stage.frozen or not server.is_alive():
            return
        pids = server.pids()
        found, more = threads.threads(pids)
        if not found:
            return
        look = Look(
            self._log.now(), why, found, (), more, threads.runtime(server.listener_pid), server.listener_pid,
            names=self._names(), departed=departed(self._log.records),
        )  # fmt: skip
        self.looks.append(look)
        self._tasks.append(asyncio.ensure_future(self._again(len(self.looks) - 1, pids, java=java)))

    async def _again(self, number: int, pids: list[int], *, java: bool) -> None:
        """The second glance, and the stacks. Whatever goes wrong here, there is just less to tell."""
        look = self.looks[number]
        with contextlib.suppress(Exception):
            await asyncio.sleep(AGAIN_S)  # the measurement itself: who is still in the same place
            again = {_place(one) for one in threads.threads(pids)[0]}
            look = replace(look, stuck=tuple(one for one in look.threads if _place(one) in again))
            self.looks[number] = look
            if look.runtime != "java" or java:
                tool, said = await threads.stacks(look.first)
                look = replace(look, tool=tool, stacks=said if tool else "", note="" if tool else said)
        self.looks[number] = look
        self._log.add(Looked(at_s=look.at_s, why=look.why, text=in_short(look)))

    def _names(self) -> dict[int, str]:
        return {member.wire.local_port: member.name for member in self._log.members if member.wire is not None}


def _place(one: Thread) -> tuple[object, ...]:
    return (one.tid, one.state, one.number, one.address, one.peer_port)


def departed(records: Iterable[Record]) -> tuple[str, float] | None:
    """Who left last, and when."""
    people: dict[int, str] = {}
    last: tuple[str, float] | None = None
    for record in records:
        if isinstance(record, Opened):
            people[record.conn] = record.who
        elif isinstance(record, Left):
            last = (people.get(record.conn, "somebody"), record.at_s)
    return last


# -- in words --------------------------------------------------------------------------------------------------------


def in_short(look: Look) -> str:
    """What the threads did, a kind a line: `waiting for a lock: 3`"""
    kinds = Counter(_KINDS[_kind(one)] for one in look.threads if _kind(one) in _KINDS)
    return "\n".join(f"{kind}: {count}" for kind, count in kinds.most_common())


#: What threads do, as a count of them goes on.
_KINDS = {
    "lock": "waiting for a lock", "futex": "waiting for another thread", "recv": "reading from a client",
    "send": "writing to a client", "accept": "waiting for newcomers", "poll": "waiting for any connection",
    "sleep": "sleeping", "child": "waiting for a child process", "running": "running",
}  # fmt: skip


def _kind(one: Thread) -> str:
    return "lock" if one.lock else one.call


def doing(one: Thread, names: Mapping[int, str]) -> str:
    """What one thread is doing, after its name."""
    who = names.get(one.peer_port, f"port {one.peer_port}")
    match _kind(one):
        case "lock":
            return f"waits for the lock at {one.address:#x}"
        case "futex":
            return "waits for another thread, not for ever" if one.timed else "waits for another thread"
        case "recv":
            return f"waits for bytes of {who}"
        case "send":
            return f"waits until {who} takes more bytes"
        case "" if one.wchan:
            return f"waits in the kernel, in {one.wchan}"
        case "":
            return f"is in system call {one.number}" if one.number is not None else "is doing what cannot be seen"
        case kind:
            return f"is {_KINDS[kind]}"


def as_text(looks: Iterable[Look]) -> str:
    """state.txt: each look, thread by thread, and the stacks; every line safe to print."""
    return "\n".join("\n".join(_lines(look)) for look in looks)


def _lines(look: Look) -> Iterable[str]:
    yield f"at {look.at_s:.2f} s, when {look.why}"
    yield f"{len(look.threads) + look.more} threads: {', '.join(dict.fromkeys(one.name for one in look.threads[:NAMED]))}"
    names = look.names or {}
    for done, those in _grouped((doing(one, names), str(one.tid)) for one in look.threads)[:GROUPS]:
        yield visible(f"{done}: thread {_some(those)}")
    if look.note:
        yield visible(look.note)
    if look.stacks:
        yield f"stacks, by {look.tool}"
        yield from ("    " + line for line in visible_lines(_folded(look.stacks), LINES))
    yield ""


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """What is the same once, with those of whom it is said."""
    groups: dict[str, list[str]] = {}
    for what, who in pairs:
        groups.setdefault(what, []).append(who)
    return list(groups.items())


def _some(those: list[str]) -> str:
    return ", ".join(those[:NAMED]) + (f" and {len(those) - NAMED} more" if len(those) > NAMED else "")


def _folded(text: str) -> str:
    """The stacks, equal ones once; without the threads of a virtual machine itself, which have none."""
    parts: list[tuple[str, str]] = []
    for block in re.split(r'\n(?=Thread |")', text.strip()):
        head, _, body = block.partition("\n")
        if body.strip() and head.startswith(("Thread ", '"')):
            frames = [line for line in body.splitlines() if not _MACHINERY.search(line)]
            parts.append(("\n".join(frames).rstrip(), head))
    return "\n".join(f"{_some(heads)}\n{frames}" for frames, heads in _grouped(parts))
