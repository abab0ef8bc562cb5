"""Acts: what people did on their sockets in a failing play, as lines of Python, as few as the violation needs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.client.trace import Sent
from harness.dialect import tokens
from harness.dialect.profile import Profile
from harness.evidence.steps import goodbyes
from harness.history import Ended, Leaving, Left, Said
from harness.properties.scene import Scene

#: Plain messages that are said again after the fault has begun; the later ones count more.
MOST_SAID = 8
#: More clients than this that do the same are told as a loop.
LOOP = 4
#: What was said so shortly before the fault belongs to it, in seconds: the last words of one who leaves.
LAST_WORDS_S = 0.02
#: More acts than this are no example for anybody.
MOST_ACTS = 60
#: More bytes than this are not written into a file.
MOST_BYTES = 1 << 16

#: What takes the place of others' talk.
NOTICE = "time.sleep(0.3)  # the server has the time to notice"
#: Where everything hangs on its having noticed before somebody comes back, on a busy machine too.
SURELY_NOTICED = "time.sleep(1.5)  # the server has all the time to notice"

_LEAVING = {
    "polite": "leave", "fin": "close", "reset": "reset", "half-close": "half_close", "killed": "abandon",
    "silent": "vanish",
}  # fmt: skip


class Untellable(Exception):
    """This failure cannot be shown on a bare socket; the message says why."""


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the play. `fault`: from here on what goes wrong is the server's doing."""

    at_s: float
    code: str
    fault: bool = False
    entry: bool = False


class Script:
    """What happened until `until_s`, told for the people who matter: `witnesses`, and whoever misbehaved."""

    def __init__(self, scene: Scene, profile: Profile, sent: Sequence[Sent], witnesses: Iterable[int], until_s: float):
        self.scene, self.profile = scene, profile
        self._goodbyes = goodbyes(scene, sent)
        self.sent = [piece for piece in sent if piece.at_s <= until_s]
        self.until_s = min([until_s, *(at for at, name in scene.phases if name == "rest")])
        self.witnesses = frozenset(witnesses)
        self.conns = self._chosen()
        self.variables = self._named()
        self._framing = profile.sending()
        self._words: dict[int, str] = {}

    # -- who matters ---------------------------------------------------------------------------------------------

    def _chosen(self) -> tuple[int, ...]:
        opened = self.scene.opened
        chosen = {conn for conn, one in opened.items() if one.at_s <= self.until_s and self._matters(conn)}
        names = {opened[conn].name for conn in chosen}
        chosen |= {conn for conn, one in opened.items() if one.at_s <= self.until_s and one.name in names}
        if not any(self.scene.well_behaved(conn) for conn in chosen):
            chosen |= set([conn for conn in opened if self.scene.well_behaved(conn)][:1])
        return tuple(sorted(chosen))

    def _matters(self, conn: int) -> bool:
        if conn in self.witnesses or not self.scene.well_behaved(conn) or self.scene.opened[conn].visit > 1:
            return True
        left = self.scene.left.get(conn)
        phases = ("fault", self.scene.phase_at(self.until_s))
        return left is not None and left.at_s <= self.until_s and self.scene.phase_at(left.at_s) in phases

    def _named(self) -> dict[int, str]:
        """A variable for each person; another one for a second window of the same person, open at the same time."""
        used: dict[str, str] = {}
        variables: dict[int, str] = {}
        for conn in self.conns:
            opened = self.scene.opened[conn]
            word = re.sub(r"\W", "_", opened.who.lower(), flags=re.ASCII) or "somebody"
            word = f"{word}_" if keyword.iskeyword(word) or word in _RESERVED or word[0].isdigit() else word
            same = [c for c in variables if self.scene.opened[c].name == opened.name]
            if any(self._open_at(c, opened.at_s) for c in same):
                word += "_again"
            elif same:
                word = variables[same[-1]]
            while used.get(word, opened.name) != opened.name:
                word += "_"
            used[word] = opened.name
            variables[conn] = word
        return variables

    def _open_at(self, conn: int, at_s: float) -> bool:
        left = self.scene.left.get(conn)
        return min(self.scene.gone_at(conn), left.at_s if left else float("inf")) > at_s

    # -- what they did -------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The acts in their order, with the moment from which on the server is to blame. Raises Untellable."""
        acts = sorted(self._acts(), key=lambda act: act.at_s)
        begin = next((act.at_s for act in acts if act.fault), None)
        lines, marked, before_s = list[str](), False, None
        for act in acts:
            if begin is not None and act.at_s >= begin and not marked:
                lines.append("now_it_counts()")
                marked = True
            elif marked and act.entry and self.time_passed(before_s, act.at_s):
                lines.append(NOTICE)
            lines.append(act.code)
            before_s = act.at_s
        if not marked:
            lines.append("now_it_counts()")
        elif self.time_passed(before_s, self.until_s):
            lines.append(NOTICE)
        if len(lines) > MOST_ACTS:
            raise Untellable(f"it takes {len(lines)} steps: too many for a file that is read")
        return lines

    def time_passed(self, since_s: float | None, until_s: float) -> bool:
        """Whether messages went through meanwhile: the server had the time to notice what was done to it."""
        heard = (h.at_s for records in self.scene.heard.values() for h in records)
        return since_s is not None and any(since_s < at_s < until_s for at_s in heard)

    def _acts(self) -> list[Act]:
        acts = list[Act]()
        crowd, single = self._crowds()
        for conns in crowd:
            acts += self._crowd(conns)
        for conn in single:
            acts += self._entering(conn)
            acts += self._leaving(conn)
            acts += self._raw(conn)
        acts += self._process()
        begin = min((act.at_s for act in acts if act.fault), default=float("inf"))
        acts += self._spoken(begin, set(single))
        return acts

    def _entering(self, conn: int) -> list[Act]:
        opened, name = self.scene.opened[conn], self.scene.opened[conn].name
        variable = self.variables[conn]
        if conn in self.scene.joined or (self._tried(conn) and self.scene.well_behaved(conn)):
            if conn not in self.scene.joined and self._again(conn):
                return []  # it was refused its name for the moment, and came again
            how = "come_back" if opened.visit > 1 else "enter"
            return [Act(opened.at_s, f"{variable} = {how}({name!a})", opened.visit > 1, entry=True)]
        return [Act(opened.at_s, f"{variable} = connect({name!a})", True, entry=True)]

    def _tried(self, conn: int) -> bool:
        return conn in self.scene.join_failed

    def _again(self, conn: int) -> bool:
        name = self.scene.opened[conn].name
        return any(c > conn and self.scene.opened[c].name == name for c in self.conns)

    def _leaving(self, conn: int) -> list[Act]:
        left, ended = self.scene.left.get(conn), self.scene.ended.get(conn)
        if self._forgotten(conn):
            return []
        acts = list[Act]()
        over = _first(left, ended, self.scene.opened[conn].way == "proxy")
        if over is None or over.at_s > self.until_s:
            return []
        if isinstance(over, Left):
            acts.append(Act(over.at_s, f"{self.variables[conn]}.{_LEAVING[over.how]}()", True))
        else:  # a line of the Toxiproxy ended it: on its other leg the server saw the same
            how = "reset" if over.how == "reset" else "close"
            acts.append(Act(over.at_s, f"{self.variables[conn]}.{how}()", True))
        if isinstance(over, Left) and over.how == "half-close":
            later = next((o.at_s for o in self.scene.opened.values() if o.at_s > over.at_s), None)
            if later is not None and later <= self.until_s:
                acts.append(Act(later - 1e-6, f"{self.variables[conn]}.close()", True))
        return acts

    def _forgotten(self, conn: int) -> bool:
        """A login that was refused for the moment, whose connection does not stand in the file."""
        return (
            self.scene.well_behaved(conn) and conn not in self.scene.joined and self._tried(conn) and self._again(conn)
        )

    def _raw(self, conn: int) -> list[Act]:
        """Bytes that are no plain message: before or in the login, odd payloads, pieces, several in one segment."""
        joined = self.scene.joined.get(conn)
        acts = list[Act]()
        pieces = list[Sent]()
        if joined is None and self.scene.well_behaved(conn):
            return []
        for piece in self.sent:
            if piece.conn != conn or (joined is not None and piece.at_s <= joined.at_s):
                continue
            if piece not in self._goodbyes and self._plain(piece) is None and not self._is_command(piece):
                pieces.append(piece)
        for run in _runs(pieces):
            whole = b"".join(piece.data for piece in run)
            if any(piece.length > len(piece.data) for piece in run) or len(whole) > MOST_BYTES:
                raise Untellable("it sends more bytes than a file that is read can hold")
            told = ", ".join(self.literal(piece.data) for piece in run)
            acts.append(Act(run[0].at_s, f"{self.variables[conn]}.send({told})", True))
        return acts

    def _is_command(self, piece: Sent) -> bool:
        return self.profile.list is not None and piece.data == self._framing.encode(self.profile.list.encode())

    def _plain(self, piece: Sent) -> Said | None:
        """The message that this piece is, where it is one, whole and alone, as it is spoken."""
        found = tokens.find(piece.data)
        said = self.scene.by_token.get(found[0]) if len(found) == 1 else None
        if said is None or said.kind not in ("chat", "fence"):
            return None
        text = said.text.decode("utf-8", "replace")
        spoken = self.profile.speak(text, self.scene.opened[said.conn].name)
        return said if piece.data == self._framing.encode(spoken.encode()) else None

    def _spoken(self, begin_s: float, conns: set[int]) -> list[Act]:
        """Plain messages after the fault has begun, before the room is tried in rounds anyway."""
        said = [
            (piece.at_s, found)
            for piece in self.sent
            if piece.conn in conns and piece.at_s >= begin_s - LAST_WORDS_S and (found := self._plain(piece)) is not None
            and found.kind == "chat" and self.scene.phase_at(piece.at_s) == "fault"
        ]  # fmt: skip
        wanted = said[-MOST_SAID:]
        return [Act(at_s, f"{self.variables[s.conn]}.say({self.short(s)!a})") for at_s, s in wanted]

    def short(self, said: Said) -> str:
        """A plain message's words without its token, where no other message has them."""
        words = said.text.removesuffix(said.token.encode()).strip()
        past = (s for s in self.scene.said if s.at_s <= self.until_s)  # the same is said once more when it is at rest
        same = sum(s.text.removesuffix(s.token.encode()).strip() == words for s in past)
        return f"{words.decode('utf-8', 'replace')}." if words and same == 1 and len(words) < 60 else self.words(said)

    def words(self, said: Said) -> str:
        """A message's words, its token with it: no other message has them."""
        return said.text.decode("utf-8", "replace")

    def _process(self) -> list[Act]:
        acts = list[Act]()
        for event in self.scene.events:
            if event.at_s > self.until_s:
                break
            code = {"frozen": "freeze()", "thawed": "thaw()"}.get(event.what)
            if code is not None:
                acts.append(Act(event.at_s, code, True))
            elif event.what in ("limits", "killed", "signal"):
                raise Untellable("it needs what is done to the server's process")
        return acts

    # -- crowds --------------------------------------------------------------------------------------------------

    def _crowds(self) -> tuple[list[list[int]], list[int]]:
        """Clients that all do the same, one group each, and the others."""
        groups = list[list[int]]()
        single = list[int]()
        for conn in self.conns:
            if self.scene.role(conn) != "crowd" or conn in self.witnesses:
                single.append(conn)
                continue
            group = groups[-1] if groups else []
            if group and self._same(group[-1], conn) and self._one_wave(group, conn):
                group.append(conn)
            else:
                groups.append([conn])
        small = [conn for group in groups if len(group) < LOOP for conn in group]
        return [group for group in groups if len(group) >= LOOP], sorted(single + small)

    def _same(self, one: int, other: int) -> bool:
        return self._manner(one) == self._manner(other)

    def _manner(self, conn: int) -> tuple[bool, Leaving | None, bool, tuple[bytes, ...]]:
        left = self.scene.left.get(conn)
        raw = tuple(piece.data for piece in self.sent if piece.conn == conn and self._plain(piece) is None)
        joined = conn in self.scene.joined
        return joined, left.how if left is not None else None, self.scene.opened[conn].visit > 1, () if joined else raw

    def _one_wave(self, group: list[int], conn: int) -> bool:
        """Whether this client belongs to the same wave: all come before one goes, or each goes before the next comes."""
        at_s = self.scene.opened[conn].at_s
        gone = [self.scene.left[c].at_s for c in group if c in self.scene.left]
        return all(at < at_s for at in gone) if len(gone) == len(group) else not any(at < at_s for at in gone)

    def _crowd(self, conns: list[int]) -> list[Act]:
        scene, first, last = self.scene, conns[0], conns[-1]
        joined, how, _, raw = self._manner(first)
        count = len(conns)
        begin = scene.opened[first].at_s
        come = 'let_in(f"m{number}")' if joined else 'connect(f"m{number}")'
        send = "".join(f".send({self.literal(data)})" for data in raw)
        leave = _LEAVING[how] if how and scene.left[first].at_s <= self.until_s else None
        in_turn = leave is not None and scene.left[first].at_s < scene.opened[last].at_s
        if in_turn:
            body = f"for number in range({count}):\n    one = {come}"
            body += f"\n    one{send}" if send else ""
            return [Act(begin, f"{body}\n    one.{leave}()", True)]
        acts = [Act(begin, f"crowd = [{come} for number in range({count})]", True)]
        if send:
            acts.append(Act(begin + 1e-6, f"for one in crowd:\n    one{send}", True))
        if leave:
            acts.append(Act(scene.left[first].at_s, f"for one in crowd:\n    one.{leave}()", True))
        return acts

    # -- bytes ---------------------------------------------------------------------------------------------------

    def literal(self, data: bytes) -> str:
        """Bytes as Python; what is one framed message is shown as one."""
        for message in self._messages(data):
            if message and self._framing.encode(message) == data:
                return f"framed({_bytes(message)})"
        return _bytes(data)

    def _messages(self, data: bytes) -> Iterable[bytes]:
        """What a framing may have been put around."""
        for head in (0, 1, 2, 4, 8, self.profile.header):
            yield data[head:]
        for end in {self.profile.newline or "\n", self.profile.terminator}:
            yield data.removesuffix(end.encode())


_RESERVED = frozenset(
    {
        "room",
        "expect",
        "framed",
        "connect",
        "enter",
        "play",
        "plain",
        "main",
        "crowd",
        "one",
        "number",
        "back",
        "newcomer",
    }
)


def _bytes(data: bytes) -> str:
    """A literal; long repetitions as a product."""
    for size in (1, 2, 3, 4, 8, 16, 32):
        count = len(data) // size if size else 0
        if len(data) > 60 and count * size == len(data) and data[:size] * count == data:
            return f"{data[:size]!r} * {count}"
    parts, at = list[str](), 0
    for run in re.finditer(rb"(.)\1{59,}", data, re.DOTALL):
        if run.start() > at:
            parts.append(repr(data[at : run.start()]))
        parts.append(f"{run[1]!r} * {run.end() - run.start()}")
        at = run.end()
    if at < len(data) or not parts:
        parts.append(repr(data[at:]))
    return " + ".join(parts)


def _runs(pieces: Sequence[Sent]) -> list[list[Sent]]:
    """Pieces that follow one another closely are one call."""
    runs = list[list[Sent]]()
    for piece in pieces:
        if runs and len(runs[-1]) < 40 and piece.at_s - runs[-1][-1].at_s < 0.5:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _first(left: Left | None, ended: Ended | None, proxied: bool) -> Left | Ended | None:
    """How a connection was over for the server: by its client, or by the line between them."""
    if ended is not None and proxied and (left is None or ended.at_s < left.at_s):
        return ended
    return left
