"""Acts: what people did on their sockets in a failing play, as lines of Python, as few as the violation needs."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.client.trace import Sent
from harness.dialect import tokens
from harness.dialect.profile import Profile
from harness.evidence.repro.crossing import end_seen, perhaps_reset
from harness.evidence.repro.crowds import all_go, call, cycle
from harness.evidence.repro.literals import Literals, runs
from harness.evidence.steps import goodbyes
from harness.history import Ended, Joined, JoinFailed, Left, Said
from harness.properties.scene import Scene

#: Plain messages that are said again after the fault has begun; the later ones count more.
MOST_SAID = 8
#: More clients than this that do the same are told as a loop.
LOOP = 4
#: What was said so shortly before the fault belongs to it, in seconds: the last words of one who leaves.
LAST_WORDS_S = 0.02
#: A pause of the play in which the server had the time to notice what was done before it, in seconds.
NOTICED_S = 0.2
#: Longer than this, in lines, a play is no example for anybody.
MOST_LINES = 80
#: More bytes than this are not written into a file.
MOST_BYTES = 1 << 16

#: What takes the place of others' talk.
NOTICE = "time.sleep(0.3)  # the server has the time to notice"
#: Where everything hangs on its having noticed before somebody comes back, on a busy machine too.
SURELY_NOTICED = "time.sleep(1.5)  # the server has all the time to notice"

#: The variable of a second window is called so.
AGAIN = "_again"

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
        self._literals = Literals(profile)
        self._stems: list[tuple[set[str], str]] = []

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
        opened = self.scene.opened[conn]
        if conn in self.witnesses or not self.scene.well_behaved(conn) or opened.visit > 1:
            return True
        if any(self._speaks_between(conn, said) for said in self.scene.said if said.segments > 1):
            return True
        if opened.role == "newcomer" and self.scene.phase_at(opened.at_s) == "fault":
            return True
        over = self._over(conn)
        phases = ("fault", self.scene.phase_at(self.until_s))
        return over is not None and self.scene.phase_at(over.at_s) in phases

    def _speaks_between(self, conn: int, pieces: Said) -> bool:
        """Whether somebody spoke in these pieces, or said something between them, which some servers mix."""
        times = [piece.at_s for piece in self.sent if piece.conn == pieces.conn and piece.at_s >= pieces.at_s]
        over_s = times[min(pieces.segments, len(times)) - 1] if times else pieces.at_s
        said = (s for s in self.scene.said if s.conn == conn and s.kind == "chat")
        return any(pieces.at_s <= s.at_s <= min(over_s, self.until_s) for s in said)

    def _named(self) -> dict[int, str]:
        """A variable for each person; another one for a second window of the same person, open at the same time."""
        used: dict[str, str] = {}
        variables: dict[int, str] = {}
        for conn in self.conns:
            opened = self.scene.opened[conn]
            word = re.sub(r"\W", "_", opened.who.lower(), flags=re.ASCII) or "somebody"
            word = (
                f"{word}_"
                if keyword.iskeyword(word) or word in _RESERVED or hasattr(builtins, word) or word[0].isdigit()
                else word
            )
            same = [c for c in variables if self.scene.opened[c].name == opened.name]
            if self.is_held(opened.name, opened.at_s):
                word += AGAIN
            elif same:
                word = variables[same[-1]]
            while used.get(word, opened.name) != opened.name:
                word += "_"
            used[word] = opened.name
            variables[conn] = word
        return variables

    def is_held(self, name: str, at_s: float) -> bool:
        """Whether somebody has this name for the server then, who may have vanished without its knowledge."""
        return any(
            one.name == name and one.at_s < at_s and self._open_at(conn, at_s)
            for conn, one in self.scene.opened.items()
        )

    def _open_at(self, conn: int, at_s: float) -> bool:
        left, ended = self.scene.left.get(conn), self.scene.ended.get(conn)
        known = [ended, left if left is not None and left.how != "silent" else None]
        return all(one is None or one.at_s > at_s for one in known)

    # -- what they did -------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The acts in their order, with the moment from which on the server is to blame. Raises Untellable."""
        acts = sorted(self._acts(), key=lambda act: act.at_s)
        begin = next((act.at_s for act in acts if act.fault), None)
        lines, marked, before_s, unnoticed = list[str](), False, None, False
        for act in acts:
            if begin is not None and act.at_s >= begin and not marked:
                lines.append("now_it_counts()")
                marked = True
            elif unnoticed and act.entry and self.time_passed(before_s, act.at_s):
                lines.append(NOTICE)
                unnoticed = False
            lines.append(act.code)
            before_s, unnoticed = act.at_s, unnoticed or not act.entry
        if lines.count("freeze()") > lines.count("thaw()"):
            lines.append("thaw()")  # a server that sleeps can show nothing
        if not marked:
            lines.append("now_it_counts()")
        elif unnoticed and self.time_passed(before_s, self.until_s):
            lines.append(NOTICE)
        return lines

    def time_passed(self, since_s: float | None, until_s: float) -> bool:
        """Whether the server had the time to notice what was done to it: a pause, or messages that went through."""
        if since_s is None:
            return False
        heard = (h.at_s for records in self.scene.heard.values() for h in records)
        return until_s - since_s >= NOTICED_S or any(since_s < at_s < until_s for at_s in heard)

    def _acts(self) -> list[Act]:
        acts = list[Act]()
        crowd, single = self._crowds()
        self._stems = []
        for number, conns in enumerate(crowd):
            acts += self._crowd(conns, number)
        for conn in single:
            acts += self._entering(conn)
            acts += self._leaving(conn)
            acts += self.raw(conn)
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
            if variable.endswith(AGAIN):
                how = "enter_if_let_in"
            over: Joined | JoinFailed = self.scene.joined.get(conn) or self.scene.join_failed[conn]
            awake = next((end for begin, end in self.scene.down if begin <= opened.at_s <= end < over.at_s), None)
            if awake is not None:  # it came while the server slept, which could answer when it ran on
                acts = [Act(opened.at_s, f"{variable} = connect({name!a})", True, entry=True)]
                answered_s = over.at_s if isinstance(over, Joined) else awake + 1e-6
                return [*acts, Act(answered_s, f"log_in({variable})", True)] if awake <= self.until_s else acts
            return [Act(opened.at_s, f"{variable} = {how}({name!a})", opened.visit > 1, entry=True)]
        return [Act(opened.at_s, f"{variable} = connect({name!a})", True, entry=True)]

    def _tried(self, conn: int) -> bool:
        return conn in self.scene.join_failed

    def _again(self, conn: int) -> bool:
        name = self.scene.opened[conn].name
        return any(c > conn and self.scene.opened[c].name == name for c in self.conns)

    def _leaving(self, conn: int) -> list[Act]:
        over = None if self._forgotten(conn) else self._over(conn)
        if over is None:
            return []
        acts = [Act(over.at_s, f"{self.variables[conn]}.{call(self._going(conn))}", True)]
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

    def raw(self, conn: int) -> list[Act]:
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
        others = [s.at_s for s in self.scene.said if s.conn != conn and s.conn in self.conns and s.kind == "chat"]
        for run in runs(pieces, others):
            whole = b"".join(piece.data for piece in run)
            if any(piece.length > len(piece.data) for piece in run) or len(whole) > MOST_BYTES:
                raise Untellable("it sends more bytes than a file that is read can hold")
            told = ", ".join(self._literals.literal(piece.data) for piece in run)
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
        """Clients that all come in the same way, one group each, and the others."""
        groups = list[list[int]]()
        single = list[int]()
        for conn in self.conns:
            if self.scene.role(conn) != "crowd" or conn in self.witnesses:
                single.append(conn)
                continue
            if self._forgotten(conn):
                continue
            group = groups[-1] if groups else []
            if group and self._manner(group[-1]) == self._manner(conn) and self._one_wave(group, conn):
                group.append(conn)
            else:
                groups.append([conn])
        crowds = [group for group in groups if len(group) >= LOOP and cycle(self._goings(group))]
        small = [conn for group in groups if group not in crowds for conn in group]
        return crowds, sorted(single + small)

    def _manner(self, conn: int) -> tuple[bool, bool, tuple[bytes, ...]]:
        """How one of a crowd comes: logged in, again, having sent these bytes."""
        raw = tuple(piece.data for piece in self.sent if piece.conn == conn and self._plain(piece) is None)
        joined = conn in self.scene.joined
        return joined, self.scene.opened[conn].visit > 1, () if joined else raw

    def _over(self, conn: int) -> Left | Ended | None:
        """How a connection was over for the server, until the violation."""
        left, ended = self.scene.left.get(conn), self.scene.ended.get(conn)
        if ended is not None and (left is None or ended.at_s < left.at_s):
            over: Left | Ended | None = (
                ended if self.scene.line_at_fault(conn, ended.at_s) else None
            )  # else the server's own doing
        else:
            over = left
        return over if over is not None and over.at_s <= self.until_s else None

    def _going(self, conn: int) -> str | None:
        """What its client does to end it as it was ended, if it was."""
        over = self._over(conn)
        if over is None:
            return None
        # by a line of the Toxiproxy: on its other leg the server saw the same
        how = {"reset": "reset"}.get(over.how, "close") if isinstance(over, Ended) else _LEAVING[over.how]
        if how not in ("close", "half_close") or not perhaps_reset(self.scene, conn):
            return how
        if end_seen(self.scene, conn) == "RST":
            return "reset"
        if how == "close":
            return "cut"
        return how if self.scene.role(conn) == "crowd" else "cut(Client.half_close)"

    def _goings(self, conns: Sequence[int]) -> list[str | None]:
        return [self._going(conn) for conn in conns]

    def _one_wave(self, group: list[int], conn: int) -> bool:
        """Whether this client belongs to the same wave: all come before one goes, or each goes before the next comes."""
        at_s = self.scene.opened[conn].at_s
        gone = [over is not None and over.at_s < at_s for over in map(self._over, group)]
        return len(group) == 1 or (all(gone) if self._in_turn(group) else not any(gone))

    def _in_turn(self, group: Sequence[int]) -> bool:
        """Whether each has gone before the next comes."""
        if len(group) < 2:
            return False
        over = self._over(group[0])
        return over is not None and over.at_s < self.scene.opened[group[1]].at_s

    def _crowd(self, conns: list[int], number: int) -> list[Act]:
        """One group as loops. `number`: how many groups there are before it."""
        first, (joined, back, raw) = conns[0], self._manner(conns[0])
        begin, turns = self.scene.opened[first].at_s, cycle(self._goings(conns)) or [None]
        crowd, stem = f"crowd_{number}" if number else "crowd", self._stem(conns, number)
        come = f'{"let_in" if joined else "connect"}(f"{stem}{{number}}")'
        send = "".join(f".send({self._literals.literal(data)})" for data in raw)
        if self._in_turn(conns) and len(turns) == 1:
            body = f"for number in range({len(conns)}):\n    one = {come}" + (f"\n    one{send}" if send else "")
            return [Act(begin, f"{body}\n    one.{call(turns[0])}", True, entry=back)]
        acts = [Act(begin, f"{crowd} = [{come} for number in range({len(conns)})]", True, entry=True)]
        if send:
            acts.append(Act(begin + 1e-6, f"for one in {crowd}:\n    one{send}", True))
        gone = [over.at_s for over in map(self._over, conns) if over is not None]
        if gone:
            acts += [Act(min(gone), code, True) for code in all_go(crowd, turns)]
        return acts

    def _stem(self, conns: Sequence[int], number: int) -> str:
        """What their names begin with: the same where they come back, another for each further group."""
        names = {self.scene.opened[conn].name for conn in conns}
        again = next((stem for before, stem in self._stems if before & names), None)
        stem = again or chr(ord("m") + number % 14) * (1 + number // 14)
        self._stems.append((names, stem))
        return stem


#: Names that the file uses itself.
_RESERVED = frozenset(
    ["room", "expect", "framed", "connect", "enter", "play", "plain", "main", "crowd", "one", "number", "turn", "back", "newcomer"]
)  # fmt: skip
