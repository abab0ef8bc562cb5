"""A scene: one history, indexed for the judges. Derived once, never changed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from harness.dialect.masking import mask, text_of
from harness.history import (
    WELL_BEHAVED,
    Answered,
    Carried,
    Ended,
    FirstByte,
    Heard,
    History,
    Introduced,
    Joined,
    JoinFailed,
    Left,
    Noticed,
    Opened,
    OpenFailed,
    Output,
    Phase,
    Said,
    Sample,
    ServerEvent,
    Stream,
    Toxic,
)

E = TypeVar("E", Left, Ended)

#: Leaving in these ways can be seen by the server.
KNOWABLE = ("polite", "fin", "reset", "killed")
#: A toxic works so long before it is told, at most: the call takes its time. Seconds.
LINE_SLACK_S = 0.1
#: What stands in front of a message is no longer than this.
LONGEST_FRONT = 512
#: A number, time or token of a template, no longer than this: without borders what follows may be one word of a megabyte.
_NUMBER = r"\S{0,80}?"


class Scene:
    """The history of one scenario run, with its connections, messages and the server's life laid out."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.baseline = history.baseline
        self.deadlines = history.baseline.deadlines
        self.opened = {r.conn: r for r in history.of(Opened)}
        self.joined = {r.conn: r for r in history.of(Joined)}
        self.first_bytes = {r.conn: r.at_s for r in history.of(FirstByte)}
        self.answered: dict[int, float] = {}
        for answer in history.of(Answered):
            self.answered.setdefault(answer.conn, answer.at_s)
        self.join_failed = {r.conn: r for r in history.of(JoinFailed)}
        self.open_failed = tuple(history.of(OpenFailed))
        self.introduced = tuple(history.of(Introduced))
        self.left = {conn: left for conn, left in _first(history.of(Left)).items() if conn in self.opened}
        self.ended = _first(history.of(Ended))
        self.said = tuple(history.of(Said))
        self.by_token = {s.token: s for s in self.said}
        self.heard: dict[str, list[Heard]] = defaultdict(list)
        for record in history.of(Heard):
            self.heard[record.token].append(record)
        self.noticed = tuple(history.of(Noticed))
        self.samples = tuple(history.of(Sample))
        self.events = tuple(history.of(ServerEvent))
        self.end_s = history.records[-1].at_s if history.records else 0.0

    # -- who and when --------------------------------------------------------------------------------------------

    def who(self, conn: int) -> str:
        """The nickname behind a connection."""
        return self.opened[conn].who if conn in self.opened else f"#{conn}"

    def name(self, conn: int) -> str:
        """The name on the wire behind a connection."""
        return self.opened[conn].name if conn in self.opened else ""

    def role(self, conn: int) -> str:
        """The role of a connection."""
        return self.opened[conn].role if conn in self.opened else "faulty"

    def was_served(self, conn: int) -> bool:
        """Whether the server is known to have taken this connection in: a byte came, or its words went round."""
        heard = any(h.conn == conn for hs in self.heard.values() for h in hs)
        return heard or conn in self.first_bytes or any(s.conn == conn and self.hearers(s) for s in self.said)

    def well_behaved(self, conn: int) -> bool:
        """A bystander or newcomer: whatever happens to it is the server's doing."""
        return self.role(conn) in WELL_BEHAVED

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that anybody bore, as it was sent."""
        return frozenset(o.name for o in self.opened.values())

    @cached_property
    def phases(self) -> tuple[tuple[float, str], ...]:
        """When each part of the play began."""
        return tuple((p.at_s, p.name) for p in self.history.of(Phase))

    def phase_at(self, at_s: float) -> str:
        """The part of the play at that moment."""
        current = "setup"
        for begin, name in self.phases:
            if begin > at_s:
                break
            current = name
        return current

    # -- the server's life ---------------------------------------------------------------------------------------

    @cached_property
    def died(self) -> ServerEvent | None:
        """The server's end, if nobody had asked for it."""
        return next((e for e in self.events if e.what == "exited" and not e.asked), None)

    @cached_property
    def down(self) -> tuple[tuple[float, float], ...]:
        """When the server was stopped, killed or frozen, from the first sign of it to its return."""
        spans, since = [], None
        for event in self.events:
            if event.what in ("signal", "killed", "frozen", "exited", "limits") and since is None:
                since = event.at_s
            elif event.what in ("ready", "thawed", "limits-lifted") and since is not None:
                spans.append((since, event.at_s))
                since = None
        if since is not None:
            spans.append((since, float("inf")))
        return tuple(spans)

    def is_down(self, begin_s: float, end_s: float) -> bool:
        """Whether the server was down at any moment between these."""
        return any(begin <= end_s and end >= begin_s for begin, end in self.down)

    def was_stopped(self, at_s: float) -> bool:
        """Whether somebody had just told the server to end, or to stand still: what ends then was ended by that.

        A kill is told when it is over, other acts before they are done.
        """
        killed = any(e.what == "killed" and 0.0 <= e.at_s - at_s <= 1.0 for e in self.events)
        return killed or self.is_down(at_s - 1.0, at_s)

    @cached_property
    def output(self) -> str:
        """What the server printed."""
        return "".join(o.text for o in self.history.of(Output))

    # -- messages ------------------------------------------------------------------------------------------------

    def hearers(self, said: Said) -> dict[int, Heard]:
        """Who heard a message, and when first."""
        first: dict[int, Heard] = {}
        for record in self.heard.get(said.token, ()):
            first.setdefault(record.conn, record)
        return first

    def gone_at(self, conn: int) -> float:
        """When a connection was over, from whichever side; infinity while it lasted."""
        moments = [r.at_s for r in (self.left.get(conn), self.ended.get(conn)) if r is not None]
        return min(moments, default=float("inf"))

    def excused(self, said: Said, receiver: int) -> bool:
        """Whether a message that did not arrive may be missing: Jepsen's *unknown*, never the server's fault."""
        patience = self.deadlines.reply_s
        if not said.certain or not said.exact:
            return True
        if min(self.gone_at(said.conn), self.gone_at(receiver)) < said.at_s + patience:
            return True
        return self.is_down(said.at_s - 0.001, said.at_s + patience) or self.kept_on_the_way(said, receiver)

    @cached_property
    def lost(self) -> tuple[tuple[Said, int], ...]:
        """Messages that never reached somebody who was there and had to hear them."""
        return tuple(
            (said, conn)
            for said in self.said
            if said.expects
            for conn in said.expects
            if conn not in self.hearers(said) and not self.excused(said, conn)
        )

    @cached_property
    def held_back(self) -> int:
        """Bytes that the Toxiproxy took after the fault, all toxics off, and did not pass on: its fault, not the server's."""
        lines: dict[str, list[Carried]] = defaultdict(list)
        for record in self.history.of(Carried):
            if record.conn is None:
                lines[record.line].append(record)
        return sum(max(0, counts[-1].held - counts[0].held) for counts in lines.values())

    @cached_property
    def carried(self) -> dict[int, Carried]:
        """What the Toxiproxy last said of each connection through it, where it can say."""
        return {record.conn: record for record in self.history.of(Carried) if record.conn is not None}

    def kept_on_the_way(self, said: Said, receiver: int) -> bool:
        """Whether a message, or what the server made of it, may have stayed in the Toxiproxy: it says so of one of the two ends.

        Only where a line was not clean before the message had to be there. One later count by which everything had left is enough to know.
        """
        until = said.at_s + self.deadlines.reply_s
        ways: tuple[tuple[int, Stream], ...] = ((said.conn, "upstream"), (receiver, "downstream"))
        for conn, stream in ways:
            if self.line_slows(conn, said.at_s - LINE_SLACK_S, until):
                counts = [r for r in self.history.of(Carried) if r.conn == conn and r.at_s >= until]
                if counts and all(r.kept(stream) > 0 for r in counts):
                    return True
        return False

    def passed_on(self, conn: int) -> bool:
        """Whether a connection is direct, or the Toxiproxy says that it passed on every byte of it, both ways."""
        if self.opened[conn].way != "proxy":
            return True
        seen = self.carried.get(conn)
        return seen is not None and (seen.upstream_received, seen.downstream_received) == (
            seen.upstream_sent,
            seen.downstream_sent,
        )

    @cached_property
    def line_faults(self) -> tuple[tuple[float, float], ...]:
        """When any line of the Toxiproxy had toxics or was cut."""
        spans, since = list[tuple[float, float]](), dict[str, float]()
        for record in self.history.of(Toxic):
            if record.clean and record.line in since:
                spans.append((since.pop(record.line), record.at_s))
            elif not record.clean:
                since.setdefault(record.line, record.at_s)
        return (*spans, *((begin, float("inf")) for begin in since.values()))

    def line_slows(self, conn: int, begin_s: float, end_s: float) -> bool:
        """Whether a connection came through the Toxiproxy, and its line was not clean at some moment between these."""
        through = conn in self.opened and self.opened[conn].way == "proxy"
        return through and any(begin <= end_s and end >= begin_s for begin, end in self.line_faults)

    def line_at_fault(self, conn: int, until_s: float) -> bool:
        """Whether a connection came through the Toxiproxy, and its line was not clean all the time until then.

        A moment before a toxic was told counts as well: the call takes its time.
        """
        opened = self.opened[conn]
        if opened.way != "proxy":
            return False
        return (bool(self.held_back) and not self.passed_on(conn)) or any(
            a - LINE_SLACK_S <= until_s and b + LINE_SLACK_S >= opened.at_s for a, b in self.line_faults
        )

    def by_proxy(self, *conns: int) -> bool:
        """Whether one of these connections goes through the Toxiproxy."""
        return any(self.opened[conn].way == "proxy" for conn in conns if conn in self.opened)

    @cached_property
    def delivered(self) -> int:
        """How many deliveries were demanded and made."""
        return sum(conn in self.hearers(said) for said in self.said for conn in said.expects)

    # -- what it looked like -------------------------------------------------------------------------------------

    @cached_property
    def _attribution(self) -> re.Pattern[str] | None:
        template = self.baseline.attribution
        if template is None:
            return None
        before, _, after = template.partition("{name}")
        return re.compile(_loose(before) + r"(?P<name>.+?)" + _loose(after.rstrip()), re.DOTALL)

    def attributed_to(self, unit: bytes) -> str | None:
        """The name to which the server attributes this unit, by its own format; None where the format is not there."""
        if self._attribution is None:
            return None
        match = self._attribution.match(text_of(unit).lstrip("\r\n \t"))
        return match["name"].strip() if match else None

    def shown_as(self, said: Said, heard: Heard) -> str | None:
        """The name under which a message was shown. Where nothing parts messages one read brings several, and what stands
        right before the words is looked at, not what stands first."""
        if self.baseline.lines:
            return self.attributed_to(heard.unit) if heard.alone else None
        template, found = self.baseline.attribution, heard.unit.find(said.text.strip())
        if template is None or found < 0:
            return None
        before, _, after = template.partition("{name}")
        shown = text_of(heard.unit[:found])[-LONGEST_FRONT:]
        names = sorted(self.names, key=lambda name: (name == self.name(said.conn), len(name)), reverse=True)
        fits = (n for n in names if re.search(rf"{_loose(before)}{re.escape(n)}{_loose(after.rstrip())}\s*$", shown))
        return next(fits, None)

    def empty_of(self, unit: bytes) -> list[str]:
        """Whose messages a unit is that is made of nothing but what stands in front of messages: empty ones."""
        before, named, after = (self.baseline.attribution or "").strip().partition("{name}")
        told = self.about(self.baseline.leave_notice, unit) or self.about(self.baseline.join_notice, unit)
        if not named or not after or told is not None or len(unit) > LONGEST_FRONT:
            return []
        front = re.compile(rf"{_loose(before)}(?P<name>\w+){_loose(after)}")
        text = text_of(unit)
        found = [match["name"] for match in front.finditer(text)]
        return [name for name in found if name in self.names] if not front.sub("", text).strip() else []

    def about(self, template: str | None, unit: bytes) -> str | None:
        """The name in a notice of this template (`{name} left`), or None when the unit is no such notice."""
        if template is None:
            return None
        before, _, after = template.partition("{name}")
        masked = " ".join(text_of(unit).split())
        match = re.fullmatch(_loose(before) + r"(?P<name>.*?)" + _loose(after), masked)
        return match["name"].strip() if match else None

    def tells(self, template: str, name: str, unit: bytes) -> bool:
        """Whether a notice of this template about this name stands anywhere in a unit, beside whatever else."""
        before, _, after = template.partition("{name}")
        pattern = rf"{_loose(before)}\s*{re.escape(name)}\s*{_loose(after)}"
        return re.search(pattern, text_of(unit)) is not None

    def masked(self, unit: bytes) -> str:
        """A unit with every known name masked."""
        return mask(text_of(unit), self.names)


def _loose(template: str) -> str:
    """A template as a pattern: `#` stands for any number or time, blanks for any blanks."""
    pattern = re.escape(" ".join(template.split()) + (" " if template.endswith(" ") and template.strip() else ""))
    return pattern.replace(r"\#", _NUMBER).replace(r"\ ", r"\s*")


def _first(records: Iterable[E]) -> dict[int, E]:
    found: dict[int, E] = {}
    for record in records:
        found.setdefault(record.conn, record)
    return found
