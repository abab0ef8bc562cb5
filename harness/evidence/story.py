"""A history told in rows: what a sequence diagram shows of it, from the top to the bottom, and in which lane.

People who play a part get a lane each; newcomers, crowds and further bystanders are folded into one. What goes as it
should is folded too (`6 messages, all heard`), so that three people fill a page and three hundred do not fill ten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from harness.dialect.tokens import TOKEN
from harness.evidence.capture import Sent
from harness.evidence.words import Say, seconds, speaker
from harness.history import (
    Awaited,
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

LaneKind = Literal["person", "folded", "proxy", "server"]
RowKind = Literal["phase", "up", "down", "say", "group", "note", "silence", "violation", "gap"]
Style = Literal["", "good", "bad", "cut", "soft"]

#: Lanes of single people, rows, and messages that are shown one by one.
MOST_PEOPLE, MOST_ROWS, MOST_SAID, MOST_LOST = 5, 64, 6, 4
#: Violations that are marked where they happened; the others are named with the last.
MOST_MARKED = 3
#: Pieces of raw bytes that are shown one by one.
MOST_RAW = 5
_SHOWN = 24
#: The word of a good-bye is seen on the wire this near to its record, in seconds.
_GOODBYE_S = 0.05
#: What several do within this time is told as one, in seconds.
_TOGETHER_S = 0.4
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


@dataclass(frozen=True, slots=True)
class Lane:
    """A vertical line of the diagram."""

    key: str
    title: str
    about: str
    kind: LaneKind


@dataclass(frozen=True, slots=True)
class Row:
    """One moment. `up` goes from the lanes to the server, `down` from the server to them; `missed` are those that a
    message never reached; `times`: so many of the same are told as one."""

    at_s: float
    kind: RowKind
    lanes: tuple[int, ...] = ()
    text: str = ""
    style: Style = ""
    heard: tuple[int, ...] = ()
    missed: tuple[int, ...] = ()
    told: str = ""
    broken: bool = False  # the arrow never arrives
    dashed: bool = False
    proxied: bool = False
    times: int = 1
    merge: str = ""  # rows with the same words here may be told as one


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted: a toxic on the line, a server that was down."""

    begin_s: float
    end_s: float
    kind: Literal["toxic", "down"]


@dataclass
class Story:
    """Lanes, rows, spans. `server` and `proxy` are the numbers of their lanes."""

    lanes: list[Lane]
    rows: list[Row]
    spans: list[Span]
    server: int
    proxy: int | None


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
        self.lanes: list[Lane] = []
        self.lane_of: dict[int, int] = {}
        self._assign_lanes()
        self.lost: dict[str, list[int]] = {}
        for said, conn in self.scene.lost:
            self.lost.setdefault(said.token, []).append(conn)
        self._shown_said = self._shown_lost = 0

    # -- lanes ---------------------------------------------------------------------------------------------------

    def _assign_lanes(self) -> None:
        people: dict[str, list[Opened]] = {}
        for opened in self.history.of(Opened):
            if not self._unseen(opened.at_s):
                people.setdefault(opened.who, []).append(opened)
        failed_outside = {r.who for r in self.history.of(OpenFailed) if not self._unseen(r.at_s)}
        words = " ".join(f"{j.reason} {j.observed}" for j in self.failing)
        ranked = sorted(people, key=lambda who: self._rank(who, people[who], words))
        chosen = {who for who in ranked if self._rank(who, people[who], words) < 5}
        chosen = {who for who in ranked if who in chosen and ranked.index(who) < MOST_PEOPLE}
        folds: dict[str, set[str]] = {}
        for who, visits in people.items():
            if who in chosen:
                about = self.say("{count} visits", count=len(visits)) if len(visits) > 1 else ""
                if any(o.way == "proxy" for o in visits):
                    about = self.say("via proxy") + (f", {about}" if about else "")
                self.lanes.append(Lane(who, who, about, "person"))
            else:
                role = visits[0].role
                fold = "newcomers" if role == "newcomer" else "crowd" if role == "crowd" else "others"
                folds.setdefault(fold, set()).add(who)
        for who in failed_outside - set(people):
            folds.setdefault("others", set()).add(who)
        for fold in ("others", "crowd", "newcomers"):
            if fold in folds:
                count = len(folds[fold])
                about = self.say("{count} clients", count=count) if count > 4 else ", ".join(sorted(folds[fold]))
                self.lanes.append(Lane(fold, self.say(fold), about, "folded"))
        numbers = {lane.key: number for number, lane in enumerate(self.lanes)}
        self.lane_of_who = {who: numbers[fold] for fold, names in folds.items() for who in names}
        self.lane_of_who |= {who: numbers[who] for who in chosen}
        for opened in self.history.of(Opened):
            self.lane_of[opened.conn] = self.lane_of_who.get(opened.who, 0)
        self.proxy = None
        if any(True for _ in self.history.of(Toxic)) or any(o.way == "proxy" for o in self.history.of(Opened)):
            self.proxy = len(self.lanes)
            self.lanes.append(Lane("toxiproxy", "Toxiproxy", "", "proxy"))
        self.server = len(self.lanes)
        self.lanes.append(Lane("server", self.say("server"), "", "server"))

    def _rank(self, who: str, visits: list[Opened], words: str) -> int:
        """Who gets a lane first: the faulty and those whom a violation names, then bystanders; crowds never."""
        role = visits[0].role
        named = f" {who} " in f" {words.replace(',', ' ').replace('(', ' ').replace(')', ' ')} "
        if role == "crowd" and not (named and len(self.failing) and len(self.history.records) < 400):
            return 9
        if role == "faulty" or any(o.way == "proxy" for o in visits) or len(visits) > 1:
            return 0
        left = [self.scene.left[o.conn].how for o in visits if o.conn in self.scene.left]
        if any(how in ("reset", "silent", "killed", "half-close") for how in left):
            return 0
        if role == "newcomer":
            return 3 if named else 8
        return 1 if named else 2

    # -- rows ----------------------------------------------------------------------------------------------------

    def story(self) -> Story:
        pieces = deque(self._raw())
        for record in sorted(self.history.records, key=lambda r: r.at_s):
            while pieces and pieces[0].at_s < record.at_s:
                self.rows.append(pieces.popleft())
            if not self._unseen(record.at_s) or isinstance(record, Phase):
                self._row(record)
        rows = self._with_violations(_merged(self.rows, self.say))
        return Story(self.lanes, _pruned(rows, self.say), spans_of(self.scene), self.server, self.proxy)

    def _raw(self) -> list[Row]:
        """What somebody sent in the scenario that is no whole message: odd bytes, and pieces of messages."""
        rows: list[Row] = []
        for piece in self.sent:
            joined = self.scene.joined.get(piece.conn)
            left = self.scene.left.get(piece.conn)
            good_bye = left is not None and left.how == "polite" and abs(left.at_s - piece.at_s) < _GOODBYE_S
            in_fault = self.scene.phase_at(piece.at_s) == "fault"
            outside = joined is None and self.scene.role(piece.conn) in ("faulty", "bystander")
            if not in_fault or good_bye or not (outside or (joined is not None and joined.at_s <= piece.at_s)):
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
            rows.append(Row(piece.at_s, "up", (self.lane_of[piece.conn],), words, "cut", proxied=proxied, merge=merge))
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
                lane = self.lane_of_who.get(who, 0)
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
                    "note", at_s, (self.lane_of[conn],), self.say("hello, heard by nobody"), "soft", merge="hello"
                )
            case ServerEvent():
                self._server(record)
            case Toxic(did=did) if self.proxy is not None:
                words = Language.of(self.lang).sentence(f"{did.partition(': ')[2] or did} ()").removesuffix(" ()")
                self._add("note", at_s, (self.proxy,), words.removeprefix("toxic "), "cut")
            case Flooded(conn=conn, what=what):
                text = self.say(
                    "{what}: {taken} KiB of {offered}",
                    what=what,
                    taken=record.taken >> 10,
                    offered=record.offered >> 10,
                )
                self._add("note", at_s, (self.lane_of.get(conn, 0),), text, "cut")
            case Knocked(outcome=outcome):
                text = self.say("a knock: {outcome}", outcome=self.say(outcome))
                self._add("note", at_s, (self.server,), text, "good" if outcome == "refused" else "cut")
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
            self._add("note", at_s, (self.server,), text, "soft")
        elif name != "calm":
            self._add("phase", at_s, (), self.say(_PHASES.get(name, name)))

    def _opened(self, opened: Opened) -> None:
        lane, conn = self.lane_of[opened.conn], opened.conn
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
        lane = self.lane_of[said.conn]
        lanes_heard = tuple(sorted({self.lane_of[c] for c in hearers if c in said.expects} - {lane}))
        lanes_lost = tuple(sorted({self.lane_of[c] for c in lost}))
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
        lane = self.lane_of.get(left.conn, 0)
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
                (self.lane_of.get(ended.conn, 0),),
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
        self._add("note", event.at_s, (self.server,), f"{told}: {detail}" if detail else told, style)

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


def _merged(rows: Sequence[Row], say: Say) -> list[Row]:
    """Rows of the same kind that follow closely upon one another, as one; more loosely where there are very many."""
    strict = _folded(rows, strict=True)
    return [_counted(row, say) for row in (strict if len(strict) <= MOST_ROWS else _folded(rows, strict=False))]


def _folded(rows: Iterable[Row], *, strict: bool) -> list[Row]:
    merged: list[Row] = []
    for row in rows:
        place = _place_before(merged, row, strict)
        if place is None:
            merged.append(row)
            continue
        before = merged[place]
        lanes = tuple(sorted({*before.lanes, *row.lanes}))
        missed = (sum(before.missed) + sum(row.missed),) if row.kind == "group" else row.missed
        merged[place] = replace(before, lanes=lanes, times=before.times + row.times, missed=missed)
    return merged


def _place_before(merged: Sequence[Row], row: Row, strict: bool) -> int | None:
    """Where a row like this one stands already; strictly, nothing else happened in its lanes since."""
    for place in range(len(merged) - 1, max(-1, len(merged) - 5), -1):
        before = merged[place]
        if _alike(before, row):
            return place
        if before.kind == "phase" or (strict and set(before.lanes) & set(row.lanes)):
            return None
    return None


def _alike(before: Row, row: Row) -> bool:
    if before.kind != row.kind or before.style != row.style or before.merge != row.merge:
        return False
    if row.kind in ("group", "silence"):
        return True
    folded = bool(row.merge) and row.at_s - before.at_s < 4 * _TOGETHER_S
    return folded and (row.merge.startswith("leave:") or row.lanes == before.lanes)


def _counted(row: Row, say: Say) -> Row:
    """The words of a row that stands for several."""
    if row.kind == "group":
        lost = sum(row.missed)
        if lost:
            return replace(
                row, text=say("{count} messages, {lost} deliveries lost", count=row.times, lost=lost), missed=()
            )
        if row.style == "soft":
            return replace(row, text=say("{count} messages that need not be heard", count=row.times), missed=())
        one = row.times == 1
        text = say("1 message, heard") if one else say("{count} messages, all heard", count=row.times)
        return replace(row, text=text, missed=())
    if row.times == 1:
        return row
    if row.merge.startswith("leave:"):
        return replace(row, text=say("{count} leave: {how}", count=row.times, how=say(row.merge[6:])))
    if "{count}" in row.merge:
        return replace(row, text=_plural(row.merge, row.times, say))
    return replace(row, text=f"{row.text} ×{row.times}")


def _plural(merge: str, count: int, say: Say) -> str:
    head, _, detail = merge.partition(": ")
    if head == "{count} cannot connect":
        return say("{count} cannot connect: {error}", count=count, error=detail)
    if head == "{count} connections end":
        return say("{count} connections end: {how}", count=count, how=detail)
    return say(merge, count=count)


def _pruned(rows: list[Row], say: Say) -> list[Row]:
    """At most so many rows: the beginning, the end, and what surrounds a violation; gaps say how much is left out."""
    if len(rows) <= MOST_ROWS:
        return rows
    marks = [n for n, row in enumerate(rows) if row.kind == "violation"]
    wanted = set(range(MOST_ROWS // 2 - 4)) | set(range(len(rows) - 12, len(rows)))
    wanted |= {n for n, row in enumerate(rows) if row.kind == "phase"}
    for mark in marks:
        wanted |= set(range(mark - 4, mark + 2))
    kept = sorted(n for n in wanted if 0 <= n < len(rows))
    shown = [rows[kept[0]]]
    for before, number in pairwise(kept):
        if number - before > 1:
            shown.append(
                Row(rows[before].at_s, "gap", (), say("{count} more events", count=number - before - 1), "soft")
            )
        shown.append(rows[number])
    return shown
