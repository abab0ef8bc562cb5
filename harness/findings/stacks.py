"""Stacks as py-spy and jstack print them: for each thread the places of the server's own code, innermost first. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.findings.exceptions import Frame

#: Frames kept of a thread, and threads.
FRAMES, THREADS = 40, 200
_SPY = re.compile(r'^Thread (\d+|0x[0-9A-Fa-f]+) \(([\w+ ]+)\)(?:: "(.*)")?$')
_SPY_FRAME = re.compile(r"^\s{4}(.+?) \(([^()]+):(\d+)\)$")
_JAVA = re.compile(r'^"(.{0,200}?)" .*\bnid=(0x[0-9a-f]+|\d+)')
_JAVA_FRAME = re.compile(r"^\s+at (?:[\w.@-]+/)*([\w$.<>]+)\(([\w$]+\.\w+):(\d+)\)")
_JAVA_LOCK = re.compile(r"^\s+- (?:waiting to lock|parking to wait for)\s+<(0x[0-9a-f]+)> \(a ([\w.$]+)\)")
#: The standard libraries, by the names that py-spy shortens them to, and by Java's packages.
_LIBRARY = frozenset({
    "socket.py", "threading.py", "queue.py", "selectors.py", "ssl.py", "socketserver.py", "concurrent/futures/thread.py",
    "codecs.py", "runpy.py",
})  # fmt: skip
_PLATFORM = re.compile(r"^(?:java|javax|jdk|sun)\.")


@dataclass(frozen=True, slots=True)
class Stack:
    """One thread's stack: `own` are the frames in the server's files, `lock` the address of a Java lock it waits for."""

    tid: int
    name: str
    own: tuple[Frame, ...]
    lock: str = ""


def stacks(tool: str, text: str) -> tuple[Stack, ...]:
    """The stacks in what a tool printed."""
    return tuple(_java(text) if tool == "jstack" else _spy(text))[:THREADS]


def _spy(text: str) -> list[Stack]:
    found: list[Stack] = []
    frames: list[Frame] = []
    for line in text.splitlines():
        if head := _SPY.match(line[:300]):
            frames = []
            found.append(Stack(int(head[1], 0), head[3] or "", ()))
        elif found and (frame := _SPY_FRAME.match(line[:400])) and len(frames) < FRAMES:
            if frame[2] not in _LIBRARY and not frame[2].startswith(("asyncio/", "<")):
                frames.append(Frame(frame[2], int(frame[3]), frame[1]))
            found[-1] = Stack(found[-1].tid, found[-1].name, tuple(frames))
    return found


def _java(text: str) -> list[Stack]:
    found: list[Stack] = []
    frames: list[Frame] = []
    lock = ""
    for line in text.splitlines():
        if head := _JAVA.match(line[:400]):
            frames, lock = [], ""
            found.append(Stack(int(head[2], 0), head[1], ()))
        elif found and (waits := _JAVA_LOCK.match(line[:300])):
            condition = "waiting to lock" not in line and ("ConditionObject" in waits[2] or "Sync" not in waits[2])
            lock = lock or ("" if condition else waits[1])
        elif (
            found
            and (frame := _JAVA_FRAME.match(line[:400]))
            and len(frames) < FRAMES
            and not _PLATFORM.match(frame[1])
        ):
            frames.append(Frame(frame[2], int(frame[3]), frame[1]))
        elif not line.strip():
            continue
        if found:
            found[-1] = Stack(found[-1].tid, found[-1].name, tuple(frames), lock)
    return found
