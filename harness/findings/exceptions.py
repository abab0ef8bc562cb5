"""Exceptions that a server printed, picked out of its output: type, message, and the line of its own code.

Python, Java, Node, .NET, Go, Rust, and what C's sanitizers and runtime say. A scanner goes over the lines once; the
bytes are a stranger's, so that everything found is bounded and nothing of it is believed. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

#: Exceptions found in one output, frames of one, and lines that one may span.
MOST, FRAMES, SPAN = 60, 60, 240
#: A longer line holds no exception worth reading, in characters.
LINE = 2000
#: How a program is told to end: no fault of anybody.
_ORDERS = frozenset({"KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError", "InterruptedException"})
_FOREIGN = re.compile(
    r"<frozen|<string>|[/\\]lib(?:64)?[/\\]python\d|[/\\]lib[/\\]python|site-packages|dist-packages|^node:|node_modules"
    r"|/go/src/|/libexec/src/|/rustc/|/\.cargo/|libsanitizer|/usr/(?:include|src)/|\.\./(?:sysdeps|csu|nptl)/"
)
_PLATFORM = re.compile(r"^(?:java|javax|jdk|sun|com\.sun|kotlin|scala|System|Microsoft)\.")


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a program. `source` is the line itself, where it was printed."""

    file: str
    line: int
    function: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Thrown:
    """One exception: the frames innermost first, `own` those of the server's own files; `at` is where it begins."""

    language: str
    type: str
    message: str
    frames: tuple[Frame, ...]
    own: tuple[Frame, ...]
    at: int
    text: str

    @property
    def name(self) -> str:
        """The type without its package."""
        return re.split(r"[.:]+", self.type)[-1]

    @property
    def told(self) -> str:
        """`ConnectionResetError: [Errno 104] Connection reset by peer`"""
        return f"{self.type}: {self.message}" if self.message else self.type


def thrown(output: str) -> tuple[Thrown, ...]:
    """What was thrown, in the order of the output; of a chain the last one, of Java's causes the first."""
    lines, starts, at = [], [], 0
    for line in output.split("\n"):
        starts.append(at)
        at += len(line) + 1
        lines.append(line[:LINE].rstrip("\r"))
    found: list[Thrown] = []
    number = 0
    while number < len(lines) and len(found) < MOST:
        tangle = _tangle(lines, number)
        if tangle is not None:
            found += [replace(one, at=starts[at], text=lines[at]) for one, at in tangle[0] if one.name not in _ORDERS]
            number = tangle[1]
            continue
        one, after = _at(lines, number)
        if one is not None and one.name not in _ORDERS:
            found.append(replace(one, at=starts[number], text="\n".join(lines[number:after])))
        number = max(after, number + 1)
    return _without_less_told(found)


def _without_less_told(found: Sequence[Thrown]) -> tuple[Thrown, ...]:
    """What came out of a tangle without its place is told once, and not where the same was printed with its place."""
    told, kept = {one.told for one in found if one.frames}, list[Thrown]()
    for one in found:
        if one.frames or one.language != "python" or one.told not in told:
            kept.append(one)
            told.add(one.told)
    return tuple(kept)


def _at(lines: Sequence[str], number: int) -> tuple[Thrown | None, int]:
    """The exception that begins with this line, and the number of the line after it."""
    for reader in _READERS:
        read = reader(lines, number)
        if read is not None:
            return read
    return None, number + 1


_Read = tuple[Thrown | None, int]


def _made(language: str, kind: str, message: str, frames: Sequence[Frame]) -> Thrown:
    own = tuple(frame for frame in frames if not _FOREIGN.search(frame.file) and not _PLATFORM.match(frame.function))
    return Thrown(language, kind, message.strip(), tuple(frames), own, 0, "")


# -- Python ----------------------------------------------------------------------------------------------------------

_TRACEBACK = "Traceback (most recent call last):"
_PYTHON_FRAME = re.compile(r'^[\s|+-]*File "([^"]+)", line (\d+)(?:, in (.*))?$')
_PYTHON_END = re.compile(r"^[\s|]*([A-Za-z_][\w.]*)(?::\s?(.*))?$")
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")


def _python(lines: Sequence[str], number: int) -> _Read | None:
    if not lines[number].endswith(_TRACEBACK):
        return None
    frames: list[Frame] = []
    indent = len(lines[number]) - len(_TRACEBACK)
    at = number + 1
    while at < min(len(lines), number + SPAN):
        line = lines[at]
        frame = _PYTHON_FRAME.match(line)
        if frame:
            source = _source(lines, at)
            frames.append(Frame(frame[1], int(frame[2]), frame[3] or "", source))
            at += bool(source)
        elif frames and (end := _PYTHON_END.match(line)) and not line.startswith(" " * (indent + 2)):
            chained = _chained(lines, at)
            if chained is not None:
                return _python(lines, chained)
            return _made("python", end[1], end[2] or "", frames[-FRAMES:][::-1]), at + 1
        at += 1
    return None, at


def _source(lines: Sequence[str], at: int) -> str:
    """The line that a frame shows: it is indented more than the frame's own."""
    line = lines[at + 1] if at + 1 < len(lines) else ""
    deeper = len(line) - len(line.lstrip()) > len(lines[at]) - len(lines[at].lstrip())
    return line.strip() if deeper and not _PYTHON_FRAME.match(line) else ""


def _chained(lines: Sequence[str], at: int) -> int | None:
    """Where the next traceback of a chain begins."""
    for number in range(at + 1, min(at + 4, len(lines))):
        if lines[number].strip().startswith(_CHAINED):
            return next((n for n in range(number, min(number + 4, len(lines))) if lines[n].endswith(_TRACEBACK)), None)
    return None


# Tracebacks of threads that end at the same time are printed into one another, line by line: each line is whole, and
# whose it is is certain only while one of them alone is at work.

#: Lines that such a tangle may span.
TANGLE = 2000
_OUTERMOST = ("_bootstrap_inner", "__bootstrap_inner", "<module>")
_SURE_END = re.compile(r"(?:Error|Exception|Exit|Interrupt|Warning|timeout)$|\.[A-Z]\w*$")
_Tangle = tuple[list[tuple[Thrown, int]], int]


def _tangle(lines: Sequence[str], number: int) -> _Tangle | None:
    """What ended in the tangle that begins with this line, each with the line that says so, and the line after it all.

    None where this line begins no traceback, or one that ends before the next begins.
    """
    if not _begins(lines[number]) or not _tangled(lines, number):
        return None
    heads, frames, ends, at = [number], list[tuple[int, Frame]](), list[tuple[int, str, str]](), number + 1
    while at < min(len(lines), number + TANGLE) and len(ends) < len(heads):
        frame, end = _PYTHON_FRAME.match(lines[at]), _sure_end(lines[at])
        if _begins(lines[at]):
            heads.append(at)
        elif frame:
            frames.append((at, Frame(frame[1], int(frame[2]), frame[3] or "", _source(lines, at))))
        elif end and frames:
            ends.append((at, *end))
        at += 1
    return _untangled(heads, frames, ends), at


def _begins(line: str) -> bool:
    """Whether a traceback begins here: those within an exception group belong to it."""
    return line.endswith(_TRACEBACK) and not line.lstrip().startswith(("|", "+"))


def _tangled(lines: Sequence[str], number: int) -> bool:
    """Whether another traceback begins before this one has ended."""
    framed = False
    for line in lines[number + 1 : number + SPAN]:
        if _begins(line):
            return True
        if _PYTHON_FRAME.match(line):
            framed = True
        elif framed and not line.startswith("  ") and _PYTHON_END.match(line):
            return False
    return False


def _sure_end(line: str) -> tuple[str, str] | None:
    """Type and message where a line surely is the last of a traceback: between them others print what they like."""
    end = _PYTHON_END.match(line)
    return (end[1], end[2] or "") if end and not line[:1].isspace() and _SURE_END.search(end[1]) else None


def _untangled(
    heads: Sequence[int], frames: Sequence[tuple[int, Frame]], ends: Sequence[tuple[int, str, str]]
) -> list[tuple[Thrown, int]]:
    """Each exception with the frames that are certainly its own."""
    alike = _alike([frame for _, frame in frames], len(heads)) if len({end[1:] for end in ends}) == 1 else ()
    if alike and len(ends) == len(heads):
        return [(_made("python", kind, message, alike), at) for at, kind, message in ends[:1]]
    outermost = [at for at, frame in frames if frame.function in _OUTERMOST]
    begins = outermost if len(outermost) == len(heads) else heads
    found, before = [], 0
    for ended, (end, kind, message) in enumerate(ends):
        begun = [at for at in begins if at < end]
        since = max(before, begun[-1]) if len(begun) == ended + 1 else end  # from there on it alone was at work
        own = [frame for at, frame in frames if since <= at < end]
        found.append((_made("python", kind, message, own[-FRAMES:][::-1]), end))
        before = end
    return found


def _alike(frames: Sequence[Frame], count: int) -> tuple[Frame, ...]:
    """The frames, innermost first, where `count` stacks that are all the same account for them; else none."""
    places = Counter((frame.file, frame.line, frame.function) for frame in frames)
    if set(places.values()) != {count}:
        return ()
    told = list[Frame]()
    for place in places:
        said = {frame.source for frame in frames if (frame.file, frame.line, frame.function) == place} - {""}
        told.append(Frame(*place, source=said.pop() if len(said) == 1 else ""))
    return tuple(told[-FRAMES:][::-1])


# -- Java, Node, .NET ------------------------------------------------------------------------------------------------

_JAVA = re.compile(
    r'^(?:.{0,80}?Exception in thread "[^"]{0,200}" |Caused by: )?((?:[a-z_][\w$]*\.)+[A-Z][\w$.]*)(?::\s?(.*))?$'
)
_JAVA_FRAME = re.compile(r"^\s+at (?:[\w.@-]+/)*([\w$.<>]+)\((?:([\w$]+\.\w+):(\d+)|[^()]*)\)")
_JAVA_MORE = re.compile(r"^\s+\.\.\. \d+ |^Caused by: |^\s+Suppressed: ")
_NODE = re.compile(r"^(?:Uncaught )?((?:[A-Z]\w*)?(?:Error|Exception))(?: \[\w+\])?(?::\s?(.*))?$")
_NODE_FRAME = re.compile(r"^\s+at (?:(.{0,200}?) \()?(?:file://)?([^()\s][^()]{0,400}?):(\d+):\d+\)?$")
_DOTNET = re.compile(r"^Unhandled exception\. ((?:\w+\.)+\w+)(?::\s?(.*))?$")
_DOTNET_FRAME = re.compile(r"^\s+at (.{1,200}?) in (.{1,400}):line (\d+)$")


def _java(lines: Sequence[str], number: int) -> _Read | None:
    head = _JAVA.match(lines[number])
    if head is None or number + 1 >= len(lines) or not _JAVA_FRAME.match(lines[number + 1]):
        return None
    kind, message, frames, at = head[1], head[2] or "", [], number + 1
    while at < min(len(lines), number + SPAN):
        frame, cause = _JAVA_FRAME.match(lines[at]), _JAVA.match(lines[at])
        if frame:
            frames.append(Frame(frame[2] or "", int(frame[3] or 0), frame[1]))
        elif cause and lines[at].startswith("Caused by: "):
            kind, message, frames = cause[1], cause[2] or "", []
        elif not _JAVA_MORE.match(lines[at]):
            break
        at += 1
    return _made("java", kind, message, [frame for frame in frames if frame.line or frame.function][:FRAMES]), at


def _node(lines: Sequence[str], number: int) -> _Read | None:
    head = _NODE.match(lines[number])
    if head is None or number + 1 >= len(lines) or not re.match(r"^\s+at ", lines[number + 1]):
        return None
    frames, at = [], number + 1
    while at < min(len(lines), number + SPAN) and re.match(r"^\s+at |^Emitted ", lines[at]):
        frame = _NODE_FRAME.match(lines[at])
        if frame:
            frames.append(Frame(frame[2], int(frame[3]), frame[1] or ""))
        at += 1
    return _made("node", head[1], head[2] or "", frames[:FRAMES]), at


def _dotnet(lines: Sequence[str], number: int) -> _Read | None:
    head = _DOTNET.match(lines[number])
    if head is None:
        return None
    frames, at = [], number + 1
    while at < min(len(lines), number + SPAN) and re.match(r"^\s+(?:at |---)", lines[at]):
        frame = _DOTNET_FRAME.match(lines[at])
        if frame:
            frames.append(Frame(frame[2], int(frame[3]), frame[1]))
        at += 1
    return _made("dotnet", head[1], head[2] or "", frames[:FRAMES]), at


# -- Go, Rust --------------------------------------------------------------------------------------------------------

_GO = re.compile(r"^(panic|fatal error): (.*)$")
_GO_FRAME = re.compile(r"^\t(\S+\.go):(\d+)")
_RUST = re.compile(r"thread '[^']{0,100}'(?: \(\d+\))? panicked at (?:'(.*)', )?([^\s']+\.rs):(\d+):\d+:?$")


def _go(lines: Sequence[str], number: int) -> _Read | None:
    head = _GO.match(lines[number])
    if head is None or not any(line.startswith("goroutine ") for line in lines[number + 1 : number + 12]):
        return None
    frames, at, goroutines = [], number + 1, 0
    while at < min(len(lines), number + SPAN):
        goroutines += lines[at].startswith("goroutine ")
        if goroutines > 1:
            break  # the others' stacks: the first is the one that panicked
        frame = _GO_FRAME.match(lines[at])
        if frame:
            function = re.sub(r"\(.*", "", lines[at - 1]).strip()
            frames.append(Frame(frame[1], int(frame[2]), function))
        at += 1
    return _made("go", head[1], head[2], frames[:FRAMES]), at


def _rust(lines: Sequence[str], number: int) -> _Read | None:
    head = _RUST.search(lines[number])
    if head is None:
        return None
    message = head[1] or (lines[number + 1] if number + 1 < len(lines) else "")
    return _made("rust", "panic", message, [Frame(head[2], int(head[3]))]), number + 2


# -- C and C++ -------------------------------------------------------------------------------------------------------

_SANITIZER = re.compile(r"(?:ERROR|WARNING): (\w+Sanitizer): (attempting [\w-]+|data race|[\w-]+)")
_SANITIZER_FRAME = re.compile(r"^\s+#\d+ (?:0x[0-9a-f]+ in )?(\S+) ([^\s():]+):(\d+)")
_UNDEFINED = re.compile(r"^(\S+\.(?:c|cc|cpp|cxx|h|hpp)):(\d+):\d+: (runtime error: .*)$")
_TERMINATE = re.compile(r"^terminate called (?:after throwing an instance of '([^']+)'|(without an active exception))")
_ASSERTION = re.compile(r"^.{0,200}?([\w./-]+\.(?:c|cc|cpp|cxx|h|hpp)):(\d+): .{0,300}Assertion [`'](.*)' failed")
_HEAP = re.compile(
    r"^(?:\*\*\* )?(stack smashing detected|buffer overflow detected|double free or corruption|free\(\): .*|malloc\(\): .*"
    r"|realloc\(\): .*|munmap_chunk\(\): .*|corrupted .*|malloc_consolidate\(\): .*)"
)


def _native(lines: Sequence[str], number: int) -> _Read | None:
    line = lines[number]
    if found := _SANITIZER.search(line):
        frames: list[Frame] = []
        at = number + 1
        while at < min(len(lines), number + SPAN) and (_SANITIZER_FRAME.match(lines[at]) or not frames):
            frame = _SANITIZER_FRAME.match(lines[at])
            if frame:
                frames.append(Frame(frame[2], int(frame[3]), frame[1]))
            at += 1
        return _made("c", found[1], found[2], frames[:FRAMES]), at
    if found := _UNDEFINED.match(line):
        return _made("c", "UndefinedBehaviorSanitizer", found[3], [Frame(found[1], int(found[2]))]), number + 1
    if found := _ASSERTION.match(line):
        return _made("c", "assertion", found[3], [Frame(found[1], int(found[2]))]), number + 1
    if found := _TERMINATE.match(line):
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        said = after.removeprefix("what():").strip() if after.startswith("what():") else found[2] or ""
        return _made("c", found[1] or "terminate", said, []), number + 1
    if found := _HEAP.match(line):
        return _made("c", "heap", found[1], []), number + 1
    return None


_READERS: tuple[Callable[[Sequence[str], int], _Read | None], ...] = (
    _python,
    _java,
    _node,
    _dotnet,
    _go,
    _rust,
    _native,
)


def places(found: Sequence[Thrown]) -> Iterator[Frame]:
    """The line of its own code at which each was thrown, where there is one."""
    return (one.own[0] for one in found if one.own)
