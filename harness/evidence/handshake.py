"""How a connection begins and ends, packet by packet: a polite leave and an abrupt one of the same run, side by side.

SYN, SYN-ACK, ACK; then what was said, folded; then FIN from both sides, or an RST (RFC 9293, sections 3.5 and 3.6). Where
nobody listened, the RST that answers a SYN. Drawn from the capture alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.evidence.capture import Taken
from harness.evidence.drawing import Canvas
from harness.evidence.flows import Flow
from harness.evidence.segments import ACK, FIN, RST, SYN, Segment, flag_names
from harness.evidence.words import Say, seconds, speaker
from harness.history import History, Left, Opened

_PANEL, _GAP, _TOP, _ROW = 340.0, 28.0, 92.0, 27.0
#: Packets that are shown of an end.
_MOST_END = 7
_ABRUPT = {
    "reset": "{who} resets the connection", "fin": "{who} leaves without a word", "killed": "{who}'s process is killed",
    "half-close": "{who} closes one half", "silent": "{who} vanishes",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One packet, or several that are told as one (`folded`)."""

    at_s: float
    up: bool
    flags: str
    about: str
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """One connection, from its first packet to its last."""

    title: str
    client: str
    steps: tuple[Step, ...]
    end: str


def draw(history: History, taken: Taken, lang: str) -> str | None:
    """The SVG; None when the capture shows neither a leave nor a refusal."""
    say = speaker(lang)
    panels = list(_panels(history, taken, say))
    if not panels:
        return None
    return _drawn(panels, history.scenario, say, lang)


def _panels(history: History, taken: Taken, say: Say) -> Iterable[Panel]:
    flows = {f.conn: f for f in taken.flows if f.conn is not None and f.leg == "direct"}
    who = {o.conn: o.who for o in history.of(Opened)}
    left = [r for r in history.of(Left) if r.conn in flows]
    polite = next((r for r in left if r.how == "polite" and _ends(flows[r.conn])), None)
    order = ("reset", "fin", "killed", "half-close", "silent")
    abrupt = next((r for how in order for r in left if r.how == how and _ends(flows[r.conn])), None)
    if polite is not None:
        title = say("{who} leaves politely", who=who[polite.conn])
        yield _panel(flows[polite.conn], title, who[polite.conn], say)
    if abrupt is not None:
        title = say(_ABRUPT[abrupt.how], who=who[abrupt.conn])
        yield _panel(flows[abrupt.conn], title, who[abrupt.conn], say)
    if polite is None or abrupt is None:
        refused = next((f for f in taken.flows if f.leg == "direct" and _refused(f)), None)
        if refused is not None:
            yield _panel(refused, say("nobody listens"), say("client"), say)


def _ends(flow: Flow) -> bool:
    return any(s.flags & (FIN | RST) for _, s in flow.segments) and len(flow.segments) > 3


def _refused(flow: Flow) -> bool:
    first = [s for _, s in flow.segments[:2]]
    return len(first) == 2 and first[0].flags & (SYN | ACK) == SYN and bool(first[1].flags & RST)


def _panel(flow: Flow, title: str, client: str, say: Say) -> Panel:
    segments = flow.segments
    over = next((n for n, (_, s) in enumerate(segments) if n and s.flags & (FIN | RST)), len(segments))
    begin = max(min(3, over), over - 2)
    between = segments[3:begin]
    steps = [_step(flow, at_s, s) for at_s, s in segments[: min(3, over)]]
    if between:
        data = sum(s.length for _, s in between)
        steps.append(
            Step(
                between[0][0],
                True,
                "",
                say("{count} packets, {data} bytes", count=len(between), data=data),
                len(between),
            )
        )
    steps += [_step(flow, at_s, s) for at_s, s in segments[begin : over + _MOST_END]]
    flags = 0
    for _, segment in segments[over:]:
        flags |= segment.flags
    if flags & RST and over <= 1:
        end = say("RST answers the SYN: the connection is refused")
    elif flags & RST:
        end = say("RST: what was on its way is lost")
    else:
        both = len({s.source for _, s in segments[over:] if s.flags & FIN}) == 2
        end = say("FIN from both sides: an orderly end") if both else say("FIN from one side only")
    return Panel(title, client, tuple(steps), end)


def _step(flow: Flow, at_s: float, segment: Segment) -> Step:
    about = f"{segment.length} B" if segment.length else ""
    return Step(at_s, segment.source == flow.client, flag_names(segment.flags), about)


def _drawn(panels: Sequence[Panel], scenario: str, say: Say, lang: str) -> str:
    canvas = Canvas()
    title = say("A connection on the wire")
    canvas.text((14, 24), title, "title")
    rows = max(len(panel.steps) for panel in panels)
    bottom = _TOP + rows * _ROW + 10
    for number, panel in enumerate(panels):
        _draw_panel(canvas, panel, 14 + number * (_PANEL + _GAP), bottom, say, lang)
    width = 28 + len(panels) * _PANEL + (len(panels) - 1) * _GAP
    return canvas.svg(width, bottom + 40, f"{scenario}: {title}", lang)


def _draw_panel(canvas: Canvas, panel: Panel, left: float, bottom: float, say: Say, lang: str) -> None:
    client, server = left + 96, left + _PANEL - 40
    canvas.text(((client + server) / 2, 48), panel.title, "strong", "middle", _PANEL)
    for x, name in ((client, panel.client), (server, say("server"))):
        canvas.text((x, 68), name, "small strong", "middle", 90)
        canvas.line((x, 76), (x, bottom), "life")
    for number, step in enumerate(panel.steps):
        y = _TOP + number * _ROW + 6
        canvas.text((client - 16, y + 4), seconds(step.at_s, lang), "mono small soft", "end")
        if step.folded:
            canvas.box((client + 8, y - 9), server - client - 16, 18, "box", 9)
            canvas.text(((client + server) / 2, y + 4), step.about, "small soft", "middle", server - client - 16)
            continue
        line, fill = _colors(step.flags)
        start, end = (client, server) if step.up else (server, client)
        direction = 1 if step.up else -1
        canvas.line((start, y - 3), (end - direction * 6, y + 3), line)
        canvas.head((end, y + 3), direction, fill)
        words = f"{step.flags}  {step.about}".strip()
        canvas.text(
            ((client + server) / 2, y - 3), words, f"mono small halo {fill if fill != 'head' else ''}".strip(), "middle"
        )
    kind = "bad" if "RST" in panel.end else "good"
    canvas.text(((client + server) / 2, bottom + 18), panel.end, f"small strong {kind}", "middle", _PANEL + 20)


def _colors(flags: str) -> tuple[str, str]:
    names = flags.split("-")
    if "RST" in names:
        return "lbad", "bad"
    if "FIN" in names:
        return "lgood", "good"
    return ("lblue", "blue") if "SYN" in names else ("l", "head")
