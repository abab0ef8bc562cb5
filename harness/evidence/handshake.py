"""How a connection begins and ends, packet by packet: a polite leave and an abrupt one of the same run, side by side.

SYN, SYN-ACK, ACK; then what was said, folded; then FIN from both sides, or an RST (RFC 9293, sections 3.5 and 3.6). Where
nobody listened, the RST that answers a SYN. Drawn from the capture; the history says whose it is, and whether the server
closed its side by itself or only when it was told to end: those are two different ends, though the packets are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.evidence.capture import Taken
from harness.evidence.drawing import Canvas, wrapped
from harness.evidence.flows import Flow
from harness.evidence.segments import ACK, FIN, RST, SYN, Segment, flag_names
from harness.evidence.words import Say, seconds, speaker
from harness.history import History, Leaving, Left, Opened, ServerEvent

_PANEL, _GAP, _TOP, _ROW = 340.0, 28.0, 92.0, 27.0
#: What a small bold character takes, in pixels.
_STRONG = 6.3
#: Packets that are shown of an end: the first ones, and from the one that decides.
_FIRST_END, _LAST_END = 3, 4
#: A server that answers a FIN later than this took its time; a pause as long is told between two packets, in seconds.
_LATE_S, _PAUSE_S = 1.0, 0.5
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
    kind: str  # good, bad, or cut where it is neither


def draw(history: History, taken: Taken, lang: str) -> str | None:
    """The SVG; None when the capture shows neither a leave nor a refusal."""
    say = speaker(lang)
    panels = list(_panels(history, taken, say, lang))
    if not panels:
        return None
    return _drawn(panels, history.scenario, say, lang)


def _panels(history: History, taken: Taken, say: Say, lang: str) -> Iterable[Panel]:
    flows = {f.conn: f for f in taken.flows if f.conn is not None and f.leg == "direct"}
    who = {o.conn: o.who for o in history.of(Opened)}
    left = [r for r in history.of(Left) if r.conn in flows]
    polite = next((r for r in left if r.how == "polite" and _ends(flows[r.conn])), None)
    order = ("reset", "fin", "killed", "half-close", "silent")
    abrupt = next((r for how in order for r in left if r.how == how and _ends(flows[r.conn])), None)
    for one, title in ((polite, "{who} leaves politely"), (abrupt, _ABRUPT[abrupt.how] if abrupt else "")):
        if one is not None:
            stops = (e.at_s for e in history.of(ServerEvent) if e.what in ("signal", "killed", "exited"))
            stop_s = next((at_s for at_s in stops if at_s > one.at_s), float("inf"))
            whose = _Whose(flows[one.conn], who[one.conn], one.how, stop_s, bool(taken.missed))
            yield _panel(whose, say(title, who=who[one.conn]), say, lang)
    if polite is None or abrupt is None:
        refused = next((f for f in taken.flows if f.leg == "direct" and _refused(f)), None)
        if refused is not None:
            yield _panel(_Whose(refused, say("client")), say("nobody listens"), say, lang)


def _ends(flow: Flow) -> bool:
    return any(s.flags & (FIN | RST) for _, s in flow.segments) and len(flow.segments) > 3


def _refused(flow: Flow) -> bool:
    first = [s for _, s in flow.segments[:2]]
    return len(first) == 2 and first[0].flags & (SYN | ACK) == SYN and bool(first[1].flags & RST)


@dataclass(frozen=True, slots=True)
class _Whose:
    """A flow, whose it is, how it was left, when the server was told to end after that, whether packets are missing."""

    flow: Flow
    who: str
    how: Leaving | None = None
    stop_s: float = float("inf")
    missing: bool = False


def _panel(whose: _Whose, title: str, say: Say, lang: str) -> Panel:
    flow, segments = whose.flow, whose.flow.segments
    over = next((n for n, (_, s) in enumerate(segments) if n and s.flags & (FIN | RST)), len(segments))
    begin, again = max(min(3, over), over - 2), _retransmitted(flow)
    turning = [n for n, (_, s) in enumerate(segments) if n >= over and s.flags & (FIN | RST) and n not in again]
    last = max(over + _FIRST_END, *(turning or [0])) if turning else over + _FIRST_END
    steps = [
        *_told(whose, range(min(3, over)), again, say, lang),
        *_folded(segments[3:begin], say),
        *_told(whose, range(begin, min(over + _FIRST_END, len(segments))), again, say, lang),
        *_folded(segments[over + _FIRST_END : last], say),
        *_told(whose, range(last, min(last + _LAST_END, len(segments))), again, say, lang),
    ]
    return Panel(title, whose.who, tuple(steps), *_end(whose, over, say, lang))


def _retransmitted(flow: Flow) -> set[int]:
    """The numbers of the segments that were sent before, just so."""
    seen, again = set[tuple[bool, int, int, int]](), set[int]()
    for number, (_, s) in enumerate(flow.segments):
        if s.length or s.flags & (SYN | FIN):
            key = (s.source == flow.client, s.seq, s.length, s.flags & (SYN | FIN))
            if key in seen:
                again.add(number)
            seen.add(key)
    return again


def _folded(between: Sequence[tuple[float, Segment]], say: Say) -> Iterable[Step]:
    if between:
        data = sum(s.length for _, s in between)
        told = say("{count} packets, {data} bytes", count=len(between), data=data)
        yield Step(between[0][0], True, "", told, len(between))


def _told(whose: _Whose, numbers: range, again: set[int], say: Say, lang: str) -> Iterable[Step]:
    """A step a packet; a long pause before one is told as well, and that the server was told to end meanwhile."""
    flow = whose.flow
    for number in numbers:
        at_s, segment = flow.segments[number]
        before_s = flow.segments[number - 1][0] if number else at_s
        if at_s - before_s >= _PAUSE_S:
            stopped = before_s < whose.stop_s <= at_s
            told = "{time} later: told to end" if stopped else "{time} later"
            yield Step(before_s, True, "", say(told, time=seconds(at_s - before_s, lang)), 1)
        about = [f"{segment.length} B"] if segment.length else []
        about += [say("retransmission")] if number in again else []
        yield Step(at_s, segment.source == flow.client, flag_names(segment.flags), " ".join(about))


def _end(whose: _Whose, over: int, say: Say, lang: str) -> tuple[str, str]:
    """The end in one sentence, and whether it is a good one. `over` is the number of the first FIN or RST."""
    flow, who = whose.flow, whose.who

    def first(bit: int, up: bool) -> float | None:
        ends = flow.segments[over:]
        return next((at_s for at_s, s in ends if s.flags & bit and (s.source == flow.client) is up), None)

    if over <= 1 and first(RST, up=False) is not None:
        return say("RST answers the SYN: the connection is refused"), "bad"
    mine, theirs, my_reset, reset = first(FIN, True), first(FIN, False), first(RST, True), first(RST, False)
    if theirs is None and my_reset is not None:
        if mine is not None:
            return say("{who} had closed, and the server wrote on: RST", who=who), "cut"
        return say("RST: what was on its way is lost"), "bad"
    if theirs is None and reset is not None:
        return say("the server ended it with RST, not with FIN"), "bad"
    if mine is None and theirs is None:
        return "", "cut"
    if mine is None or theirs is None:
        if whose.missing:
            return say("FIN from one side only was captured"), "cut"
        told = "FIN from the server only" if mine is None else "FIN from {who} only: the server never closed its side"
        return say(told, who=who), "cut" if mine is None else "bad"
    gap = seconds(theirs - mine, lang)
    if mine < whose.stop_s <= theirs:
        told = "FIN from {who} only; the server's came {time} later, when it was told to end: CLOSE_WAIT until then"
        return say(told, who=who, time=gap), "bad"
    if theirs - mine >= _LATE_S:
        return say("FIN from both sides, but the server's came {time} after that of {who}", time=gap, who=who), "cut"
    if whose.how == "polite":
        return say("FIN from both sides: an orderly end"), "good"
    told = "FIN without a good-bye; the server answered it with its own"
    return say(told), "good"


def _drawn(panels: Sequence[Panel], scenario: str, say: Say, lang: str) -> str:
    canvas = Canvas()
    title = say("A connection on the wire")
    canvas.text((14, 24), title, "title")
    rows = max(len(panel.steps) for panel in panels)
    bottom = _TOP + rows * _ROW + 10
    for number, panel in enumerate(panels):
        _draw_panel(canvas, panel, 14 + number * (_PANEL + _GAP), bottom, say, lang)
    width = 28 + len(panels) * _PANEL + (len(panels) - 1) * _GAP
    return canvas.svg(width, bottom + 52, f"{scenario}: {title}", lang)


def _draw_panel(canvas: Canvas, panel: Panel, left: float, bottom: float, say: Say, lang: str) -> None:
    client, server = left + 96, left + _PANEL - 40
    canvas.text(((client + server) / 2, 48), panel.title, "strong", "middle", _PANEL)
    for x, name in ((client, panel.client), (server, say("server"))):
        canvas.text((x, 68), name, "small strong", "middle", 90)
        canvas.line((x, 76), (x, bottom), "life")
    for number, step in enumerate(panel.steps):
        y = _TOP + number * _ROW + 6
        canvas.text((client - 16, y + 4), _moment(step.at_s, lang), "mono small soft", "end")
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
    for number, line in enumerate(wrapped(panel.end, _PANEL, 2, _STRONG)):
        # in the middle of the panel, not between its lines: they stand to the right, and what is long would be cut off
        canvas.text(
            (left + _PANEL / 2, bottom + 18 + 14 * number), line, f"small strong {panel.kind}", "middle", _PANEL
        )


def _moment(at_s: float, lang: str) -> str:
    """To the microsecond: between a SYN and its answer on the loopback there are some tens of them."""
    text = f"{at_s:.6f} s"
    return text.replace(".", ",") if lang == "pt-BR" else text


def _colors(flags: str) -> tuple[str, str]:
    names = flags.split("-")
    if "RST" in names:
        return "lbad", "bad"
    if "FIN" in names:
        return "lgood", "good"
    return ("lblue", "blue") if "SYN" in names else ("l", "head")
