"""Plots of one run: round trips, connections, and what the server's process used, over time.

A dozen marks and two axes need no library; the canvas of the diagrams draws them, in the same colours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.evidence.drawing import SMALL, Canvas, Point
from harness.evidence.rows import Span
from harness.evidence.story import spans_of
from harness.evidence.words import Say, speaker
from harness.history import Ended, History, Left, Opened, OpenFailed, Phase, Sample
from harness.properties.scene import Scene

_WIDTH, _LEFT, _RIGHT, _TOP = 720.0, 62.0, 16.0, 40.0
#: Fewer connections at the same time than this make no plot of their own.
STORM = 10
#: Points that are drawn of one series; of more, each of equal spans of time shows its worst.
_MOST_POINTS = 400
#: Words that would stand on one another stand in rows so far apart.
_ROW = 12
#: The colour of the words beside a shade.
_INKS = {"toxic": "cut", "down": "soft"}
_LEVEL_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to pixels, and where the ticks are."""

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(max(value, self.low)), math.log10(low), math.log10(high)
        return self.begin + (self.end - self.begin) * (value - low) / ((high - low) or 1.0)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values along the axis."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            return [10.0**n for n in range(first, last + 1) if self.low <= 10.0**n <= self.high * 1.001]
        rough = (self.high - self.low) / wanted or 1.0
        size = 10 ** math.floor(math.log10(rough))
        step = next(size * s for s in _LEVEL_STEPS if size * s >= rough)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, int(self.high / step + 1e-9) + 1)]


def plots(scene: Scene, lang: str) -> dict[str, str]:
    """The plots that this run has something to say in: `plot-rtt`, `plot-connections`, `plot-process`."""
    say = speaker(lang)
    drawn = {
        "plot-rtt": round_trips(scene, say, lang),
        "plot-connections": connections(scene, say, lang),
        "plot-process": process(scene, say, lang),
    }
    return {name: svg for name, svg in drawn.items() if svg is not None}


# -- the three ---------------------------------------------------------------------------------------------------


def round_trips(scene: Scene, say: Say, lang: str) -> str | None:
    """How long each message took to reach the last of those who must hear it; what was lost stands at the top."""
    lost = {said.token for said, _ in scene.lost}
    times: list[Point] = []
    missing: list[float] = []
    for said in scene.said:
        hearers = scene.hearers(said)
        delays = [hearers[c].at_s - said.at_s for c in said.expects if c in hearers]
        if said.token in lost:
            missing.append(said.at_s)
        elif delays:
            times.append((said.at_s, max(1e-5, max(delays)) * 1000))
    if len(times) + len(missing) < 4:
        return None
    times = _thinned(times)
    values = [y for _, y in times] or [1.0]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values) * 1.05))
    moments = [*missing, *(x for x, _ in times)]
    frame = _Frame(scene.history, say("How long messages take"), lang, 200, moments)
    axis = _Axis(low, max(high, low * 10), frame.bottom, _TOP + 14, log=True)
    frame.spans(spans_of(scene), say)
    frame.phases(say)
    frame.levels(axis, lambda v: _number(v, lang) + " ms")
    for x, y in times:
        frame.canvas.dot((frame.x(x), axis(y)), 2.6, "blue")
    for x in _some(missing):
        frame.canvas.cross((frame.x(x), _TOP + 4), "lbad", 3.5)
    keys = [("blue", say("reaches everybody"))] + ([("bad", f"{say('lost')} ({len(missing)})")] if missing else [])
    return frame.svg(keys)


def connections(scene: Scene, say: Say, lang: str) -> str | None:
    """How many clients are connected; those that could not connect are marked."""
    changes: list[tuple[float, int]] = []
    over: dict[int, float] = {}
    for record in scene.history.records:
        if isinstance(record, (Left, Ended)):
            over[record.conn] = min(record.at_s, over.get(record.conn, record.at_s))
    for opened in scene.history.of(Opened):
        changes.append((opened.at_s, 1))
        changes.append((max(opened.at_s, over.get(opened.conn, scene.history.records[-1].at_s)), -1))
    count, steps = 0, [(0.0, 0.0)]
    for at_s, change in sorted(changes):
        count += change
        steps.append((at_s, float(count)))
    peak = max(y for _, y in steps)
    if peak < STORM:
        return None
    frame = _Frame(scene.history, say("How many clients are connected"), lang, 190)
    axis = _Axis(0, peak * 1.1, frame.bottom, _TOP + 6)
    frame.spans(spans_of(scene), say)
    frame.phases(say)
    frame.levels(axis, lambda v: f"{v:.0f}")
    points = _stairs([(frame.x(x), axis(y)) for x, y in _thinned(steps, 2 * _MOST_POINTS)], frame.right)
    frame.canvas.path([(points[0][0], frame.bottom), *points, (points[-1][0], frame.bottom)], "area", closed=True)
    frame.canvas.path(points, "lblue")
    refused = [r.at_s for r in scene.history.of(OpenFailed)]
    for x in _some(refused):
        frame.canvas.cross((frame.x(x), _TOP + 4), "lbad", 3.5)
    keys = [("blue", say("connected"))] + ([("bad", f"{say('could not connect')} ({len(refused)})")] if refused else [])
    return frame.svg(keys)


def process(scene: Scene, say: Say, lang: str) -> str | None:
    """Threads, descriptors and memory of the server's process tree, each with its level of rest before the fault."""
    samples = [s for s in scene.history.of(Sample) if s.alive]
    if len(samples) < 3:
        return None
    rest = next((s for s in samples if s.label == "before"), samples[0])
    kinds: list[tuple[str, Callable[[Sample], float], int]] = [
        (say("threads"), lambda s: float(s.threads), 0),
        (say("descriptors"), lambda s: float(s.descriptors), 0),
        (say("memory, MB"), lambda s: s.rss_bytes / 1e6, 1),
    ]
    frame = _Frame(scene.history, say("What the server's process uses"), lang, 3 * 92 + 6)
    frame.spans(spans_of(scene), say)
    frame.phases(say)
    for number, (name, value, digits) in enumerate(kinds):
        top = _TOP + 14 + number * 92
        level = value(rest)
        highest = max(value(s) for s in samples)
        axis = _Axis(0, max(highest, level, 1.0) * 1.15, top + 70, top)
        frame.canvas.line((_LEFT, top + 70), (frame.right, top + 70), "thin")
        frame.canvas.line((_LEFT, axis(level)), (frame.right, axis(level)), "lgood dash")
        points = [(frame.x(s.at_s), axis(value(s))) for s in samples]
        frame.canvas.path(_stairs(points, points[-1][0]), "lblue")  # what was between two looks is not known
        for point in points:
            frame.canvas.dot(point, 1.8, "blue")
        grown = highest > level * 1.2 + 1
        frame.canvas.text((_LEFT + 4, top + 2), name, "small strong halo")
        frame.canvas.text((_LEFT - 6, axis(level) + 4), _number(level, lang, digits), "small good halo", "end")
        if grown:
            at = max(samples, key=value)
            where = (max(_LEFT + 90, min(frame.x(at.at_s), frame.right - 20)), axis(value(at)) - 6)
            frame.canvas.text(where, _number(value(at), lang, digits), "small blue halo", "middle")
    return frame.svg([("blue", say("measured")), ("good", say("at rest, before the fault"))])


# -- what they share ---------------------------------------------------------------------------------------------


class _Frame:
    """Title, time axis, shaded spans."""

    def __init__(self, history: History, title: str, lang: str, height: float, moments: Sequence[float] = ()) -> None:
        self.title, self.lang, self.scenario, self.history = title, lang, history.scenario, history
        self.canvas = Canvas()
        self.bottom = _TOP + height
        self.right = _WIDTH - _RIGHT
        self.shades: dict[str, str] = {}
        begin, end = 0.0, max((r.at_s for r in history.records), default=1.0)
        if moments:
            around = 0.04 * (max(moments) - min(moments)) or 0.1
            begin, end = max(0.0, min(moments) - around), max(moments) + around
        self.x = _Axis(begin, max(end, begin + 0.1), _LEFT, self.right)

    def spans(self, spans: Sequence[Span], say: Say) -> None:
        """Shade what lasted: a toxic, a server that is down."""
        for span in spans:
            left, right = self.x(max(span.begin_s, self.x.low)), self.x(min(span.end_s, self.x.high))
            if left <= self.right and right >= _LEFT:
                self.canvas.box((left, _TOP), max(1.5, right - left), self.bottom - _TOP, span.kind, 0)
                self.shades[span.kind] = say("toxic on" if span.kind == "toxic" else "server down")

    def phases(self, say: Say) -> None:
        """Lines down where the fault is over, and where it is only repeated to see whether anything grows."""
        begins = {p.name: p.at_s for p in reversed(list(self.history.of(Phase)))}
        rest_s, stop_s = begins.get("rest", math.inf), begins.get("stop", math.inf)
        again = any(rest_s < o.at_s < stop_s for o in self.history.of(Opened))
        told = {"calm": "the fault is over", "rest": "the fault again" if again else "at rest", "stop": "the end"}
        taken: list[tuple[float, float, int]] = []  # from, to, and in which row
        for name, words in told.items():
            x = self.x(begins.get(name, math.inf)) if name in begins else math.inf
            if _LEFT <= x <= self.right:
                self.canvas.line((x, _TOP), (x, self.bottom), "thin dash")
                near = x > self.right - (SMALL + 1) * len(say(words))
                long = (SMALL + 1) * len(say(words)) + 6
                begin, end = (x - long, x) if near else (x, x + long)
                others = {row for left, right, row in taken if begin < right and left < end}
                row = next(number for number in range(len(told)) if number not in others)
                taken.append((begin, end, row))
                where = (x - 3 if near else x + 3, self.bottom - 4 - _ROW * row)
                self.canvas.text(where, say(words), "small soft halo", "end" if near else "start")

    def levels(self, axis: _Axis, told: Callable[[float], str]) -> None:
        """Lines across, with their values."""
        for tick in axis.ticks():
            self.canvas.line((_LEFT, axis(tick)), (self.right, axis(tick)), "grid")
            self.canvas.text((_LEFT - 6, axis(tick) + 4), told(tick), "small soft", "end")

    def svg(self, keys: Sequence[tuple[str, str]]) -> str:
        """The file; `keys` are (colour, meaning)."""
        self.canvas.text((14, 20), self.title, "title")
        x = self.right
        for color, meaning in reversed([*keys, *self.shades.items()]):
            x -= SMALL * len(meaning)  # how wide it may be: from its mark on the words stand as they are
            self.canvas.text((x, 20), meaning, f"small {_INKS.get(color, color)}")
            if color in _INKS:
                self.canvas.box((x - 20, 11), 14, 10, color, 2)
            else:
                self.canvas.dot((x - 10, 16), 3.5, color)
            x -= 34
        self.canvas.line((_LEFT, self.bottom), (self.right, self.bottom), "l")
        for tick in self.x.ticks(8):
            self.canvas.line((self.x(tick), self.bottom), (self.x(tick), self.bottom + 4), "l")
            self.canvas.text((self.x(tick), self.bottom + 17), f"{_number(tick, self.lang)} s", "small soft", "middle")
        return self.canvas.svg(_WIDTH, self.bottom + 28, f"{self.scenario}: {self.title}", self.lang)


def _number(value: float, lang: str, digits: int | None = None) -> str:
    text = f"{value:g}" if digits is None else f"{value:.{digits}f}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if digits is None and len(text) > 6 else text
    return text.replace(".", ",") if lang == "pt-BR" else text


def _thinned(points: Sequence[Point], most: int = _MOST_POINTS) -> list[Point]:
    """At most so many points, each the highest of its part."""
    if len(points) <= most:
        return list(points)
    size = math.ceil(len(points) / most)
    return [max(points[n : n + size], key=lambda p: p[1]) for n in range(0, len(points), size)]


def _some(moments: Sequence[float]) -> Sequence[float]:
    """Of very many moments as many as can be told apart, from the whole time."""
    return moments[:: math.ceil(len(moments) / _MOST_POINTS) or 1]


def _stairs(points: Sequence[Point], right: float) -> list[Point]:
    """Values that hold until the next one."""
    stairs: list[Point] = []
    for x, y in points:
        if stairs:
            stairs.append((x, stairs[-1][1]))
        stairs.append((x, y))
    return [*stairs, (right, stairs[-1][1])]
