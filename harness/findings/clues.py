"""Clues: what a scenario's run shows of a cause, from what the server printed, how it ended, and what its threads did.

Pure. A clue is a hint with its ground, and never a verdict; `harness.findings.causes` puts failures down to clues.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from harness.findings.blocked import blocked
from harness.findings.exceptions import Thrown, thrown
from harness.history import History, Output, ServerEvent
from harness.report.safe import QUOTED, visible
from harness.results import Clue
from harness.target.threads import Look

#: Clues kept of one scenario.
MOST = 8
#: Of a message and of a source line, in characters.
TOLD, SOURCE = 200, 160

#: Finds a line by its file and number; "" where it is not at hand.
Source = Callable[[str, int], str]


def _no_source(file: str, line: int) -> str:
    return ""


_CONNECTION = re.compile(
    r"ConnectionReset|BrokenPipe|ConnectionAborted|ECONNRESET|EPIPE|SocketException|ClosedChannelException|AsynchronousClose"
    r"|EofException|Connection reset|Broken pipe|Socket closed|Stream closed|Socket is closed|ERR_STREAM|ERR_SOCKET"
    r"|Bad file descriptor|Transport endpoint is not connected|EndOfStream|IncompleteRead|EOFException|ConnectionError"
)
_WRITES = re.compile(
    r"\bsend(?:all|to|msg)?\b|\bwrite(?:lines|_all|v)?\b|\bflush\b|\bdrain\b|\bprintln?\b|BrokenPipe|Broken pipe|EPIPE"
    r"|implWrite|write after end|\bbroadcast|OutputStream|PrintWriter|BufferedWriter"
)
_READS = re.compile(
    r"\brecv\w*\b|\bread(?:line|exactly|until|_line|_until|_exact)?\b|\breadLine\b|implRead|InputStream|BufferedReader|makefile"
    r"|for \w+ in \w*(?:file|line|reader|input)\w*|readinto|socket\.py|read ECONNRESET|onStreamRead"
)
_BETWEEN_NAMES = re.compile(r"[/\\]")
#: What names a kind in the type or the message, in this order.
_NAMED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("descriptors", re.compile(r"Too many open files|EMFILE|ENFILE|Errno 24\b")),
    ("threads-out", re.compile(r"can't start new thread|unable to create (?:new )?native thread|failed to spawn thread")),
    ("memory-out", re.compile(r"MemoryError|OutOfMemory|out of memory|heap limit|bad_alloc")),
    ("iteration", re.compile(
        r"changed size during iteration|mutated during iteration|changed during iteration|ConcurrentModification"
        r"|concurrent map|Collection was modified")),
    ("decode", re.compile(
        r"Unicode(?:Decode|Encode)?Error|codec can't (?:de|en)code|MalformedInput|UnmappableCharacter|Utf8Error|valid UTF-8"
        r"|FromUtf8|invalid utf-?8|URI malformed", re.IGNORECASE)),
    ("long-line", re.compile(r"LimitOverrun|chunk exceed the limit|longer than limit|chunk is longer|MaxBytes")),
    ("cleanup", re.compile(r"x not in list|x not in deque|NoSuchElement|close of closed channel|already (?:closed|removed)")),
    ("goroutines", re.compile(r"closed channel|all goroutines are asleep|close of nil channel")),
    ("null", re.compile(
        r"NullPointer|nil pointer|NoneType|of (?:undefined|null)\b|is not a function|NullReference|nil map"
        r"|called `Option::unwrap\(\)` on a `None`")),
)  # fmt: skip
_ARGUMENT = re.compile(
    r"^(?:IndexError|ValueError|StringIndexOutOfBounds|ArrayIndexOutOfBounds|IndexOutOfBounds|NumberFormat|NoSuchElement"
    r"|InputMismatch|RangeError|IndexOutOfRange|FormatException|ArgumentOutOfRange)|index out of (?:range|bounds)"
    r"|slice bounds|index out of bounds|out of range|not enough values|too many values|invalid literal"
)
#: Signals that end a process by its own fault, and what they say.
_SIGNALS = {4: ("SIGILL", "memory-fault"), 6: ("SIGABRT", "aborted"), 7: ("SIGBUS", "memory-fault"),
            8: ("SIGFPE", "memory-fault"), 11: ("SIGSEGV", "memory-fault"), 13: ("SIGPIPE", "sigpipe")}  # fmt: skip


def clues(history: History, source: Source = _no_source, looks: Sequence[Look] = ()) -> tuple[Clue, ...]:
    """What this run shows, in the order of time; `source` gives the line of a place that was not printed, `looks` tell
    what the server's threads were doing."""
    found = [*_ends(history), *_printed(history, source), *blocked(looks, source)]
    unique: dict[tuple[str, str], Clue] = {}
    for clue in sorted(found, key=lambda one: one.at_s):
        unique.setdefault((clue.kind, clue.where), clue)
    return tuple(unique.values())[:MOST]


def _ends(history: History) -> list[Clue]:
    """The signal that ended the process, where nobody had asked it to end."""
    found = []
    for event in history.of(ServerEvent):
        if event.what == "exited" and not event.asked and event.detail.lstrip("-").isdigit():
            status = int(event.detail)
            signal = _SIGNALS.get(-status if status < 0 else status - 128 if status > 128 else 0)
            if signal is not None:
                found.append(Clue(signal[1], f"its process was ended by {signal[0]}", event.at_s))
    return found


def _printed(history: History, source: Source) -> list[Clue]:
    parts = list(history.of(Output))
    output = "".join(part.text for part in parts)
    starts, at = [], 0
    for part in parts:
        starts.append(at)
        at += len(part.text)
    told = []
    for one in thrown(output):
        at_s = parts[bisect_right(starts, one.at) - 1].at_s
        if not _asked_to_end(history, at_s):
            told.append(clue_of(one, at_s, source))
    return told


def _asked_to_end(history: History, at_s: float) -> bool:
    """Whether the server had been told to end by then: what it prints of that is no cause."""
    ending = False
    for event in history.of(ServerEvent):
        if event.at_s > at_s:
            break
        ending = (ending or event.what in ("signal", "killed")) and event.what != "ready"
    return ending


def clue_of(one: Thrown, at_s: float, source: Source = _no_source) -> Clue:
    """What an exception says."""
    place = one.own[0] if one.own else None
    line = (place.source or source(place.file, place.line)) if place else ""
    where = f"{_BETWEEN_NAMES.split(place.file)[-1]}:{place.line}" if place else ""
    if place and place.function and not place.function.startswith("<"):
        where += f" ({place.function.removesuffix('()')})"
    return Clue(
        kind_of(one), f"its output shows {visible(one.told, TOLD)}", at_s, visible(where, QUOTED), visible(line.strip(), SOURCE)
    )  # fmt: skip


def kind_of(one: Thrown) -> str:
    """The kind of cause that an exception suggests."""
    if one.language == "c":
        return "aborted" if one.type == "assertion" or one.message == "true" else _native(one)
    told = f"{one.type}: {one.message}"
    for kind, pattern in _NAMED:
        if pattern.search(told):
            return kind
    if _CONNECTION.search(told):
        return _side(one)
    if _ARGUMENT.search(one.name) or _ARGUMENT.search(one.message):
        return "argument"
    if one.name == "KeyError":
        removing = one.own and re.search(r"\b(?:del|pop|remove|discard)\b", one.own[0].source)
        return "cleanup" if removing else "exception"
    return "exception"


def _native(one: Thrown) -> str:
    if one.type in ("heap", "AddressSanitizer", "MemorySanitizer", "UndefinedBehaviorSanitizer", "ThreadSanitizer"):
        return "memory-fault"
    return "memory-out" if "bad_alloc" in one.type else "aborted" if one.type != "LeakSanitizer" else "exception"


def _side(one: Thrown) -> str:
    """Whether the connection failed where the server reads or where it writes."""
    told = [f"{one.type} {one.message}", *(f"{frame.file} {frame.function} {frame.source}" for frame in one.frames)]
    for words in told:
        writes, reads = _WRITES.search(words), _READS.search(words)
        if bool(writes) != bool(reads):
            return "dead-receiver" if writes else "read-reset"
    return "connection-error"
