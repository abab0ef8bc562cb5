"""A history told in rows: what a sequence diagram shows of it, from the top to the bottom, and in which lane.

People who play a part get a lane each; newcomers, crowds and further bystanders are folded into one. What goes as it
should is folded too (`6 messages, all heard`), so that three people fill a page and three hundred do not fill ten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.client.trace import Sent
from harness.dialect.tokens import TOKEN
from harness.evidence.lanes import Lanes
from harness.evidence.rows import Row, RowKind, Span, Style, merged, pruned
from harness.evidence.steps import goodbyes
from harness.evidence.words import Say, seconds, speaker
from harness.history import (
    Awaited,
    Claimed,
    Ended,
    Flooded,
    Knocked,
    Left,
    Opened,
    OpenFailed,
    Phase,
    Record,
    Said,
    ServerEvent,
    Toxic,
)
from harness.language import Language
from harness.properties.scene import Scene
from harness.report.safe import visible
from harness.results import Judgement

#: Messages that are shown one by one: those that went well, those that were lost.
MOST_SAID, MOST_LOST = 6, 4
#: Violations that are marked where they happened; the others are named with the last.
MOST_MARKED = 3
#: Pieces of raw bytes that are shown one by one.
MOST_RAW = 5
_SHOWN = 24
#: The server's FIN in answer to a good-bye comes within this time, in seconds.
_ANSWER_S = 1.5
_PHASES = {
    "setup": "the server starts", "fault": "the scenario", "calm": "the fault is over", "rounds": "those who stayed talk",
    "newcomers": "newcomers come", "empty": "everybody leaves, newcomers in an empty room", "rest": "at rest",
    "stop": "the server is told to end",
}  # fmt: skip
_EVENTS: dict[str, tuple[str, Style]] = {
    "ready": ("listens", "good"), "signal": ("{signal}", "cut"), "exited": ("ends", "soft"), "stuck": ("does not end", "bad"),
    "killed": ("is killed", "cut"), "frozen": ("is frozen", "cut"), "thawed": ("runs on", "good"),
    "start-failed": ("cannot start", "bad"), "limits": ("limits", "cut"), "limits-lifted": ("limits lifted", "good"),
}  # fmt: skip
_MANY_LEAVE = {
    "polite": "good-bye", "fin": "FIN", "half-close": "half-close", "reset": "RST", "killed": "killed", "silent": "silence",
}  # fmt: skip
_ENDINGS = {"fin": "FIN", "reset": "RST", "error": "error"}
_LEAVINGS = {
    "polite": "says good-bye", "fin": "leaves: FIN", "half-close": "half-close: FIN, still listens", "reset": "RST",
    "killed": "its process is killed", "silent": "vanishes: no FIN, no RST",
}  # fmt: skip


@dataclass
class Story:
    """Lanes, rows, spans."""

    lanes: Lanes
    rows: list[Row]
    spans: list[Span]


Told = Callable[[Judgement], str]


def tell(scene: Scene, judgements: Sequence[Judgement], lang: str, told: Told, sent: Sequence[Sent] = ()) -> Story:
    """The story of one run. `told`: the sentence of a violation in this language; `sent`: pieces seen on the wire."""
    return _Teller(scene, judgements, lang, told, sent).story()


@dataclass
class _Teller:
    scene: Scene
    judgements: Sequence[Judgement]
    lang: str
    told: Told
    sent: Sequence[Sent]
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.say: Say = speaker(self.lang)
        self.history = self.scene.history
        self.failing = sorted(
            (j for j in self.judgements if j.outcome == "fail"), key=lambda j: (j.at_s is None, j.at_s or 0.0)
        )
        self.rest_s = next((at for at, name in self.scene.phases if name == "rest"), float("inf"))
        self.stop_s = next((at for at, name in self.scene.phases if name == "stop"), float("inf"))
        self.lanes = Lanes(self.scene, self.failing, self.say, self._unseen)
        self.lost: dict[str, list[int]] = {}
        for said, conn in self.scene.lost:
            self.lost.setdefault(said.token, []).append(conn)
        self._shown_said = self._shown_lost = 0

    # -- rows ----------------------------------------------------------------------------------------------------

    def story(self) -> Story:
        pieces = deque(self._raw())
        for record in sorted(self.history.records, key=lambda r: r.at_s):
            while pieces and pieces[0].at_s < record.at_s:
                self.rows.append(pieces.popleft())
            if not self._unseen(record.at_s) or isinstance(record, Phase):
                self._row(record)
        rows = self._with_violations(merged(self.rows, self.say))
        return Story(self.lanes, pruned(rows, self.say), spans_of(self.scene))

    def _raw(self) -> list[Row]:
        """What somebody sent in the scenario that is no whole message: odd bytes, and pieces of messages."""
        rows: list[Row] = []
        last_words = goodbyes(self.scene, self.sent)
        for piece in self.sent:
            joined = self.scene.joined.get(piece.conn)
            in_fault = self.scene.phase_at(piece.at_s) == "fault"
            outside = joined is None and self.scene.role(piece.conn) in ("faulty", "bystander")
            if (
                not in_fault
                or piece in last_words
                or not (outside or (joined is not None and joined.at_s <= piece.at_s))
            ):
                continue
            if any(token in self.scene.by_token for token in (t.decode() for t in TOKEN.findall(piece.data))):
                continue
            if len(rows) < MOST_RAW:
                more = "…" if piece.length > _SHOWN else ""
                words = self.say("{count} bytes: {data}", count=piece.length, data=visible(piece.data[:_SHOWN]) + more)
                merge = ""
            else:
                words, merge = self.say("and {count} more", count=1), "and {count} more"
            proxied = self.scene.opened[piece.conn].way == "proxy"
            rows.append(Row(piece.at_s, "up", (self.lanes.of(piece.conn),), words, "cut", proxied=proxied, merge=merge))
        return rows

    def _unseen(self, at_s: float) -> bool:
        """While the process comes to rest people come and go only to see whether anything grows."""
        return self.rest_s < at_s < self.stop_s

    def _row(self, record: Record) -> None:
        at_s = record.at_s
        match record:
            case Phase(name=name):
                self._phase(at_s, name)
            case Opened():
                self._opened(record)
            case OpenFailed(who=who, error=error):
                text = self.say("cannot connect: {error}", error=error)
                many = "{count} cannot connect: " + error
                lane = self.lanes.of_who(who)
                self.rows.append(Row(at_s, "up", (lane,), text, "cut", broken=True, dashed=True, merge=many))
            case Said():
                self._said(record)
            case Left():
                self._left(record)
            case Ended():
                self._ended(record)
            case Awaited(what="delivery", came=False):
                waited = seconds(at_s - record.asked_at_s, self.lang)
                self.rows.append(
                    Row(at_s, "silence", (), self.say("{time} of silence", time=waited), "soft", merge="silence")
                )
            case Awaited(what="hello", came=False, conn=int(conn)) if not self.scene.is_down(record.asked_at_s, at_s):
                self._add(
                    "note", at_s, (self.lanes.of(conn),), self.say("hello, heard by nobody"), "soft", merge="hello"
                )
            case ServerEvent():
                self._server(record)
            case Toxic(did=did) if self.lanes.proxy is not None:
                words = _toxic(did, self.lang)
                self._add("note", at_s, (self.lanes.proxy,), words.removeprefix("toxic "), "cut")
            case Flooded(conn=conn, what=what):
                text = self.say(
                    "{what}: {taken} KiB of {offered}",
                    what=what,
                    taken=record.taken >> 10,
                    offered=record.offered >> 10,
                )
                self._add("note", at_s, (self.lanes.of(conn),), text, "cut")
            case Claimed(conn=conn, size=size):
                text = self.say("claims {size} MiB", size=size >> 20)
                self._add("note", at_s, (self.lanes.of(conn),), text, "cut")
            case Knocked(outcome=outcome):
                text = self.say("a knock: {outcome}", outcome=self.say(outcome))
                self._add("note", at_s, (self.lanes.server,), text, "good" if outcome == "refused" else "cut")
            case _:
                return

    def _add(
        self, kind: RowKind, at_s: float, lanes: tuple[int, ...], text: str, style: Style = "", merge: str = ""
    ) -> None:
        self.rows.append(Row(at_s, kind, lanes, text, style, merge=merge))

    def _phase(self, at_s: float, name: str) -> None:
        if name == "rest" and any(self._unseen(o.at_s) for o in self.history.of(Opened)):
            self._add("phase", at_s, (), self.say(_PHASES["rest"]))
            text = self.say("the fault again, with others: does anything grow?")
            self._add("note", at_s, (self.lanes.server,), text, "soft")
        elif name != "calm":
            self._add("phase", at_s, (), self.say(_PHASES.get(name, name)))

    def _opened(self, opened: Opened) -> None:
        lane, conn = self.lanes.of(opened.conn), opened.conn
        back, joined = opened.visit > 1, conn in self.scene.joined
        text = ("comes back" if back else "connects") + (" and joins" if joined else "")
        many = "{count} connect and join" if joined else "{count} connect"
        self.rows.append(
            Row(opened.at_s, "up", (lane,), self.say(text), dashed=True, proxied=opened.way == "proxy", merge=many)
        )
        failed = self.scene.join_failed.get(conn)
        if failed is not None:
            self.rows.append(
                Row(failed.at_s, "down", (lane,), self.say("is not let in"), "bad", broken=True, dashed=True,
                    merge="{count} are not let in")
            )  # fmt: skip

    def _said(self, said: Said) -> None:
        lost = self.lost.get(said.token, [])
        hearers = self.scene.hearers(said)
        if not lost and (said.kind == "fence" or (said.exact and not said.expects)):
            return
        lane = self.lanes.of(said.conn)
        lanes_heard = tuple(sorted({self.lanes.of(c) for c in hearers if c in said.expects} - {lane}))
        lanes_lost = tuple(sorted({self.lanes.of(c) for c in lost}))
        in_fault = self.scene.phase_at(said.at_s) == "fault"
        unheard = not lost and any(c not in hearers for c in said.expects)
        single = (self._shown_lost < MOST_LOST) if lost else (in_fault and self._shown_said < MOST_SAID)
        if not single:
            style: Style = "bad" if lost else "soft" if unheard else "good"
            self.rows.append(Row(said.at_s, "group", (lane, *lanes_heard), "", style, missed=(len(lost),)))
            return
        self._shown_lost += bool(lost)
        self._shown_said += not lost
        late = max((h.at_s - said.at_s for c, h in hearers.items() if c in said.expects), default=0.0)
        told = self.say("heard after {time}", time=seconds(late, self.lang)) if late > 0.3 else ""
        if unheard and not told:
            told = self.say("not heard by all, and need not be")
        if lost:
            names = ", ".join(dict.fromkeys(self.scene.who(c) for c in lost[:3])) + (" …" if len(lost) > 3 else "")
            told = self.say("never heard by {who}", who=names)
        words = said.text.decode("utf-8", "backslashreplace").removesuffix(said.token).strip()
        text = f"“{words[:28]}{'…' if len(words) > 28 else ''}” {said.token[2:]}"
        proxied = self.scene.opened[said.conn].way == "proxy" if said.conn in self.scene.opened else False
        self.rows.append(
            Row(said.at_s, "say", (lane,), text, "bad" if lost else "", lanes_heard, lanes_lost, told, proxied=proxied)
        )

    def _left(self, left: Left) -> None:
        lane = self.lanes.of(left.conn)
        ended = self.scene.ended.get(left.conn)
        if ended is not None and ended.at_s < left.at_s:
            return  # it was over before
        answered = ended is not None and ended.how == "fin" and 0 <= ended.at_s - left.at_s < _ANSWER_S
        text = _LEAVINGS[left.how]
        if left.how == "polite" and answered:
            text = "says good-bye; FIN, FIN"
        opened = self.scene.opened.get(left.conn)
        proxied = opened is not None and opened.way == "proxy"
        style: Style = "cut" if left.how in ("reset", "killed", "silent", "half-close") else ""
        self.rows.append(
            Row(
                left.at_s,
                "up",
                (lane,),
                self.say(text),
                style,
                broken=left.how == "silent",
                proxied=proxied,
                merge=f"leave:{_MANY_LEAVE[left.how]}",
            )
        )

    def _ended(self, ended: Ended) -> None:
        left = self.scene.left.get(ended.conn)
        answer = left is not None and (ended.how == "fin" or left.how in ("reset", "killed", "silent"))
        if answer and left is not None and left.at_s <= ended.at_s:
            return  # told with its leaving
        opened = self.scene.opened.get(ended.conn)
        proxied = opened is not None and opened.way == "proxy"
        whose = "the connection ends" if proxied else "server closes"
        how = f"{whose}: {_ENDINGS[ended.how]}" if ended.how != "error" else "the connection breaks"
        asked = self.scene.is_down(ended.at_s - 0.5, ended.at_s)
        style: Style = "cut" if asked or proxied or ended.how == "fin" else "bad"
        many = "{count} connections end: " + _ENDINGS[ended.how]
        self.rows.append(
            Row(
                ended.at_s,
                "down",
                (self.lanes.of(ended.conn),),
                self.say(how),
                style,
                proxied=proxied,
                merge=many,
            )
        )

    def _server(self, event: ServerEvent) -> None:
        text, style = _EVENTS.get(event.what, (event.what, "cut"))
        if event.what == "exited" and not event.asked:
            text, style = "ends by itself", "bad"
        detail = event.detail.splitlines()[0] if event.detail and event.what == "limits" else ""
        told = self.say(text, signal=event.detail) if event.what == "signal" else self.say(text)
        self._add("note", event.at_s, (self.lanes.server,), f"{told}: {detail}" if detail else told, style)

    # -- violations and spans ------------------------------------------------------------------------------------

    def _with_violations(self, rows: list[Row]) -> list[Row]:
        marked, others = self.failing[:MOST_MARKED], self.failing[MOST_MARKED:]
        end_s = rows[-1].at_s if rows else 0.0
        for number, judgement in enumerate(marked):
            text = self.told(judgement)
            also = ", ".join(j.id for j in others)
            told = self.say("also: {ids}", ids=also) if others and number == len(marked) - 1 else ""
            at_s = judgement.at_s if judgement.at_s is not None else end_s
            rows.append(Row(at_s, "violation", (), f"{judgement.id}: {text}", "bad", told=told))
        return sorted(rows, key=lambda r: r.at_s)


def _toxic(did: str, lang: str) -> str:
    """What the Toxiproxy was told, in this language: as a step says it, which names the line behind."""
    line, _, what = did.partition(": ")
    return Language.of(lang).sentence(f"{what} ({line})").removesuffix(f" ({line})") if what else did


def spans_of(scene: Scene) -> list[Span]:
    """What lasted: from a toxic's coming to the end of all toxics, from the server's stop to its return."""
    history = scene.history
    end_s = max((record.at_s for record in history.records), default=0.0)
    spans = [Span(begin, min(end, end_s), "down") for begin, end in scene.down]
    since: float | None = None
    for record in history.of(Toxic):
        over = record.did.endswith(("toxics off", "line open", "line taken down"))
        if over and since is not None:
            spans.append(Span(since, record.at_s, "toxic"))
            since = None
        elif not over and since is None:
            since = record.at_s
    return [*spans, Span(since, end_s, "toxic")] if since is not None else spans
