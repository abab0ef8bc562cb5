"""Hygiene: advice, a warning and never a failure."""

from __future__ import annotations

import re

from harness.properties.quoting import passed, quote, skipped, warned
from harness.properties.scene import Scene
from harness.results import Judgement

_UNHANDLED = re.compile(
    r"Traceback \(most recent call last\)|Exception in thread|Task exception was never retrieved|Unhandled exception"
    r"|^panic: |goroutine \d+ \[|thread '[^']*'[^\n]*panicked at|Uncaught |UnhandledPromiseRejection|node:events:\d+"
    r"|^\s+at [\w$.<>]+\([\w.]+:\d+\)|Segmentation fault|terminate called|AddressSanitizer|core dumped",
    re.MULTILINE,
)
#: The last line of a traceback by which a program says only that it was told to end.
_ORDERED = re.compile(r"(?:[\w.]+\.)?(?:KeyboardInterrupt|SystemExit|CancelledError|GeneratorExit)\b")
#: asyncio tells of a failed accept before its traceback, and accepts again a second later: it has handled it.
_ACCEPTS_LATER = re.compile(r"socket\.accept\(\) out of system resource\s+socket: [^\n]*\s+\Z")
_INTERNALS = re.compile(
    rb"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+|\n?\s+at [\w$.<>]+\([\w.]+:\d+\)|panicked at"
    rb"|goroutine \d+ \[|java\.(lang|io|net)\.\w+Exception|\[Errno \d+\]|(?:Error|Exception)\('|/(?:home|root|usr|tmp)/[\w./-]+\.\w+"
)


def handles(scene: Scene) -> Judgement | None:
    """Raises nothing that it does not handle."""
    if scene.baseline.remote:
        return skipped("handles", "the server is run by somebody else: its output cannot be seen")
    if not scene.samples:
        return None
    match = _first_unhandled(scene.output)
    if match is None:
        return passed("handles")
    tail = scene.output[match.start() : match.start() + 3000]
    last = next(
        (line for line in reversed(tail.splitlines()) if re.match(r"^\w+(\.\w+)*(Error|Exception)\b", line)), ""
    )
    return warned(
        "handles", "unhandled", f"the server printed an exception that nothing handled: {quote(last or match[0], 120)}",
        expected="faults of clients are handled", observed=quote(tail, 400),
    )  # fmt: skip


def _first_unhandled(output: str) -> re.Match[str] | None:
    """The first exception that nobody caught; an order to end is none, nor is what a runtime tells of what it caught."""
    for match in _UNHANDLED.finditer(output):
        if match[0].startswith("Traceback"):
            raised = re.search(r"^(?=\S)", output[match.end() + 1 : match.end() + 20_000], re.MULTILINE)
            ordered = raised is not None and _ORDERED.match(output, match.end() + 1 + raised.start())
            if ordered or _ACCEPTS_LATER.search(output[max(0, match.start() - 1000) : match.start()]):
                continue
        return match
    return None


def discreet(scene: Scene) -> Judgement | None:
    """Shows clients no internals."""
    shown = [(n.conn, n.unit) for n in scene.noticed]
    shown += [(i.conn, i.intro) for i in scene.introduced]
    shown += [(f.conn, f.got) for f in scene.join_failed.values()]
    for conn, unit in shown:
        if scene.attributed_to(unit) in scene.names:
            continue  # somebody's words
        match = _INTERNALS.search(unit)
        if match is not None:
            return warned(
                "discreet", "internals", f"{scene.who(conn)} was shown the server's internals: {quote(match[0], 80)}",
                expected="a plain word", observed=quote(unit),
            )  # fmt: skip
    return passed("discreet") if shown else None
