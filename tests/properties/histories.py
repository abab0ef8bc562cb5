"""Hand-made histories: a whole ordinary play in few words, and the pen to write another ending into it.

`ordinary()` tells of a server that does everything right: Ana, Bia (who misbehaves) and Caio talk, Bia goes, the room
works on, newcomers come, everybody leaves, the process rests and ends. A test changes one thing and asks the judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from harness.dialect import tokens
from harness.history import (
    Answered,
    Awaited,
    Baseline,
    Deadlines,
    Ended,
    Ending,
    Heard,
    History,
    Introduced,
    Joined,
    JoinFailed,
    Knocked,
    Leaving,
    Left,
    Listed,
    Noticed,
    Opened,
    Output,
    Phase,
    Record,
    Role,
    Said,
    Sample,
    ServerEvent,
    Way,
)
from harness.properties import judge
from harness.results import Judgement

R = TypeVar("R", bound=Record)

DEADLINES = Deadlines(quiet_rtt_s=0.001, reply_s=1.0, join_s=2.5, connect_s=3.0, start_s=20.0, stop_s=5.0, rest_s=1.6)
#: A server that shows everything that can be judged: names, greeting, notices, a list, whispers, a word for leaving.
TALKATIVE = Baseline(
    deadlines=DEADLINES,
    named=True,
    login=True,
    greeted=True,
    introduction=("Welcome, {name}!", "Commands: /list /quit"),
    attribution="[{name}] ",
    join_notice="* {name} joined",
    leave_notice="* {name} left",
    lists=True,
    whispers=True,
    closes_on_leave=True,
    duplicates="refused",
)
#: A server that only relays lines: no names, no greeting, no notices, no list.
RAW = Baseline(deadlines=DEADLINES, named=False, login=False)


class Story:
    """A history in the making. `now` is the pen: records are written where it stands, and sorted in the end."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.now = 0.0
        self.records: list[Record] = []
        self.here: list[int] = []  # who is in the room, and counts
        self.conns: dict[str, int] = {}  # the last connection of each
        self.opened: dict[int, Opened] = {}
        self._counted: set[int] = set()
        self._ops = 0

    # -- the pen -------------------------------------------------------------------------------------------------

    def at(self, seconds: float) -> Story:
        """Go on writing at this time, with those who are in the room then."""
        self.now = seconds
        gone = {r.conn for r in self.records if isinstance(r, Left | Ended) and r.at_s <= seconds}
        self.here = [
            r.conn for r in self.find(Joined) if r.at_s <= seconds and r.conn not in gone and r.conn in self._counted
        ]
        return self

    def wait(self, seconds: float) -> Story:
        """Let time pass."""
        self.now += seconds
        return self

    def add(self, record: R) -> R:
        """Write a record down."""
        self.records.append(record)
        return record

    def phase(self, name: str) -> None:
        """From here on the play is in this part."""
        self.add(Phase(at_s=self.now, name=name))

    def find(self, kind: type[R], /, **fields: object) -> list[R]:
        """The records of this kind with these fields."""
        return [r for r in self.records if isinstance(r, kind) and all(getattr(r, k) == v for k, v in fields.items())]

    def change(self, record: Record, **fields: Any) -> None:
        """Put other words into a record."""
        self.records[self.records.index(record)] = replace(record, **fields)

    def remove(self, records: Iterable[Record]) -> None:
        """Take these out."""
        for record in list(records):
            self.records.remove(record)

    def cut(self, at_s: float) -> None:
        """Nothing happens after this any more."""
        self.records = [r for r in self.records if r.at_s <= at_s]

    # -- people --------------------------------------------------------------------------------------------------

    def open(
        self, who: str, *, role: Role = "bystander", way: Way = "direct", visit: int = 1, name: str | None = None
    ) -> int:
        """A connection, no more."""
        conn = len(self.opened) + 1
        record = Opened(
            at_s=self.now,
            conn=conn,
            who=who,
            name=name or who,
            way=way,
            role=role,
            local_port=40000 + conn,
            visit=visit,
        )
        self.opened[conn], self.conns[who] = record, conn
        self.add(record)
        return conn

    def introduction(self, name: str) -> bytes:
        """What a newcomer is shown."""
        return "".join(line.replace("{name}", name) + "\n" for line in self.baseline.introduction).encode()

    def join(self, who: str, *, intro: bytes | None = None, counts: bool = True, told: bool = True, **how: Any) -> int:
        """Connection, login, introduction; the others are told where this server tells."""
        conn = self.open(who, **how)
        name = self.opened[conn].name
        shown = self.introduction(name) if intro is None else intro
        self.add(Answered(at_s=self.now + 0.005, conn=conn))
        self.wait(0.01)
        self.add(Joined(at_s=self.now, conn=conn, name=name, asked_at_s=self.now - 0.01, intro=shown))
        self.add(Introduced(at_s=self.now, conn=conn, intro=shown, waited_s=0.01))
        if told:
            self.notice(self.baseline.join_notice, name)
        if counts:
            self.here.append(conn)
            self._counted.add(conn)
        return conn

    def outside(self, who: str, *, refused: bool, got: bytes = b"", **how: Any) -> int:
        """A connection whose login did not complete: the server said no, or nothing."""
        conn = self.open(who, **how)
        self.add(
            JoinFailed(
                at_s=self.now + (0.1 if refused else 2.5), conn=conn, asked_at_s=self.now, why="waited for 'Welcome'",
                got=got, refused=refused, deadline_s=2.5,
            )
        )  # fmt: skip
        return conn

    def notice(self, template: str | None, name: str, to: Iterable[int] | None = None) -> None:
        """Everybody who is here is told of one who comes or goes."""
        if template is not None:
            for conn in self.here if to is None else to:
                unit = template.replace("{name}", name).encode()
                self.add(Noticed(at_s=self.now + 0.002, conn=conn, unit=unit))

    def leave(self, who: str | int, how: Leaving = "fin", *, told: bool = True, ended: Ending | None = "fin") -> None:
        """One goes, in this manner. After a polite word or a half-close the server closes its side too (`ended`)."""
        conn = self.conns[who] if isinstance(who, str) else who
        if conn in self.here:
            self.here.remove(conn)
        self.wait(0.01)
        self.add(Left(at_s=self.now, conn=conn, how=how))
        if ended is not None and how in ("polite", "half-close"):
            self.add(Ended(at_s=self.now + 0.005, conn=conn, how=ended))
        if told and how != "silent":
            self.notice(self.baseline.leave_notice, self.opened[conn].name)

    def everybody_leaves(self, polite: str) -> None:
        """One with the leave word, then all the others with FIN."""
        self.leave(polite, "polite")
        for conn in list(self.here):
            self.leave(conn)

    # -- talk ----------------------------------------------------------------------------------------------------

    def shown(self, conn: int, text: bytes, name: str | None = None) -> bytes:
        """A message as this server shows it."""
        mark = (self.baseline.attribution or "").replace("{name}", name or self.opened[conn].name)
        return mark.encode() + text

    def says(
        self,
        who: str | int,
        words: str = "hello",
        *,
        to: Iterable[int] | None = None,
        heard: bool | Iterable[int] = True,
        unit: Callable[[int, bytes], bytes] | None = None,
        after: float = 0.002,
        **more: Any,
    ) -> Said:
        """A message. `to`: who must hear it (else everybody else here); `heard`: who does."""
        conn = self.conns[who] if isinstance(who, str) else who
        self._ops += 1
        token = tokens.make(conn, self._ops, words)
        text = f"{words} {token}".encode()
        expects = tuple(c for c in self.here if c != conn) if to is None else tuple(to)
        said = self.add(Said(at_s=self.now, op=self._ops, conn=conn, token=token, text=text, expects=expects, **more))
        for hearer in (expects if heard else ()) if isinstance(heard, bool) else tuple(heard):
            self.hears(hearer, said, after=after, unit=unit(conn, text) if unit else None)
        self.wait(0.01)
        return said

    def hears(
        self, conn: int, said: Said, *, after: float = 0.002, unit: bytes | None = None, alone: bool = True
    ) -> None:
        """This message reaches a connection."""
        shown = self.shown(said.conn, said.text) if unit is None else unit
        self.add(Heard(at_s=said.at_s + after, conn=conn, token=said.token, unit=shown, alone=alone))

    def talk(self, rounds: int = 1) -> None:
        """Everybody speaks, everybody hears."""
        for _ in range(rounds):
            for conn in list(self.here):
                self.says(conn)

    # -- the process ---------------------------------------------------------------------------------------------

    def sample(self, label: str, **more: Any) -> Sample:
        """The server's process, at rest unless something else is said."""
        fields: dict[str, Any] = {
            "alive": True, "processes": 1, "threads": 3, "descriptors": 8, "rss_bytes": 20 << 20, "cpu_s": 0.1,
        }  # fmt: skip
        return self.add(Sample(at_s=self.now, label=label, **(fields | more)))

    def event(self, what: str, **more: Any) -> None:
        """Something happens to the process."""
        self.add(ServerEvent(at_s=self.now, what=what, **more))

    # -- the end -------------------------------------------------------------------------------------------------

    def history(self, *, aims: tuple[str, ...] = (), known_leaks: frozenset[str] = frozenset()) -> History:
        """The records in the order of their times."""
        ordered = sorted(self.records, key=lambda r: r.at_s)
        ops = {r.token: number for number, r in enumerate(r for r in ordered if isinstance(r, Said))}
        ordered = [replace(r, op=ops[r.token]) if isinstance(r, Said) else r for r in ordered]
        return History("tests/hand-made", self.baseline, tuple(ordered), aims, known_leaks)

    def judged(self, *, aims: tuple[str, ...] = (), known_leaks: frozenset[str] = frozenset()) -> dict[str, Judgement]:
        """What the judges say, by property."""
        return {j.id: j for j in judge(self.history(aims=aims, known_leaks=known_leaks))}

    def failing(self) -> dict[str, str | None]:
        """The reason of everything that fails or errors."""
        return {key: j.reason for key, j in self.judged().items() if j.outcome in ("fail", "error")}


def bia_resets(story: Story) -> None:
    """The usual fault: one goes with a reset while the others talk."""
    story.leave("bia", "reset")


def ordinary(
    fault: Callable[[Story], None] = bia_resets,
    baseline: Baseline = TALKATIVE,
    *,
    bystanders: bool = True,
    **changes: Any,
) -> Story:
    """A whole play in which the server does everything right. `changes` are changes of its baseline.

    0 s the server is ready, 0.2 s the fault begins with three coming in, 2 s `fault`, 8 s the room again, 10 s
    newcomers, 13 s everybody leaves, 14 s newcomers again, 17 s rest, 20 s the end.
    """
    story = Story(replace(baseline, **changes))
    story.phase("setup")
    story.event("ready")
    story.sample("ready")
    story.sample("before")
    story.at(0.2).phase("fault")
    for who, role in (("ana", "bystander"), ("bia", "faulty"), ("caio", "bystander")) if bystanders else ():
        story.join(who, role=role)
    story.talk()
    if bystanders:
        fault(story.at(2.0))
    story.at(max(story.now + 0.5, 3.0)).talk()
    story.at(8.0).phase("calm")
    story.at(8.1).phase("rounds")
    story.talk(3)
    story.at(10.0).phase("newcomers")
    story.join("nina", role="newcomer")
    story.join("otto", role="newcomer")
    story.talk(2)
    _look(story)
    story.at(13.0).phase("empty")
    story.everybody_leaves(polite="nina")
    story.at(14.5)
    story.join("pia", role="newcomer")
    story.join("rui", role="newcomer")
    story.talk(2)
    story.at(16.5).everybody_leaves(polite="pia")
    story.at(17.0).phase("rest")
    story.at(18.0).sample("after-1")
    story.at(18.5).sample("idle-begin")
    story.at(18.75).sample("idle-end")
    story.at(20.0).phase("stop")
    story.join("zoe", role="newcomer")
    story.at(20.5).event("signal", detail="SIGTERM")
    story.add(Ended(at_s=20.51, conn=story.conns["zoe"], how="fin"))
    story.at(20.6).event("exited", detail="0", took_s=0.1)
    story.at(20.7).add(Knocked(at_s=20.7, outcome="refused"))
    story.add(Output(at_s=20.7, text="listening\n"))
    return story


def _look(story: Story) -> None:
    """Somebody asks for the list: those who left in a way that can be seen are not in it."""
    gone = tuple(sorted({story.opened[r.conn].name for r in story.find(Left) if r.how in ("reset", "fin", "polite")}))
    if story.baseline.lists and story.here:
        names = ", ".join(story.opened[c].name for c in story.here)
        look = Listed(at_s=story.now, conn=story.here[0], answer=f"online: {names}".encode(), gone=gone, final=True)
        story.add(look)


def waited(story: Story, what: str, *, came: bool, asked: float, until: float, **more: Any) -> Awaited:
    """Something was waited for."""
    deadline = more.pop("deadline_s", until - asked)
    return story.add(Awaited(at_s=until, what=what, asked_at_s=asked, came=came, deadline_s=deadline, **more))
