"""The history: everything that any part of the harness did or saw, one clock, one list.

Properties are pure functions over it, diagrams are drawn from it, a broken-off run leaves it behind. A record is a
small frozen value; `at_s` is seconds since the scenario's history began. Bytes are kept as they came, bounded.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Way = Literal["direct", "proxy"]
#: How a client went away. `silent` is the one that the server cannot see: packets are dropped, no FIN, no RST.
Leaving = Literal["polite", "fin", "half-close", "reset", "killed", "silent"]
#: How a client saw its connection end.
Ending = Literal["fin", "reset", "error"]
#: What a client is in the play: a bystander is judged for what it hears, a crowd's member only for being let in.
Role = Literal["bystander", "faulty", "newcomer", "crowd"]
#: Roles whose traffic is judged in full.
WELL_BEHAVED: tuple[Role, ...] = ("bystander", "newcomer")
#: Between whom a packet was seen, and which of them sent it.
Leg = Literal["direct", "client-proxy", "proxy-server"]
Sender = Literal["client", "proxy", "server"]
#: One direction of a connection: to the server, or from it.
Stream = Literal["upstream", "downstream"]

#: Units without a token that are kept of a connection: a ghost can flood.
KEPT_NOTICES = 400
#: So much of one such unit: without borders what a server says in a flood comes glued together.
KEPT_NOTICE_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing that was done or seen, `at_s` seconds after the history began."""

    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase(Record):
    """From here on the play is in this part: setup, fault, calm, rounds, newcomers, empty, rest, stop."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Record):
    """A line of the story, for people: who did what."""

    did: str
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Record):
    """A line for the text report, in the documented tests' own words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Record):
    """A connection was made (the kernel's handshake; not yet proof that the server accepted it)."""

    conn: int
    who: str
    name: str
    way: Way
    role: Role
    local_port: int
    visit: int = 1  # 2 and more: the same person has come back


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFailed(Record):
    """A connection could not be made; `error` is the errno's name, or `timeout`."""

    who: str
    error: str
    way: Way
    role: Role = "bystander"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstByte(Record):
    """The first byte of the server reached this connection."""

    conn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Record):
    """The client sent its first bytes: from here on the server may take it for one who has logged in.

    Not written for words that can be no login, where the server shows what it makes of them (`cast.taken_in`).
    """

    conn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Record):
    """The client is in: its login is complete. `intro` is what it had been shown by then."""

    conn: int
    name: str
    asked_at_s: float
    intro: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFailed(Record):
    """The login did not complete. `why` says which step was waited for; `got` is what came instead."""

    conn: int
    asked_at_s: float
    why: str
    got: bytes = b""
    refused: bool = False  # the server said no, or closed: it answered
    deadline_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduced(Record):
    """All that the server showed a client from its connection until its introduction was over."""

    conn: int
    intro: bytes
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Record):
    """A message was handed to the kernel. `expects` are the connections that must hear it.

    `certain` is False where the sender was cut off around it: both outcomes are right (Jepsen's *unknown*).
    `exact` is False for odd payloads whose bytes a server may strip, replace or refuse.
    """

    op: int
    conn: int
    token: str
    text: bytes
    expects: tuple[int, ...] = ()
    kind: Literal["chat", "fence", "whisper", "forged"] = "chat"
    to: int | None = None
    certain: bool = True
    exact: bool = True
    segments: int = 1  # in how many sends this message was cut
    joined: int = 1  # how many messages shared one send with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Record):
    """A token was seen by a connection, in this framed unit (a line, or for bare chunks what was read at once)."""

    conn: int
    token: str
    unit: bytes
    alone: bool = True  # no other message's token stands in the same unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed(Record):
    """A unit without any token reached a joined client: a notice, an answer, a ghost."""

    conn: int
    unit: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Record):
    """How many bytes a connection has received and sent so far."""

    conn: int
    received: int
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left(Record):
    """The client went away, in this manner."""

    conn: int
    how: Leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Record):
    """The client saw its connection end."""

    conn: int
    how: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited(Record):
    """Something was waited for and did or did not come. The witness of every timeout."""

    what: str
    asked_at_s: float
    came: bool
    deadline_s: float
    conn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Record):
    """The answer of the list command, as one connection saw it."""

    conn: int
    answer: bytes
    gone: tuple[str, ...] = ()  # names that must no longer stand in it
    final: bool = False  # the last look, after every patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Knocked(Record):
    """A direct connection was tried where nobody may listen: `outcome` is refused, accepted, reset or timeout."""

    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent(Record):
    """What happened to the server's process. `asked`: the harness did it, or had asked for it.

    what: ready, signal, stuck, exited, killed, frozen, thawed, start-failed, limits.
    """

    what: str
    asked: bool = True
    detail: str = ""
    took_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Record):
    """The server's whole process tree at one moment.

    `cpu_s` is processor time used so far, `wait_s` the time its threads stood ready without a processor (Linux, else
    0). `tcp` counts its sockets by state, those of the listening port that belong to no process included; `peers`
    are (state, remote port) of the connected ones.
    """

    label: str  # ready, before, during, after-1, after-2 … , rest
    alive: bool
    processes: int = 0
    threads: int = 0
    descriptors: int = 0
    rss_bytes: int = 0
    cpu_s: float = 0.0
    wait_s: float = 0.0
    tcp: Mapping[str, int] = field(default_factory=dict)
    peers: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded(Record):
    """Bytes were pushed at or through the server: `taken` of `offered`; the witness for memory and slow readers."""

    conn: int
    offered: int
    taken: int
    what: str
    stalled: bool = False  # it stopped taking
    ended: bool = False  # it closed the connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Record):
    """A message was announced as `size` bytes long, and hardly any of them came: the witness for memory that is
    reserved for a word. The samples from `claim-begin` to `claim-end` are the server's memory meanwhile."""

    conn: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic(Record):
    """What the Toxiproxy was told. `clean`: from now on this line is open and without toxics."""

    did: str
    line: str = ""
    clean: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried(Record):
    """What a line of the Toxiproxy has passed on so far, in bytes: upstream to the server, downstream to the clients.

    With `conn` it is what was passed on for this one client's connection, which was over at `over_s`, ended first `by`
    client, server or proxy; None while it is there.
    """

    line: str
    upstream_received: int
    upstream_sent: int
    downstream_received: int
    downstream_sent: int
    conn: int | None = None
    over_s: float | None = None
    by: Literal["client", "server", "proxy"] | None = None

    def kept(self, stream: Stream) -> int:
        """Bytes that came in and did not leave: inside toxics, or thrown away by them."""
        if stream == "upstream":
            return self.upstream_received - self.upstream_sent
        return self.downstream_received - self.downstream_sent

    @property
    def held(self) -> int:
        """Those of both streams."""
        return self.kept("upstream") + self.kept("downstream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel(Record):
    """How far the kernel's counters of dropped handshakes moved during the scenario."""

    deltas: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet(Record):
    """A segment that opens or ends a connection, as captured: SYN, SYN-ACK, the ACK of both, FIN, RST.

    `flow` numbers the TCP connections on the wire (a line of the Toxiproxy makes two of one), `conn` is the client's
    connection where it is known for certain. `seq` counts from the sender's first; `length` is that of its bytes.
    """

    flow: int
    leg: Leg
    sender: Sender
    flags: str
    conn: int | None = None
    seq: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured(Record):
    """Packets were captured, so many; `missed` came when there was no more room. `why` there was no capture."""

    packets: int = 0
    missed: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag(Record):
    """The harness's own timer lag over the scenario, in seconds: the judge looks at itself."""

    p99_s: float
    worst_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Record):
    """What the server printed (bounded, standard output and error together)."""

    text: str
    dropped_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked(Record):
    """The server's threads were looked at, because something did not come (`why`); `text` says in short what they did.

    Evidence, and no judge's business.
    """

    why: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped(Record):
    """The scenario could not do its fault here, and says why."""

    reason: str


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long is waited for what, in seconds, scaled by the server's quiet round trip."""

    quiet_rtt_s: float
    reply_s: float
    join_s: float
    connect_s: float
    start_s: float
    stop_s: float
    rest_s: float
    login_s: float = 0.0  # the slowest login when all was quiet


@dataclass(frozen=True, slots=True)
class Baseline:
    """What this server did when nothing was wrong: the measure of all that is asked of it under faults.

    `introduction` are the stable parts of what a newcomer is shown, names, numbers and times masked. `attribution`
    and the notices are templates with the mark `{name}` in place of the name; None where there was none. `duplicates`
    says what a second client of the same name met: refused, accepted, replaces, unknown.
    """

    deadlines: Deadlines
    named: bool
    login: bool
    greeted: bool = False
    introduction: tuple[str, ...] = ()
    attribution: str | None = None
    echo: bool = False
    join_notice: str | None = None
    leave_notice: str | None = None
    lists: bool = False
    whispers: bool = False
    closes_on_leave: bool = False
    duplicates: str = "unknown"
    parsed: bool = False  # a program reads the messages: only the protocol's own border ends one
    lines: bool = True  # units are lines: borders of messages are kept
    shown_lines: bool = False  # so are those that are shown, although what is sent may have no borders
    commanded: bool = False  # a command or an object is around what is said: without borders, a part of it says nothing
    idle_s: float | None = None
    resumes: bool = False
    remote: bool = False
    ends_when_empty: bool = False  # the process ended when its last client had left
    pace_s: float | None = None  # one client must leave so long between two messages, in seconds
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """One run of one scenario: its records in the order of their times, and what the judge knows beforehand."""

    scenario: str
    baseline: Baseline
    records: tuple[Record, ...]
    aims: tuple[str, ...] = ()  # the properties that the scenario was written for
    known_leaks: frozenset[str] = frozenset()  # what was seen to grow with departures in other scenarios of this run
    _sorted: dict[type[Record], list[Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, kind: type[R]) -> Iterator[R]:
        """All records of one kind, in order."""
        if not self._sorted:
            for record in self.records:
                self._sorted.setdefault(type(record), []).append(record)
        return iter(self._sorted.get(kind, ()))

    def opened(self, conn: int) -> Opened:
        """The record of a connection's beginning. Raises KeyError for an unknown number."""
        for record in self.of(Opened):
            if record.conn == conn:
                return record
        raise KeyError(conn)


def _plain(value: object) -> object:
    if isinstance(value, _AS_IT_IS):
        return value
    if isinstance(value, bytes):
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode("ascii")}
        return text
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


_AS_IT_IS = (str, int, float, type(None))
#: A message's own `kind` stands in a line as this: there `kind` says which record it is.
_OWN_KIND = "sort"
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def as_json(record: Record) -> str:
    """One line of history.jsonl: the record's kind and fields; bytes as text, or base64 where they are not UTF-8."""
    fields: dict[str, Any] = {"kind": type(record).__name__}
    for name, written in _WRITTEN[type(record)]:
        fields[written] = _plain(getattr(record, name))
    fields["at_s"] = round(record.at_s, 6)
    return _ENCODER.encode(fields)


def as_json_lines(records: Iterable[Record]) -> str:
    """The whole history as JSON lines."""
    return "".join(as_json(record) + "\n" for record in records)


def from_json(line: str) -> Record:
    """The record of a line of history.jsonl. Raises ValueError when it is none."""
    try:
        fields = json.loads(line)
        kind = KINDS[fields.pop("kind")]
        if _OWN_KIND in fields:
            fields["kind"] = fields.pop(_OWN_KIND)
        types = {item.name: str(item.type) for item in dataclasses.fields(kind)}
        return kind(**{name: _value(types[name], value) for name, value in fields.items()})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no record of a history: {line[:80]!r} ({error})") from None


def _value(type_: str, value: Any) -> Any:
    if type_ == "bytes":
        return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode("utf-8")
    if isinstance(value, list):
        return tuple(_value("", item) for item in value)
    return value


#: The records by their names, as they stand in a line of history.jsonl.
KINDS: Mapping[str, type[Record]] = {kind.__name__: kind for kind in Record.__subclasses__()}
#: The fields of each kind of record, each with the name under which it is written.
_WRITTEN: dict[type[Record], tuple[tuple[str, str], ...]] = {
    kind: tuple((item.name, _OWN_KIND if item.name == "kind" else item.name) for item in dataclasses.fields(kind))
    for kind in KINDS.values()
}
