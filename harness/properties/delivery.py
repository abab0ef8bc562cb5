"""Delivery: what was said reaches everybody, once, in order, whole, in its author's name, and nothing else does."""

from __future__ import annotations

from collections import defaultdict

from harness.dialect import tokens
from harness.history import KEPT_NOTICES, Flooded, Heard, Said, Volume
from harness.properties.quoting import failed, passed, quote, skipped, unclear
from harness.properties.scene import Scene
from harness.results import Judgement

#: So many bytes through the room at once are more than anybody need take in time.
FLOOD = 1 << 20
_NO_LETTERS = bytes(code for code in range(256) if not (code < 0x80 and chr(code).isalnum()))


def delivers(scene: Scene) -> Judgement | None:
    """Brings every message of a connected client to every other connected client."""
    lost = [(said, conn) for said, conn in scene.lost if not in_pieces(scene, said, conn)]
    if scene.held_back:
        stuck = [
            (said, conn)
            for said, conn in lost
            if scene.by_proxy(said.conn, conn) and not (scene.passed_on(said.conn) and scene.passed_on(conn))
        ]
        lost = [loss for loss in lost if loss not in stuck]
        if stuck and not lost:
            return unclear(
                "delivers", f"the Toxiproxy kept {scene.held_back} bytes to itself with no toxic on the line"
            )
    if lost:
        return _lost(scene, lost)
    dropped = bystander_dropped(scene)
    if dropped is not None:
        return dropped
    if not scene.delivered:
        return None
    return passed("delivers", f"{scene.delivered} deliveries")


def _lost(scene: Scene, lost: list[tuple[Said, int]]) -> Judgement:
    said, conn = lost[0]
    phase = scene.phase_at(said.at_s)
    everyone = all(not scene.hearers(s) for s, _ in lost)
    shape = {"rounds": "after-departure", "fault": "during-fault"}.get(phase, "newcomers")
    shape += "-nobody" if everyone else "-some"
    return failed(
        "delivers",
        shape,
        f"{len(lost)} of {len(lost) + scene.delivered} deliveries were lost; the first: {scene.who(said.conn)} said "
        f"{quote(said.text, 60)!r} at {said.at_s:.2f} s, {scene.who(conn)} was connected and never heard it",
        expected=quote(said.text),
        observed=_instead(scene, said, conn),
        at_s=said.at_s,
    )


def _instead(scene: Scene, said: Said, conn: int) -> str:
    seen = scene.carried.get(conn)
    if seen is not None and scene.passed_on(conn):
        return f"{next_heard(scene, said, conn)}; the Toxiproxy passed on all {seen.downstream_sent} bytes that the server sent it"
    return next_heard(scene, said, conn)


def next_heard(scene: Scene, said: Said, conn: int) -> str:
    after = [h for hs in scene.heard.values() for h in hs if h.conn == conn and h.at_s >= said.at_s]
    if not after:
        return f"nothing more reached {scene.who(conn)}"
    first = min(after, key=lambda h: h.at_s)
    return f"next came {quote(first.unit, 80)}"


def bystander_dropped(scene: Scene) -> Judgement | None:
    """A well-behaved client's direct connection that the server ended, though it did nothing."""
    for conn, ended in scene.ended.items():
        innocent = scene.well_behaved(conn) and not scene.line_at_fault(conn, ended.at_s) and conn in scene.joined
        if not innocent or (conn in scene.left and scene.left[conn].at_s <= ended.at_s):
            continue
        if conn in scene.carried and scene.carried[conn].by in ("client", "proxy"):
            continue  # the Toxiproxy says that it was not the server
        if scene.was_stopped(ended.at_s) or scene.died or conn in replaced(scene):
            continue
        if was_idle(scene, conn, ended.at_s) or was_flooded(scene, conn, ended.at_s):
            continue
        return failed(
            "delivers",
            "bystander-dropped",
            f"the server ended the connection of {scene.who(conn)}, who had done nothing wrong, at {ended.at_s:.2f} s",
            expected="the connection stays",
            observed=f"it ended by {ended.how}",
            at_s=ended.at_s,
        )
    return None


def was_idle(scene: Scene, conn: int, at_s: float) -> bool:
    """Whether a client had been silent for as long as the server declares that it bears."""
    if scene.baseline.idle_s is None:
        return False
    last = max((s.at_s for s in scene.said if s.conn == conn and s.at_s <= at_s), default=scene.opened[conn].at_s)
    return at_s - last >= 0.9 * scene.baseline.idle_s


def was_flooded(scene: Scene, conn: int, at_s: float) -> bool:
    """Whether this one was being flooded: where nothing parts messages, a line without an end is a flood of them; where
    they are counted, any bytes are messages, and it was passed on. Who takes them more slowly than they come may be
    dropped like any slow reader."""
    begins = (s.at_s for s in scene.samples if s.label == "flood-begin")
    floods = zip(begins, scene.history.of(Flooded), strict=False)
    passed_on = any(v.conn == conn and v.received >= FLOOD for v in scene.history.of(Volume))
    return (passed_on or not scene.baseline.lines) and any(
        begin <= at_s <= flood.at_s + scene.deadlines.reply_s and flood.taken >= FLOOD for begin, flood in floods
    )


def replaced(scene: Scene) -> set[int]:
    """Connections whose name was taken over by a newer one: where the newcomer wins, the older one may be closed."""
    names: dict[str, list[int]] = defaultdict(list)
    for conn, opened in scene.opened.items():
        names[opened.name].append(conn)
    return {conn for conns in names.values() for conn in conns[:-1]}


def in_pieces(scene: Scene, said: Said, conn: int) -> bool:
    """Whether a message that seems lost came after all, cut into several units."""
    units = units_after(scene, said, conn)
    if letters(said.text) in b"".join(letters(words_of(scene, unit)) for unit in units):
        return True
    cut = said.segments > 1 or "proxy" in (scene.opened[said.conn].way, scene.opened[conn].way)
    if not cut or scene.baseline.lines:
        return False
    if said.segments > 1 and scene.baseline.commanded:
        return True  # its first piece alone was a command, and the others were none
    # it came to the server in pieces and nothing parts messages: others' words stand between them
    if sum(n.conn == conn for n in scene.noticed) >= KEPT_NOTICES - 1:
        return True  # so many pieces that the history stopped keeping them
    left = iter(letters(said.text))
    wanted = next(left, None)
    for letter in letters(b"".join(_without_messages(scene, unit) for unit in units)):
        if letter == wanted:
            wanted = next(left, None)
    return wanted is None


def _without_messages(scene: Scene, unit: bytes) -> bytes:
    """What is left of a unit when the messages that came whole are taken out."""
    for token in tokens.find(unit):
        whole = scene.by_token.get(token)
        unit = unit.replace(whole.text, b"") if whole is not None else unit
    return unit


def units_after(scene: Scene, said: Said, conn: int) -> list[bytes]:
    """What reached a connection from the moment on at which this was said."""
    came = [(n.at_s, n.unit) for n in scene.noticed if n.conn == conn and n.at_s >= said.at_s]
    came += [(h.at_s, h.unit) for hs in scene.heard.values() for h in hs if h.conn == conn and h.at_s >= said.at_s]
    return [unit for _, unit in sorted(came, key=lambda one: one[0])]  # those of one read in their order


def words_of(scene: Scene, unit: bytes) -> bytes:
    """A unit without its attribution."""
    name = scene.attributed_to(unit)
    if name is None:
        return unit
    template = scene.baseline.attribution or ""
    tail = template.partition("{name}")[2].strip()
    end = unit.find(name.encode()) + len(name.encode())
    after = unit[end:]
    return after[after.find(tail.encode()) + len(tail.encode()) :] if tail and tail.encode() in after else after


def letters(data: bytes) -> bytes:
    return data.translate(None, _NO_LETTERS)


def once(scene: Scene) -> Judgement | None:
    """Never delivers a message twice to the same client."""
    seen = 0
    for token, heard in scene.heard.items():
        said = scene.by_token.get(token)
        if said is None or said.kind == "forged":
            continue
        times: dict[int, list[Heard]] = defaultdict(list)
        for record in heard:
            if record.conn != said.conn and scene.opened[record.conn].at_s <= said.at_s:
                times[record.conn].append(record)
        seen += len(times)
        for conn, records in times.items():
            records = [record for record in records if not is_remnant(said, record, records[0])]
            if len(records) > 1:
                return failed(
                    "once", "twice", f"{scene.who(conn)} heard {quote(said.text, 60)!r} {len(records)} times",
                    expected="once", observed=quote(b" | ".join(r.unit for r in records[:3])), at_s=records[1].at_s,
                )  # fmt: skip
    return passed("once") if seen else None


def is_remnant(said: Said, record: Heard, first: Heard) -> bool:
    """Whether what came again is no message, but the rest of one: its front is missing, and it came whole before."""
    text = said.text.strip()
    return record is not first and said.exact and text in first.unit and text not in record.unit


def ordered(scene: Scene) -> Judgement | None:
    """Keeps each sender's messages in order at every receiver."""
    last: dict[tuple[int, int], tuple[Said, Heard]] = {}
    judged = 0
    first_heard = sorted(
        ((h, s) for s in scene.said if s.kind != "forged" for h in scene.hearers(s).values()),
        key=lambda pair: pair[0].at_s,
    )
    order = {id(record): n for n, record in enumerate(scene.history.records)}
    first_heard.sort(key=lambda pair: order[id(pair[0])])
    for heard, said in first_heard:
        if scene.opened[heard.conn].at_s > said.at_s:
            continue  # a room's history, replayed to a newcomer
        key = (said.conn, heard.conn)
        earlier = last.get(key)
        if earlier is not None:
            judged += 1
            if earlier[0].op > said.op:
                return failed(
                    "ordered", "overtaken",
                    f"{scene.who(heard.conn)} heard {quote(said.text, 50)!r} of {scene.who(said.conn)} after "
                    f"{quote(earlier[0].text, 50)!r}, which was said later",
                    expected="in the order in which they were said", observed=quote(heard.unit), at_s=heard.at_s,
                )  # fmt: skip
        if earlier is None or earlier[0].op < said.op:
            last[key] = (said, heard)
    return passed("ordered") if judged else None


def private(scene: Scene) -> Judgement | None:
    """Shows a directed message to its addressee only."""
    if not scene.baseline.whispers:
        return skipped("private", "this server has no directed messages that the quiet run could see")
    exercised = False
    for said in scene.said:
        if said.kind != "whisper":
            continue
        for record in scene.heard.get(said.token, ()):
            exercised = True
            if record.conn not in (said.conn, said.to):
                to = scene.who(said.to) if said.to is not None else "nobody"
                return failed(
                    "private", "leaked",
                    f"what {scene.who(said.conn)} whispered to {to} was shown to {scene.who(record.conn)}",
                    expected=f"only {to} sees it", observed=quote(record.unit), at_s=record.at_s,
                )  # fmt: skip
    return passed("private") if exercised else None
