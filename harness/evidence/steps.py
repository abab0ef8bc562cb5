"""The steps of a run: what each member did to its connection, what became of it, and the parts of the play, in order.

Read off the history, so that nothing can be done without standing here. What many do is one step (a crowd that resets,
a conversation that goes on), and what the harness repeats at rest is one as well. Reports show the steps, and comments
of `capture.pcapng` stand on the packets that they sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.client.trace import Sent
from harness.dialect.tokens import TOKEN
from harness.history import (
    Awaited,
    Ended,
    JoinFailed,
    Knocked,
    Left,
    Opened,
    OpenFailed,
    Phase,
    Record,
    Said,
    ServerEvent,
    Step,
)
from harness.properties.quoting import quote
from harness.properties.scene import Scene
from harness.report.safe import visible

#: Which packet of its connection a step is: the client's SYN, data, last data, FIN or RST, the other side's FIN or RST.
Mark = Literal["", "syn", "data", "last-data", "fin", "rst", "end-fin", "end-rst"]
#: People named in a step; characters of what was said; bytes of what was sent raw.
NAMED, WORDS, RAW = 4, 48, 24
#: A scenario that tells itself what it sends tells it so shortly before.
TOLD_S = 0.3
#: Steps of one scenario; of more, the first and the last are told, and how many were left out between them.
MOST = 200
#: What a crowd does within this time of one another is one step, in seconds.
WAVE_S = 0.3

PHASES = {
    "fault": "the scenario begins", "calm": "the fault is over",
    "rounds": "those who stayed talk", "newcomers": "newcomers come", "empty": "everybody leaves; newcomers in an empty room",
    "rest": "at rest", "stop": "the end",
}  # fmt: skip
_LEAVES: dict[str, tuple[str, Mark]] = {
    "polite": ("says good-bye", "last-data"), "fin": ("closes without a word: FIN", "fin"),
    "half-close": ("closes one half: FIN, and listens on", "fin"), "reset": ("resets the connection: RST", "rst"),
    "killed": ("its process is killed: the kernel closes the connection", ""), "silent": ("vanishes: no FIN, no RST", ""),
}  # fmt: skip
#: What many do, by the group that they are.
_MANY = {
    "polite": "{count} clients say good-bye", "fin": "{count} clients close: FIN", "half-close": "{count} clients close one half: FIN",
    "reset": "{count} clients reset their connections: RST", "killed": "the processes of {count} clients are killed",
    "silent": "{count} clients vanish: no FIN, no RST", "connect": "{count} clients connect", "back": "{count} clients come back",
    "outside": "{count} clients are not let in",
}  # fmt: skip
_ENDS: dict[str, tuple[str, Mark]] = {
    "fin": ("its connection is ended by the other side: FIN", "end-fin"),
    "reset": ("its connection is ended by the other side: RST", "end-rst"),
    "error": ("its connection breaks", ""),
}  # fmt: skip


@dataclass(slots=True)
class Deed:
    """One step while the story is put together. `group`: what follows of the same is told with it."""

    at_s: float
    did: str
    who: str | None = None
    conn: int | None = None
    mark: Mark = ""
    group: str = ""
    conns: list[int] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    last_s: float = 0.0  # when the last of a group was done


@dataclass(frozen=True, slots=True)
class Told:
    """One step: when, who (None for the play itself), what; of which connection, and which packet of it."""

    at_s: float
    did: str
    who: str | None = None
    conn: int | None = None
    mark: Mark = ""


def steps(scene: Scene, sent: Sequence[Sent] = ()) -> tuple[Told, ...]:
    """The steps of a run; `sent` is what clients handed to the kernel, send by send."""
    teller = _Teller(scene)
    deeds = sorted([*teller.deeds(), *teller.raw(sent)], key=lambda deed: deed.at_s)
    return tuple(teller.told(deed) for deed in _folded(deeds))


def shortened(told: Sequence[Told], most: int = MOST) -> tuple[Told, ...]:
    """At most so many steps: the beginning and the end, and one that says how many are left out between them."""
    if len(told) <= most:
        return tuple(told)
    head, tail = told[: most // 2], told[len(told) - (most - most // 2 - 1) :]
    left_out = len(told) - len(head) - len(tail)
    return (*head, Told(told[len(head)].at_s, f"… {left_out} more steps, not told one by one"), *tail)


def goodbyes(scene: Scene, sent: Sequence[Sent]) -> set[Sent]:
    """What those who left politely sent last: their word of good-bye, however long it was on its way."""
    last = {piece.conn: piece for piece in sent}
    return {piece for conn, piece in last.items() if conn in scene.left and scene.left[conn].how == "polite"}


def _folded(deeds: Sequence[Deed]) -> list[Deed]:
    """What belongs to one group is one deed, as long as nothing else happens in between but other groups."""
    folded = list[Deed]()
    open_: dict[str, Deed] = {}
    for deed in deeds:
        first = open_.get(deed.group) if deed.group else None
        deed.last_s = deed.at_s
        if first is not None and not (first.conns and deed.at_s - first.last_s > WAVE_S):
            first.last_s = deed.at_s
            first.conns += deed.conns
            first.said += deed.said
            first.sent += deed.sent
            continue
        if deed.group:
            open_[deed.group] = deed
        else:
            open_.clear()
        folded.append(deed)
    return folded


class _Teller:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        begins = {name: at_s for at_s, name in reversed(scene.phases)}
        self.rest_s = begins.get("rest", float("inf"))
        self.stop_s = begins.get("stop", float("inf"))
        self.lost: dict[str, list[int]] = {}
        for said, conn in scene.lost:
            self.lost.setdefault(said.token, []).append(conn)

    def repeated(self, at_s: float) -> bool:
        """Whether this belongs to what is done again at rest, to see whether anything grows."""
        return self.rest_s < at_s < self.stop_s

    # -- deeds ---------------------------------------------------------------------------------------------------

    def deeds(self) -> Iterator[Deed]:
        """What the records tell."""
        again = sum(self.repeated(opened.at_s) for opened in self.scene.opened.values())
        for record in self.scene.history.records:
            if self.repeated(record.at_s):
                continue
            yield from self._of(record)
            if again and isinstance(record, Phase) and record.name == "rest":
                yield Deed(record.at_s, f"{again} clients come and go, to see whether anything grows with each")

    def _of(self, record: Record) -> Iterator[Deed]:
        at_s = record.at_s
        match record:
            case Step():
                yield Deed(at_s, record.did, record.who)
            case Phase(name=name) if name != "setup":
                yield Deed(at_s, PHASES.get(name, name))
            case Opened():
                did = "comes back" if record.visit > 1 else "connects"
                did += " through the Toxiproxy" if record.way == "proxy" else ""
                group = self._crowd(record.conn, "back" if record.visit > 1 else "connect")
                yield Deed(at_s, did, record.who, record.conn, "syn", group, [record.conn])
            case OpenFailed(role=role):
                group = f"cannot {record.error}" if role == "crowd" else ""
                yield Deed(at_s, f"cannot connect: {record.error}", record.who, group=group, conns=[-1])
            case JoinFailed(conn=conn):
                did = "is refused" if record.refused else "is not let in"
                yield Deed(at_s, did, self.scene.who(conn), conn, "", self._crowd(conn, "outside"), [conn])
            case Awaited(what="hello", came=False, conn=int(conn)):
                yield Deed(at_s, "says hello, and not everybody hears it", self.scene.who(conn), conn)
            case Said(kind="chat" | "whisper" | "forged"):
                yield Deed(at_s, "", None, record.conn, "data", "talk", said=[record])
            case Left():
                yield from self._left(record)
            case Ended():
                yield from self._ended(record)
            case Knocked():
                yield Deed(at_s, f"a connection is tried: {record.outcome}")
            case ServerEvent(what="exited", asked=False):
                yield Deed(at_s, f"ends by itself (exit status {record.detail or '?'})", "server")
            case ServerEvent(what="stuck"):
                yield Deed(at_s, "does not end", "server")
            case _:
                return

    def _left(self, left: Left) -> Iterator[Deed]:
        if self.scene.gone_at(left.conn) < left.at_s:
            return  # it was over before
        did, mark = _LEAVES[left.how]
        group = left.how if left.how == "fin" and self._in_the_end(left.at_s) else self._crowd(left.conn, left.how)
        yield Deed(left.at_s, did, self.scene.who(left.conn), left.conn, mark, group, [left.conn])

    def _ended(self, ended: Ended) -> Iterator[Deed]:
        left = self.scene.left.get(ended.conn)
        own = left is not None and left.at_s <= ended.at_s and left.how != "polite"
        if own or self.scene.role(ended.conn) == "crowd":
            return
        if ended.at_s > self.stop_s and ended.how == "fin":
            return  # as it should
        did, mark = _ENDS[ended.how]
        yield Deed(ended.at_s, did, self.scene.who(ended.conn), ended.conn, mark)

    def _crowd(self, conn: int, group: str) -> str:
        return group if self.scene.role(conn) == "crowd" else ""

    def _in_the_end(self, at_s: float) -> bool:
        return self.scene.phase_at(at_s) in ("empty", "rest", "stop")

    def raw(self, sent: Sequence[Sent]) -> Iterator[Deed]:
        """What was sent in the scenario that is no whole message, command or answer: odd bytes, pieces, bytes before a login."""
        told = [(r.at_s, r.who) for r in self.scene.history.of(Step) if r.did.startswith("sends ")]
        last_words = goodbyes(self.scene, sent)
        for piece in sent:
            joined = self.scene.joined.get(piece.conn)
            outside = joined is None and self.scene.role(piece.conn) == "faulty"
            inside = joined is not None and joined.at_s < piece.at_s
            if self.scene.phase_at(piece.at_s) != "fault" or piece in last_words or not (inside or outside):
                continue
            if any(token.decode() in self.scene.by_token for token in TOKEN.findall(piece.data)):
                continue
            who = self.scene.who(piece.conn)
            if not any(name == who and 0 <= piece.at_s - at_s < TOLD_S for at_s, name in told):
                yield Deed(piece.at_s, "", who, piece.conn, "data", f"raw {piece.conn}", sent=[piece])

    # -- words ---------------------------------------------------------------------------------------------------

    def told(self, deed: Deed) -> Told:
        """A deed, or a group of them, in words."""
        step = Told(deed.at_s, deed.did, deed.who, deed.conn, deed.mark)
        if deed.said:
            return self._talk(step, deed.said)
        if deed.sent:
            return replace(step, did=_raw(deed.sent))
        if len(deed.conns) > 1:
            if len(deed.conns) > NAMED or self.scene.role(deed.conns[0]) == "crowd" or deed.conn is None:
                many = _MANY.get(deed.group, "{count} clients " + deed.did)
                return replace(step, who=None, did=many.format(count=len(deed.conns)))
            return replace(step, who=self._names(deed.conns))
        return step

    def _names(self, conns: Sequence[int]) -> str:
        names = list(dict.fromkeys(self.scene.who(conn) for conn in conns))
        return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")

    def _talk(self, step: Told, said: list[Said]) -> Told:
        who, missed = self._names([one.conn for one in said]), [c for s in said for c in self.lost.get(s.token, ())]
        if len(said) == 1:
            words = said[0].text.decode("utf-8", "backslashreplace").removesuffix(said[0].token).strip()
            did = f'says "{quote(words, WORDS)}"' if words else "says a word"
        else:
            did = f"{len(said)} messages"
        if missed:
            did += f"; not heard by {self._names(missed)}"
        elif any(one.expects for one in said) and all(set(s.expects) <= set(self.scene.hearers(s)) for s in said):
            did += "; all hear it" if len(said) == 1 else "; all are heard"
        return replace(step, who=who, did=did)


def _raw(sent: Sequence[Sent]) -> str:
    whole = sum(piece.length for piece in sent)
    begin = visible(b"".join(piece.data for piece in sent[:8])[:RAW])
    if len(sent) == 1:
        return f"sends {whole} bytes that begin with {begin}"
    return f"sends {whole} bytes in {len(sent)} pieces, beginning with {begin}"
