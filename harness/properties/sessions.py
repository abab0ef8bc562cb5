"""Sessions: who is in, what they are shown, what is left of them when they have gone."""

from __future__ import annotations

import re

from harness.dialect import tokens
from harness.dialect.masking import mask, missing_parts, stands_in, text_of
from harness.history import KEPT_NOTICE_BYTES, KEPT_NOTICES, Awaited, Introduced, Joined, Left, Listed, Noticed, Opened
from harness.properties.quoting import failed, passed, quote, skipped, warned
from harness.properties.scene import KNOWABLE, Scene
from harness.results import Judgement


def welcomes(scene: Scene) -> Judgement | None:
    """Gives every new connection, a reconnection too, an introduction of the same shape as the first."""
    if not scene.baseline.greeted:
        return skipped("welcomes", "this server showed newcomers nothing in the quiet runs")
    judged = returns = 0
    for record in scene.introduced:
        conn = record.conn
        if not scene.well_behaved(conn) or scene.gone_at(conn) <= record.at_s or scene.line_at_fault(conn, record.at_s):
            continue
        if not (record.intro.strip() or scene.baseline.login or scene.was_served(conn)):
            continue  # nothing shows that it was let in at all: that is no matter of what one is shown
        judged += 1
        returns += scene.opened[conn].visit > 1
        missing = missing_parts(record.intro, scene.baseline.introduction, scene.name(conn))
        again = scene.opened[conn].visit > 1
        if missing and not _came_late(scene, record) and not (again and _greeted_otherwise(scene, record, missing)):
            whose = f"{scene.who(conn)} came back and" if again else f"{scene.who(conn)}, a newcomer,"
            shape = "silent" if not record.intro.strip() else "partial"
            return failed(
                "welcomes", f"{shape}-introduction",
                f"{whose} was not shown {quote(missing[0], 80)!r} within {record.waited_s:.2f} s",
                expected=quote(" / ".join(scene.baseline.introduction)), observed=quote(record.intro) or "nothing",
                at_s=record.at_s,
            )  # fmt: skip
    return (
        passed("welcomes", f"{judged} introductions compared, {returns} of them of returning clients")
        if judged
        else None
    )


def _greeted_otherwise(scene: Scene, record: Introduced, missing: tuple[str, ...]) -> bool:
    """Whether one who came back was told as much in other words (`Welcome back, ana`): for each line that is missing
    there is another one of its own, with the name where one is due, and no command is left out."""
    own: list[str] = []
    notices = (scene.baseline.join_notice, scene.baseline.leave_notice)
    for unit in re.split(rb"[\r\n]+", record.intro):
        line = mask(text_of(unit), (scene.name(record.conn),))
        for part in sorted(scene.baseline.introduction, key=len, reverse=True):
            line = line.replace(part, "")
        others = tokens.find(unit) or any(scene.about(template, unit) is not None for template in notices)
        if not others and re.search(r"[^\W\d_]{2}", line.replace("{name}", "")):
            own.append(line)
    due, shown = " ".join(missing), text_of(record.intro)
    named = "{name}" not in due or any("{name}" in line for line in own)
    return len(own) >= len(missing) and named and all(word in shown for word in re.findall(r"(?<!\w)[/!.:]\w+", due))


def _came_late(scene: Scene, record: Introduced) -> bool:
    """Whether all of the introduction came in the end: a server that is slow with everything shows it by other properties."""
    later = [n.unit for n in scene.noticed if n.conn == record.conn and n.at_s >= record.at_s]
    whole = b"\n".join([record.intro, *later])
    return not missing_parts(whole, scene.baseline.introduction, scene.name(record.conn))


def admits(scene: Scene) -> Judgement | None:
    """Shows nothing of the room to one who has not joined, and announces nothing about one who never did."""
    if not scene.baseline.login:
        return skipped("admits", "there is no login: whoever connects is in the room")
    outsiders = [o for o in scene.opened.values() if o.conn not in scene.joined]
    if not any(o.role == "faulty" or o.role == "crowd" for o in outsiders):
        return None
    for token, heard in scene.heard.items():
        said = scene.by_token.get(token)
        for record in heard:
            answered = scene.answered.get(record.conn)
            outside = answered is None or record.at_s < answered
            if said is not None and outside and said.conn != record.conn:
                return failed(
                    "admits", "overheard",
                    f"{scene.who(record.conn)} had not joined and was shown what {scene.who(said.conn)} said",
                    expected="nothing of the room before the login", observed=quote(record.unit), at_s=record.at_s,
                )  # fmt: skip
    for notice in scene.noticed:
        stranger = _stranger(scene, notice)
        if stranger is not None and not _named_itself(scene, outsiders, notice.at_s):
            return failed(
                "admits", "announced", f"the room was told about {quote(stranger) or 'nobody'!r}, who never joined",
                expected="no notice about one who never joined", observed=quote(notice.unit), at_s=notice.at_s,
            )  # fmt: skip
    return passed("admits")


def _named_itself(scene: Scene, outsiders: list[Opened], at_s: float) -> bool:
    """Whether one who is not known to have joined had answered the login by then: perhaps with an empty name."""
    return any(scene.answered.get(o.conn, float("inf")) <= at_s for o in outsiders)


def _stranger(scene: Scene, notice: Noticed) -> str | None:
    for template in (scene.baseline.join_notice, scene.baseline.leave_notice):
        name = scene.about(template, notice.unit)
        if name is not None and (not name or name in ("None", "null", "undefined", "''", "nil")):
            return name or "nobody"
    return None


def forgets(scene: Scene) -> Judgement | None:
    """Drops a client that is gone."""
    looks = [look for look in scene.history.of(Listed) if look.gone]
    for look in looks:
        name = next((n for n in look.gone if stands_in(n, look.answer)), None)
        if look.final and name is not None:
            return failed(
                "forgets", "still-listed", f"{name} has left and still stands in the list",
                expected=f"a list without {name}", observed=quote(look.answer), at_s=look.at_s,
            )  # fmt: skip
    for judge in (_name_taken, _not_told):
        found = judge(scene)
        if found is not None:
            return found
    told = scene.baseline.leave_notice is not None and any(_witnesses(scene, left) for left in scene.left.values())
    unique = scene.baseline.named and scene.baseline.duplicates in ("refused", "reprompted")
    returned = unique and any(o.visit > 1 and o.conn in scene.joined for o in scene.opened.values())
    return passed("forgets") if looks or told or returned else None


def _name_taken(scene: Scene) -> Judgement | None:
    """A returning client is refused its own name, long after it had left for all to see."""
    for conn, failure in scene.join_failed.items():
        opened = scene.opened.get(conn)
        if opened is None or opened.visit < 2 or not scene.well_behaved(conn) or not failure.refused:
            continue
        name, since = opened.name, opened.at_s
        later = any(o.name == name and o.conn > conn for o in scene.opened.values())
        owners = [c for c in scene.joined if scene.name(c) == name and c < conn]
        if any(scene.gone_at(c) > since for c in owners):
            continue  # somebody bears it
        left = [scene.left[c] for c in owners if c in scene.left and scene.left[c].how in KNOWABLE]
        if later or not left or scene.baseline.duplicates not in ("refused", "reprompted"):
            continue
        gone_s = since - left[-1].at_s  # when it asked, not when it gave up waiting for a welcome
        if scene.is_down(since, failure.at_s) or gone_s < scene.deadlines.reply_s:
            continue
        return failed(
            "forgets", "name-taken", f"{name} had left {gone_s:.1f} s before and is refused its own name",
            expected="its name is free again", observed=quote(failure.got), at_s=failure.at_s,
        )  # fmt: skip
    return None


def _witnesses(scene: Scene, left: Left) -> list[int]:
    """Who was in the room, and stayed long enough, to be told that this client left."""
    joined = scene.joined.get(left.conn)
    if joined is None or left.how not in KNOWABLE or scene.role(left.conn) == "crowd":
        return []
    until = left.at_s + scene.deadlines.reply_s
    if (
        scene.is_down(left.at_s - 0.2, until)
        or scene.opened[left.conn].way == "proxy"
        or _soon_back(scene, left, until)
    ):
        return []
    return [
        c for c, j in scene.joined.items()
        if c != left.conn and scene.well_behaved(c) and j.at_s < left.at_s and scene.gone_at(c) > until
    ]  # fmt: skip


def _soon_back(scene: Scene, left: Left, until_s: float) -> bool:
    """Whether one of this name came, and was announced, before everybody need have been told that it had gone: a server
    that counts who is in under a name had nothing to tell. The announcement may stand beside a message in one read."""
    name, arrival = scene.name(left.conn), scene.baseline.join_notice
    came = [j.at_s for c, j in scene.joined.items() if c != left.conn and scene.name(c) == name]
    if arrival is None or not any(left.at_s < at_s < until_s for at_s in came):
        return False
    units = [(n.at_s, n.unit) for n in scene.noticed] + [(h.at_s, h.unit) for hs in scene.heard.values() for h in hs]
    return any(left.at_s < at_s and scene.tells(arrival, name, unit) for at_s, unit in units)


def _not_told(scene: Scene) -> Judgement | None:
    template = scene.baseline.leave_notice
    if template is None:
        return None
    for left in scene.left.values():
        witnesses = _witnesses(scene, left)
        if not witnesses:
            continue
        name = scene.name(left.conn)
        told = (
            any(
                n.conn in witnesses and n.at_s >= left.at_s - 0.05 and _of_its_going(scene, name, n)
                for n in scene.noticed
            )
            or _told_beside(scene, template, left, witnesses)
            or _told_before(scene, template, left, witnesses)
        )
        if not told and not _flooded(scene, witnesses) and _shown_under(scene, left.conn):
            return failed(
                "forgets", "not-told", f"{scene.who(left.conn)} left ({left.how}) and nobody was told",
                expected=template.replace("{name}", name), observed="no notice", at_s=left.at_s,
            )  # fmt: skip
    return None


def _of_its_going(scene: Scene, name: str, notice: Noticed) -> bool:
    """Whether a notice may be that it left: it bears the name, and is not plainly that of an arrival."""
    arrived = scene.about(scene.baseline.join_notice, notice.unit) == name
    return stands_in(name, notice.unit) and not (
        arrived and scene.about(scene.baseline.leave_notice, notice.unit) != name
    )


def _told_before(scene: Scene, template: str, left: Left, witnesses: list[int]) -> bool:
    """The server had dropped it already (a slow reader, say): the notice came before the client itself left."""
    name, since = scene.name(left.conn), scene.opened[left.conn].at_s
    return any(n.conn in witnesses and n.at_s >= since and scene.about(template, n.unit) == name for n in scene.noticed)


def _told_beside(scene: Scene, template: str, left: Left, witnesses: list[int]) -> bool:
    """The notice came in one unit with somebody's message: one read brought both, and the server puts no borders."""
    name = scene.name(left.conn)
    return any(
        h.conn in witnesses and h.at_s >= left.at_s - 0.05 and scene.tells(template, name, h.unit)
        for heard in scene.heard.values()
        for h in heard
    )


def _shown_under(scene: Scene, conn: int) -> bool:
    """Whether the room knew this client under its name: its messages, or its arrival, bore it."""
    name = scene.name(conn)
    spoke = any(
        scene.attributed_to(h.unit) == name for s in scene.said if s.conn == conn for h in scene.hearers(s).values()
    )
    return spoke or any(stands_in(name, n.unit) for n in scene.noticed if n.at_s >= scene.opened[conn].at_s)


def _flooded(scene: Scene, conns: list[int]) -> bool:
    """Whether so much was noticed that the history did not keep all of it: too many units, or too long ones."""
    return any(
        sum(n.conn == c for n in scene.noticed) >= KEPT_NOTICES - 1
        or any(n.conn == c and len(n.unit) >= KEPT_NOTICE_BYTES for n in scene.noticed)
        for c in conns
    )


def identity(scene: Scene) -> Judgement | None:
    """Attributes each message to the one who sent it."""
    if not scene.baseline.named or scene.baseline.attribution is None:
        return skipped("identity", "this server puts no name of its own in front of messages")
    judged = 0
    for said in scene.said:
        if said.kind in ("forged", "whisper") or not scene.well_behaved(said.conn) or not said.exact:
            continue
        name = scene.name(said.conn)
        for record in scene.hearers(said).values():
            shown = scene.shown_as(said, record) if record.conn != said.conn else None
            if shown is None:
                continue
            judged += 1
            if name not in shown and (shown in scene.names or shown in ("None", "null", "undefined")):
                return failed(
                    "identity", "misattributed", f"what {name} said was shown as {quote(shown)!r}",
                    expected=f"the name of {name}", observed=quote(record.unit), at_s=record.at_s,
                )  # fmt: skip
    return _shared_name(scene) or (passed("identity", f"{judged} attributions") if judged else None)


def _shared_name(scene: Scene) -> Judgement | None:
    """Two clients in the room at the same time, heard under one name."""
    heard_as: dict[str, list[tuple[int, float]]] = {}
    for said in scene.said:
        shown = {scene.shown_as(said, h) for h in scene.hearers(said).values() if h.conn != said.conn}
        for name in shown:
            if name in scene.names:
                heard_as.setdefault(name, []).append((said.conn, said.at_s))
    for name, uses in heard_as.items():
        for conn, at_s in uses:
            other = next((c for c, since in uses if c != conn and _in_room(scene, c, at_s, since)), None)
            if other is None or not _shared_on_purpose(scene, conn, other):
                continue
            reason = f"two clients were in the room under the one name {name}, and nobody was told"
            if scene.baseline.duplicates in ("refused", "reprompted"):
                return failed(
                    "identity",
                    "shared-name",
                    reason,
                    expected="names are unique here",
                    observed=f"two of {name}",
                    at_s=at_s,
                )
            return warned("identity", "shared-name", reason)
    return None


def _in_room(scene: Scene, conn: int, at_s: float, heard_s: float) -> bool:
    """Whether one whom the others heard (what it said at `heard_s`) was in the room at that moment."""
    since = min(heard_s, scene.joined[conn].at_s) if conn in scene.joined else heard_s
    return since <= at_s < scene.gone_at(conn)


def _shared_on_purpose(scene: Scene, one: int, other: int) -> bool:
    """Both were there, and both connections are alive as far as anybody can know: neither was cut as the other came."""
    cut = any(c in scene.ended and scene.ended[c].at_s <= scene.gone_at(c) for c in (one, other))
    return (scene.name(one) == scene.name(other) and not cut) or _overlap(scene, one, other)


def _overlap(scene: Scene, one: int, other: int) -> bool:
    later = max(scene.opened[one].at_s, scene.opened[other].at_s)
    return min(scene.gone_at(one), scene.gone_at(other)) > later + scene.deadlines.reply_s


def expires(scene: Scene) -> Judgement | None:
    """Drops a connection that stays silent longer than the declared idle time."""
    if scene.baseline.idle_s is None:
        return skipped("expires", "no idle time is declared")
    waited = next((a for a in scene.history.of(Awaited) if a.what == "idle"), None)
    if waited is None:
        return None
    if waited.came:
        return passed("expires", f"dropped after {waited.at_s - waited.asked_at_s:.2f} s")
    return failed(
        "expires", "kept", f"a silent connection was still open after {waited.at_s - waited.asked_at_s:.1f} s",
        expected=f"the end of the connection within {waited.deadline_s:.1f} s", observed="it stays open", at_s=waited.at_s,
    )  # fmt: skip


def resumes(scene: Scene) -> Judgement | None:
    """Gives a returning client its identity and missed messages back."""
    if not scene.baseline.resumes:
        return skipped("resumes", "session resumption is not declared")
    waits = [a for a in scene.history.of(Awaited) if a.what.startswith("resume")]
    if not waits:
        return None
    missing = next((a for a in waits if not a.came), None)
    if missing is None:
        return passed("resumes")
    what = "its identity" if missing.what == "resume-identity" else "what it had missed"
    joined: Joined | None = scene.joined.get(missing.conn or -1)
    return failed(
        "resumes", missing.what, f"a client that resumed its session did not get {what} back",
        expected=what, observed=quote(joined.intro) if joined else "no session", at_s=missing.at_s,
    )  # fmt: skip
