"""The sequence diagram of one run: clients, the Toxiproxy, the server as lanes, time from the top to the bottom."""

from __future__ import annotations

from collections.abc import Sequence

from harness.client.trace import Sent
from harness.evidence.drawing import BOLD, SMALL, Canvas, wrapped
from harness.evidence.rows import Row, Span
from harness.evidence.story import Story, Told, tell
from harness.evidence.words import Say, seconds, speaker
from harness.properties.scene import Scene
from harness.results import Judgement

_GUTTER, _MARGIN, _TOP = 70.0, 60.0, 78.0
#: However few the lanes are, the names of the parts and of the scenario have room.
_NARROWEST = 440.0
_HEIGHTS = {"phase": 30.0, "say": 42.0, "violation": 46.0, "gap": 20.0, "silence": 22.0}
_ROW = 28.0
_LINES = {"": "l", "good": "lgood", "bad": "lbad", "cut": "lcut", "soft": "thin"}
_FILLS = {"": "head", "good": "good", "bad": "bad", "cut": "cut", "soft": "soft"}


def draw(scene: Scene, judgements: Sequence[Judgement], lang: str, told: Told, sent: Sequence[Sent] = ()) -> str:
    """The SVG. `told`: the sentence of a violation in this language; `sent`: pieces seen on the wire."""
    return _Drawing(tell(scene, judgements, lang, told, sent), scene.history.scenario, lang).svg()


class _Drawing:
    def __init__(self, story: Story, scenario: str, lang: str) -> None:
        self.story, self.scenario, self.lang = story, scenario, lang
        self.say: Say = speaker(lang)
        self.canvas = Canvas()
        count = len(story.lanes.lanes)
        self.step = 168.0 if count <= 4 else 146.0 if count <= 6 else 124.0
        self.width = max(_NARROWEST, _GUTTER + _MARGIN + (count - 1) * self.step + _MARGIN + 40)
        self.tops: list[float] = []
        y = _TOP
        for row in story.rows:
            self.tops.append(y)
            y += self._height(row)
        self.bottom = y + 14

    def _height(self, row: Row) -> float:
        if row.kind == "violation":
            return 20.0 + 15.0 * len(self._sentence(row)) + 8
        return _HEIGHTS.get(row.kind, _ROW)

    def _sentence(self, row: Row) -> list[str]:
        lines = wrapped(row.text, self.width - _GUTTER - 56, character=BOLD)
        return [*lines, row.told] if row.told else lines

    def x(self, lane: int) -> float:
        """The middle of a lane."""
        return _GUTTER + _MARGIN + lane * self.step

    def svg(self) -> str:
        for span in self.story.spans:
            self._span(span)
        self._lanes()
        last = -1.0
        for row, top in zip(self.story.rows, self.tops, strict=True):
            if row.kind not in ("phase", "gap") and row.at_s - last >= 0.0005:
                at = (_GUTTER - 10, top + self._middle(row) + 4)
                self.canvas.text(at, seconds(row.at_s, self.lang), "mono soft small", "end")
                last = row.at_s
            self._row(row, top)
        title = f"{self.scenario}: {self.say('Who did what, when')}"
        return self.canvas.svg(self.width, self.bottom + 10, title, self.lang)

    def _middle(self, row: Row) -> float:
        return 15.0 if row.kind in ("say", "violation") else self._height(row) / 2

    # -- what stands behind --------------------------------------------------------------------------------------

    def _lanes(self) -> None:
        self.canvas.text((14, 22), self.scenario, "title")
        for number, lane in enumerate(self.story.lanes.lanes):
            x = self.x(number)
            line = {"server": "lblue", "proxy": "lcut"}.get(lane.kind, "l")
            self.canvas.line((x, 66), (x, self.bottom), "life")
            width = min(self.step - 14, 130)
            self.canvas.box((x - width / 2, 34), width, 32, "box", 6)
            self.canvas.line((x - width / 2 + 6, 66), (x + width / 2 - 6, 66), line)
            self.canvas.text((x, 48 if lane.about else 54), lane.title, "strong", "middle", width)
            if lane.about:
                self.canvas.text((x, 61), lane.about, "soft small", "middle", width + 16)

    def _span(self, span: Span) -> None:
        rows = list(zip(self.story.rows, self.tops, strict=True))
        inside = [(row, top) for row, top in rows if span.begin_s <= row.at_s <= span.end_s and row.kind != "phase"]
        if not inside:
            return
        top, (last, last_top) = inside[0][1], inside[-1]
        height = last_top + self._height(last) - top
        lane = (
            self.story.lanes.server if span.kind == "down" or self.story.lanes.proxy is None else self.story.lanes.proxy
        )
        half = self.step / 2 - 6
        if span.kind == "toxic":
            self.canvas.box((_GUTTER, top), self.x(lane) - _GUTTER + half, height, "toxic", 3)
        else:
            self.canvas.box((self.x(lane) - half, top), 2 * half, height, "down", 3)

    # -- rows ----------------------------------------------------------------------------------------------------

    def _row(self, row: Row, top: float) -> None:
        y = top + self._middle(row)
        match row.kind:
            case "phase":
                self.canvas.line((_GUTTER, y), (self.width - 14, y), "thin")
                self.canvas.text((_GUTTER + 4, y + 4), row.text, "soft small halo strong")
            case "up" | "down":
                self._arrow(row, y)
            case "say":
                self._said(row, y)
            case "group":
                self._group(row, y)
            case "note":
                self._note(row, y)
            case "silence" | "gap":
                self.canvas.text((self.width / 2, y + 4), f"⋮  {row.text}", "soft small halo", "middle")
            case "violation":
                self._violation(row, top)

    def _arrow(self, row: Row, y: float) -> None:
        """Between lanes and the server; an arrow that never arrives ends in an ✕ on its way."""
        line, fill = _LINES[row.style] + (" dash" if row.dashed else ""), _FILLS[row.style]
        far, server = self.x(row.lanes[0]), self.x(self.story.lanes.server)
        near = self.x(row.lanes[-1])
        text_x, room = (near + server) / 2, server - near - 12
        if row.kind == "up":
            end = near + (server - near) * (0.62 if row.broken else 1.0)
            self.canvas.line((far, y), (end - (0 if row.broken else 6), y), line)
            self.canvas.cross((end, y), line) if row.broken else self.canvas.head((end, y), 1, fill)
            for lane in row.lanes:
                self.canvas.dot((self.x(lane), y), 2.5, fill)
        else:
            end = server - (server - near) * 0.62 if row.broken else far
            self.canvas.line((server, y), (end + (0 if row.broken else 6), y), line)
            if row.broken:
                self.canvas.cross((end, y), line)
            else:
                for lane in row.lanes:
                    self.canvas.head((self.x(lane), y), -1, fill)
        if row.proxied and self.story.lanes.proxy is not None:
            self.canvas.dot((self.x(self.story.lanes.proxy), y), 3, "cut")
        self.canvas.text((text_x, y - 4), row.text, f"small halo {fill if row.style else ''}".strip(), "middle", room)

    def _said(self, row: Row, y: float) -> None:
        """A message on its way to the server, and beneath it from there to those who hear it."""
        start, server = self.x(row.lanes[0]), self.x(self.story.lanes.server)
        self.canvas.line((start, y), (server - 6, y), "lblue")
        self.canvas.head((server, y), 1, "blue")
        self.canvas.dot((start, y), 2.5, "blue")
        if row.proxied and self.story.lanes.proxy is not None:
            self.canvas.dot((self.x(self.story.lanes.proxy), y), 3, "cut")
        room = server - start - 12
        self.canvas.text(((start + server) / 2, y - 4), row.text, "mono small halo", "middle", room)
        below = y + 16
        if row.heard:
            self.canvas.line((server, below), (self.x(min(row.heard)) + 6, below), "lviolet")
            for lane in row.heard:
                self.canvas.head((self.x(lane), below), -1, "violet")
        if row.missed:
            nearest = max(row.missed)
            if not row.heard or nearest < min(row.heard):
                begin = self.x(min(row.heard)) if row.heard else server
                self.canvas.line((begin, below), (self.x(min(row.missed)) + 6, below), "lbad dash")
            for lane in row.missed:
                self.canvas.cross((self.x(lane), below), "lbad")
        if row.told:
            lowest = min((*row.heard, *row.missed), default=row.lanes[0])
            middle = (self.x(lowest) + server) / 2
            kind = "bad" if row.missed else "soft"
            self.canvas.text((middle, below - 4), row.told, f"small halo {kind}", "middle", server - self.x(lowest) - 8)

    def _group(self, row: Row, y: float) -> None:
        left, server = self.x(min(row.lanes)), self.x(self.story.lanes.server)
        kind = "boxbad" if row.style == "bad" else "box"
        self.canvas.box((left - 8, y - 9), server - left + 16, 18, kind, 9)
        self.canvas.text(((left + server) / 2, y + 4), row.text, f"small {_FILLS[row.style]}", "middle", server - left)

    def _note(self, row: Row, y: float) -> None:
        x = self.x(row.lanes[0])
        width = min(self.width - _GUTTER - 12, SMALL * len(row.text) + 20)
        left = min(max(x - width / 2, _GUTTER), self.width - width - 8)
        self.canvas.box((left, y - 10), width, 20, "boxbad" if row.style == "bad" else "box", 5)
        self.canvas.text((left + width / 2, y + 4), row.text, f"small {_FILLS[row.style]}", "middle", width)

    def _violation(self, row: Row, top: float) -> None:
        lines = self._sentence(row)
        height = 10.0 + 15.0 * len(lines)
        self.canvas.box((_GUTTER, top + 5), self.width - _GUTTER - 14, height, "boxbad", 6)
        self.canvas.cross((_GUTTER + 16, top + 5 + height / 2), "lbad", 6)
        for number, line in enumerate(lines):
            kind = "small" if row.told and number == len(lines) - 1 else "strong bad"
            self.canvas.text((_GUTTER + 32, top + 20 + 15 * number), line, kind)
