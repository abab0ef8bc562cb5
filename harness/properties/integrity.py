"""Integrity: a message arrives as it was sent, whole and alone, however TCP cut or joined its bytes."""

from __future__ import annotations

import re
import unicodedata

from harness.history import Heard, Said
from harness.properties.delivery import in_pieces, next_heard, units_after, words_of
from harness.properties.quoting import failed, passed, quote, warned
from harness.properties.scene import Scene
from harness.results import Judgement

#: So many bytes of a message are more than chance has in common with another.
LEAST_STUMP = 6
#: What may stand for an invisible character: nothing, or a mark for each of its bytes at most.
_HARMLESS = "[ ?.*_\N{REPLACEMENT CHARACTER}]{0,3}"


def intact(scene: Scene) -> Judgement | None:
    """Delivers a message as it was sent, whole and alone, however TCP cut or joined the bytes."""
    judged, cleaned = 0, list[tuple[Said, Heard]]()
    for said in scene.said:
        if not said.exact or said.kind == "forged":
            continue
        for conn, heard in scene.hearers(said).items():
            judged += 1
            wrong = _damage(scene, said, heard)
            if wrong is not None and conn != said.conn and _but_for_the_invisible(said, heard):
                cleaned.append((said, heard))
            elif wrong is not None and conn != said.conn:
                return _not_intact(scene, said, heard.unit, *wrong)
        for conn in said.expects:
            if conn not in scene.hearers(said) and not scene.excused(said, conn) and in_pieces(scene, said, conn):
                pieces = b" | ".join(units_after(scene, said, conn)[:3])
                return _not_intact(scene, said, pieces, "cut", "it came cut into several messages")
        found = _stump(scene, said) or _lost_in_a_segment(scene, said)
        if found is not None:
            return found
    if cleaned:
        said, heard = cleaned[0]
        return warned(
            "intact", "invisible-taken-out",
            f"a message of {scene.who(said.conn)} came without its invisible characters: joined emoji fall apart",
            expected=quote(said.text), observed=quote(heard.unit),
        )  # fmt: skip
    return passed("intact") if judged else None


def _stump(scene: Scene, said: Said) -> Judgement | None:
    """What was left of a message that came in several segments, whose sender the server then threw out for the rest."""
    ended = scene.ended.get(said.conn)
    if said.segments < 2 or not said.certain or ended is None or not scene.well_behaved(said.conn):
        return None
    if ended.at_s > said.at_s + scene.deadlines.reply_s or scene.was_stopped(ended.at_s) or scene.died:
        return None
    if said.conn in scene.left and scene.left[said.conn].at_s <= ended.at_s:
        return None
    for conn in said.expects:
        for unit in units_after(scene, said, conn) if conn not in scene.hearers(said) else ():
            body = words_of(scene, unit).strip()
            if len(body) >= LEAST_STUMP and body != said.text and said.text.startswith(body):
                told = "a part of it was taken for all, and the connection was ended over the rest"
                return _not_intact(scene, said, unit, "cut", told)
    return None


def _lost_in_a_segment(scene: Scene, said: Said) -> Judgement | None:
    """A message that was lost because TCP cut or joined it: the same sender's others reached the same reader."""
    if (said.joined < 2 and said.segments < 2) or "intact" not in scene.history.aims or not scene.baseline.lines:
        return None
    for conn in said.expects:
        if conn in scene.hearers(said) or scene.excused(said, conn):
            continue
        alone = [s for s in scene.said if s.conn == said.conn and s.joined == s.segments == 1]
        if any(conn in scene.hearers(other) for other in alone):
            return _not_intact(scene, said, next_heard(scene, said, conn).encode(), "lost", "it did not arrive at all")
    return None


def _damage(scene: Scene, said: Said, heard: Heard) -> tuple[str, str] | None:
    if said.text.strip() not in heard.unit and not (len(said.text) > len(heard.unit) >= 1 << 17):
        return "changed", "the words around its token are not those that were said"
    if not heard.alone and scene.baseline.lines:
        return "joined", "it came in one line with another message"
    return None


def _but_for_the_invisible(said: Said, heard: Heard) -> bool:
    """Whether nothing is wrong but that format characters (a zero-width joiner) were taken out, or something harmless put
    in their place: a server that lets only printable characters through does so."""
    words = said.text.decode("utf-8", "replace").strip()
    if not heard.alone or not any(map(_is_invisible, words)):
        return False
    shown = "".join(rf"(?:{re.escape(c)}|{_HARMLESS})" if _is_invisible(c) else re.escape(c) for c in words)
    return re.search(shown, heard.unit.decode("utf-8", "replace")) is not None


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def _not_intact(scene: Scene, said: Said, unit: bytes, shape: str, what: str) -> Judgement:
    how = f"sent in {said.segments} segments" if said.segments > 1 else "sent as it is"
    how = f"sent together with {said.joined - 1} others in one segment" if said.joined > 1 else how
    reason = f"a message of {scene.who(said.conn)} did not arrive as it was said ({how}): {what}"
    if not scene.baseline.lines:
        return warned(
            "intact", "no-borders", f"{reason}; this server's messages have no borders, and TCP keeps none",
            expected=quote(said.text), observed=quote(unit),
        )  # fmt: skip
    return failed("intact", shape, reason, expected=quote(said.text), observed=quote(unit), at_s=said.at_s)
