"""Availability: the server runs, takes people in, answers in time, ends and starts when it is told to."""

from __future__ import annotations

from itertools import pairwise

from harness.history import WELL_BEHAVED, Awaited, Kernel, Knocked, Opened, Said, ServerEvent
from harness.properties.quoting import failed, passed, quote, skipped, warned
from harness.properties.scene import Scene
from harness.results import Judgement

#: Part of a crowd that may stay outside without a word from the server before it is more than bad luck.
CROWD_OUTSIDE = 0.02

#: So many times a client is told of a crowd's comings and goings before its wait among them counts as the server's work.
CROWD_TOLD = 20


def accepts(scene: Scene) -> Judgement | None:
    """Takes in a newcomer within the deadline: the first byte, the login, or a message that reaches it."""
    tried = [o for o in scene.opened.values() if o.role in WELL_BEHAVED]
    refused = [f for f in scene.open_failed if f.role != "crowd" and f.way == "direct" and not _down(scene, f.at_s)]
    if refused:
        return failed(
            "accepts", "no-connection", f"{refused[0].who} could not connect: {refused[0].error}",
            expected="a connection", observed=refused[0].error, at_s=refused[0].at_s,
        )  # fmt: skip
    outside = [o for o in tried if _left_outside(scene, o)]
    if outside:
        first = outside[0]
        return failed(
            "accepts", "not-let-in",
            f"{first.who} connected at {first.at_s:.2f} s and was not served within {scene.deadlines.join_s:.1f} s "
            "(the kernel completed the handshake, the server did not take the client in)",
            expected="a greeting, or a completed login", observed=_shown(scene, first), at_s=first.at_s,
        )  # fmt: skip
    return _crowd(scene) or (passed("accepts", f"{len(tried)} were let in") if tried else None)


def _shown(scene: Scene, opened: Opened) -> str:
    failure = scene.join_failed.get(opened.conn)
    return quote(failure.got) if failure and failure.got else "nothing"


def _down(scene: Scene, at_s: float) -> bool:
    return scene.is_down(at_s - scene.deadlines.connect_s, at_s)


def _left_outside(scene: Scene, opened: Opened) -> bool:
    """Neither served nor refused: the server never answered this client."""
    failure = scene.join_failed.get(opened.conn)
    until = failure.at_s if failure is not None else opened.at_s + scene.deadlines.join_s
    if _down(scene, opened.at_s) or scene.is_down(opened.at_s, until):
        return False
    if scene.line_at_fault(opened.conn, until):
        return False
    if scene.first_bytes.get(opened.conn, float("inf")) <= until:
        return False
    if failure is not None:
        return not failure.refused
    hello = next((a for a in scene.history.of(Awaited) if a.conn == opened.conn and a.what == "hello"), None)
    heard_anything = any(h.conn == opened.conn for hs in scene.heard.values() for h in hs)
    spoke = hello is not None and not hello.came
    return spoke and not heard_anything and opened.conn not in scene.ended


def _crowd(scene: Scene) -> Judgement | None:
    crowd = [o for o in scene.opened.values() if o.role == "crowd"]
    last = {o.name: o for o in crowd}
    outside = [o for o in last.values() if _silent_crowd(scene, o)]
    if not crowd or len(outside) <= CROWD_OUTSIDE * len(last):
        return None
    dropped = {k: v for record in scene.history.of(Kernel) for k, v in record.deltas.items() if v}
    told = f"{len(outside)} of {len(last)} clients that came at once were never served, though they tried again"
    if dropped:
        counted = ", ".join(f"{key} {value}" for key, value in sorted(dropped.items()))
        return warned("accepts", "backlog", f"{told}: the listen backlog overflowed ({counted})")
    return failed(
        "accepts",
        "crowd-outside",
        told,
        expected="a greeting or a clear refusal",
        observed="nothing",
        at_s=outside[0].at_s,
    )


def _silent_crowd(scene: Scene, opened: Opened) -> bool:
    failure = scene.join_failed.get(opened.conn)
    return failure is not None and not failure.refused and not scene.is_down(opened.at_s, failure.at_s)


def refuses(scene: Scene) -> Judgement | None:
    """Leaves nobody hanging once it is stopped."""
    knocks = list(scene.history.of(Knocked))
    if not knocks:
        return None
    wrong = next((k for k in knocks if k.outcome != "refused"), None)
    if wrong is not None:
        return failed(
            "refuses", "still-open", f"the server was stopped, and yet a connection to its port was {wrong.outcome}",
            expected="refused (ECONNREFUSED)", observed=wrong.outcome, at_s=wrong.at_s,
        )  # fmt: skip
    for stop in _stops(scene):
        for conn in _connected(scene, stop.at_s):
            ended = scene.ended.get(conn)
            if ended is None and not _gone_soon(scene, conn, stop.at_s):
                return failed(
                    "refuses", "left-hanging", f"{scene.who(conn)} was connected when the server ended and never saw the end",
                    expected="the end of the connection", observed="silence", at_s=stop.at_s,
                )  # fmt: skip
    return passed("refuses")


def _stops(scene: Scene) -> list[ServerEvent]:
    return [e for e in scene.events if (e.what == "exited" and e.asked) or e.what == "killed"]


def _connected(scene: Scene, at_s: float) -> list[int]:
    return [
        conn for conn in scene.joined
        if scene.well_behaved(conn) and scene.opened[conn].at_s < at_s < scene.gone_at(conn) and scene.opened[conn].way == "direct"
    ]  # fmt: skip


def _gone_soon(scene: Scene, conn: int, at_s: float) -> bool:
    return scene.gone_at(conn) < at_s + scene.deadlines.reply_s


def survives(scene: Scene) -> Judgement | None:
    """Keeps running: same process, no exit, no crash."""
    if scene.baseline.remote:
        return skipped("survives", "the server is run by somebody else: its process cannot be seen")
    if scene.died is None:
        return passed("survives") if any(s.label.startswith(("after", "ready")) for s in scene.samples) else None
    told = f"the server ended by itself, {describe_exit(scene.died.detail)}"
    if scene.baseline.ends_when_empty and scene.died.detail == "0":
        told = f"the server ended by itself when its last client had left, {describe_exit(scene.died.detail)}"
    return failed(
        "survives", "died", told,
        expected="the same process, running", observed=quote(scene.output[-600:].strip() or "it printed nothing", 600),
        at_s=scene.died.at_s,
    )  # fmt: skip


def describe_exit(status: str) -> str:
    """An exit status in words: negative numbers are signals."""
    import signal

    try:
        number = int(status)
    except ValueError:
        return "its exit status is unknown"
    if number < 0:
        try:
            return f"killed by {signal.Signals(-number).name}"
        except ValueError:
            return f"killed by signal {-number}"
    return f"with exit status {number}"


def serves(scene: Scene) -> Judgement | None:
    """Afterwards lets two fresh clients log in and exchange messages both ways."""
    fresh = [
        o for o in scene.opened.values() if o.role == "newcomer" and scene.phase_at(o.at_s) in ("newcomers", "empty")
    ]
    unconnected = [f for f in scene.open_failed if f.role == "newcomer" and not _down(scene, f.at_s)]
    if unconnected:
        return failed(
            "serves", "no-connection", f"after the fault {unconnected[0].who} could not connect: {unconnected[0].error}",
            expected="two fresh clients talk", observed=unconnected[0].error, at_s=unconnected[0].at_s,
        )  # fmt: skip
    if not fresh:
        return None
    for phase in ("newcomers", "empty"):
        pair = [o for o in fresh if scene.phase_at(o.at_s) == phase]
        verdict = _exchange(scene, pair, phase) if len(pair) > 1 else None
        if verdict is not None:
            return verdict
    return passed("serves")


def _exchange(scene: Scene, pair: list[Opened], phase: str) -> Judgement | None:
    where = "while the others were there" if phase == "newcomers" else "after everybody had left"
    for one in pair:
        if one.conn not in scene.joined:
            return failed(
                "serves", f"no-login-{phase}", f"after the fault, {where}, the fresh client {one.who} could not log in",
                expected="two fresh clients talk", observed=_shown(scene, one), at_s=one.at_s,
            )  # fmt: skip
    for one in pair:
        for other in pair:
            if one is not other and not _hears(scene, one, other):
                return failed(
                    "serves", f"no-exchange-{phase}",
                    f"after the fault, {where}, the fresh client {other.who} never heard the fresh client {one.who}",
                    expected="two fresh clients talk, both ways", observed="nothing arrived", at_s=one.at_s,
                )  # fmt: skip
    return None


def _hears(scene: Scene, one: Opened, other: Opened) -> bool:
    return any(other.conn in scene.hearers(said) for said in scene.said if said.conn == one.conn)


def responsive(scene: Scene) -> Judgement | None:
    """Answers bystanders in time during the fault: one bad client never blocks the others."""
    waits = [a for a in scene.history.of(Awaited) if a.what == "delivery" and not a.came]
    full = [a for a in waits if a.deadline_s >= scene.deadlines.reply_s * 0.99]
    for wait in full:
        late = _late(scene, wait)
        if late is not None:
            return late
    during = [s for s in scene.said if scene.phase_at(s.at_s) == "fault" and _between_bystanders(scene, s)]
    answered = [s for s in during if any(scene.well_behaved(c) and c in scene.hearers(s) for c in s.expects)]
    if not answered and not any(scene.phase_at(a.at_s) == "fault" for a in full):
        return None
    return passed("responsive", f"messages during the fault: {len(answered)}")


def _between_bystanders(scene: Scene, said: Said) -> bool:
    return scene.well_behaved(said.conn) and any(scene.well_behaved(conn) for conn in said.expects)


def _late(scene: Scene, wait: Awaited) -> Judgement | None:
    """A deadline that passed during the fault: messages that came later, or a room in which nobody was heard."""
    pending = [
        (said, conn)
        for said in scene.said
        if said.at_s <= wait.asked_at_s and _between_bystanders(scene, said)
        for conn in said.expects
        if scene.well_behaved(conn) and not scene.excused(said, conn) and not _heard_by(scene, said, conn, wait.at_s)
    ]
    if not pending:
        return None
    late = [
        (s, c) for s, c in pending
        if c in scene.hearers(s) and not any(scene.line_slows(end, s.at_s, wait.at_s) for end in (s.conn, c))
        and not _told_of_a_crowd(scene, c, s.at_s, scene.hearers(s)[c].at_s, wait.deadline_s)
    ]  # fmt: skip
    in_fault = scene.phase_at(wait.at_s) == "fault"
    if late:
        said, conn = late[0]
        took = scene.hearers(said)[conn].at_s - said.at_s
        return failed(
            "responsive", "late",
            f"{scene.who(conn)} heard {scene.who(said.conn)} only after {took:.2f} s (deadline {wait.deadline_s:.2f} s); "
            f"{len(late)} messages of bystanders were late",
            expected=f"within {wait.deadline_s:.2f} s", observed=f"{took:.2f} s", at_s=said.at_s,
        )  # fmt: skip
    since = min(s.at_s for s, _ in pending)
    if in_fault and _stands_still(scene, since, wait.at_s):
        return failed(
            "responsive", "stalled",
            f"during the fault nobody heard anybody for {wait.at_s - since:.2f} s: bystanders were blocked",
            expected=f"an answer within {wait.deadline_s:.2f} s", observed="silence", at_s=since,
        )  # fmt: skip
    return None


def _told_of_a_crowd(scene: Scene, conn: int, since_s: float, until_s: float, deadline_s: float) -> bool:
    """Whether this client was told of a crowd's comings and goings all the while: the server was busy, not blocked.

    Hundreds of notices to hundreds of clients are work that the message waits behind; a server that stands still tells
    nothing for a while, and is blamed for it.
    """
    crowd = [o.name.encode() for o in scene.opened.values() if o.role == "crowd" and o.name]
    told = [
        n.at_s for n in scene.noticed
        if n.conn == conn and since_s <= n.at_s <= until_s and any(name in n.unit for name in crowd)
    ]  # fmt: skip
    moments = [since_s, *told, until_s]
    return len(told) >= CROWD_TOLD and max(b - a for a, b in pairwise(moments)) < deadline_s / 2


def _stands_still(scene: Scene, since_s: float, until_s: float) -> bool:
    """Nobody heard anybody: neither in this time, nor what was said later in the fault. One lost message is no stall."""
    said = [
        s for s in scene.said
        if s.at_s >= since_s and scene.phase_at(s.at_s) == "fault" and _between_bystanders(scene, s)
    ]  # fmt: skip
    heard = any(since_s <= h.at_s <= until_s and scene.well_behaved(h.conn) for hs in scene.heard.values() for h in hs)
    return len(said) > 1 and not heard and not any(_reached(scene, s) for s in said)


def _reached(scene: Scene, said: Said) -> bool:
    return any(scene.well_behaved(conn) and conn in scene.hearers(said) for conn in said.expects)


def _heard_by(scene: Scene, said: Said, conn: int, at_s: float) -> bool:
    heard = scene.hearers(said).get(conn)
    return heard is not None and heard.at_s <= at_s


def restarts(scene: Scene) -> Judgement | None:
    """Can be started again at once on the same port and serve again."""
    failures = [e for e in scene.events if e.what == "start-failed"]
    if failures:
        return failed(
            "restarts", "not-again", "the server did not start again on its own port",
            expected="it listens again", observed=quote(failures[0].detail, 500), at_s=failures[0].at_s,
        )  # fmt: skip
    ready = [e for e in scene.events if e.what == "ready"]
    if len(ready) < 2:
        return None
    served = any(s.at_s > ready[1].at_s and scene.hearers(s) for s in scene.said)
    return passed("restarts") if served else None


def stops(scene: Scene) -> Judgement | None:
    """Ends in time on SIGTERM and closes every client's connection."""
    stuck = [e for e in scene.events if e.what == "stuck"]
    deaf = next((e for e in stuck if e.detail != "SIGINT"), None)
    if deaf is not None:
        return failed(
            "stops", "stuck", f"told to end by {deaf.detail}, the server still ran after {scene.deadlines.stop_s:.1f} s",
            expected=f"it ends within {scene.deadlines.stop_s:.1f} s", observed="it runs on", at_s=deaf.at_s,
        )  # fmt: skip
    if stuck:
        return warned(
            "stops", "sigint", f"SIGINT (Ctrl-C) did not end the server within {scene.deadlines.stop_s:.1f} s"
        )
    ended = [e for e in scene.events if e.what == "exited" and e.asked]
    return passed("stops", f"in {ended[-1].took_s or 0:.2f} s") if ended else None
