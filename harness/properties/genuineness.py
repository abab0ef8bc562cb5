"""Genuineness: nobody is shown what nobody said, or words in the name of somebody who did not say them."""

from __future__ import annotations

import re
from collections import defaultdict

from harness.dialect import tokens
from harness.history import Heard, Noticed, Said
from harness.properties.delivery import is_remnant, letters, words_of
from harness.properties.quoting import failed, passed, quote, warned
from harness.properties.scene import Scene
from harness.results import Judgement

#: So many messages in a gone client's name are a ghost; one may have been on its way.
GHOSTS = 3
#: So many messages with the end of an older one behind them are no chance.
LEAST_TAILS = 3
#: What takes a reader's eye, or its cursor, to the beginning of a line: text behind it can pose as another message.
BREAKS = re.compile(r"[\r\n\v\f\b]|\x1b\[[0-9;?]*[A-Za-z]")
#: What ends a message for a program that reads lines.
LINE_BREAKS = re.compile(r"[\r\n]")
#: Unicode has more of them, which few terminals obey.
RARE_BREAKS = re.compile(r"[\x85\u2028\u2029]")


def genuine(scene: Scene) -> Judgement | None:
    """Delivers nothing that nobody sent, and nothing forged."""
    found = [
        judgement
        for judge in (_unsaid, _forged, _leftovers, _remnants, _ghosts)
        if (judgement := judge(scene)) is not None
    ]
    if found:
        return next((judgement for judgement in found if judgement.outcome == "fail"), found[0])
    return passed("genuine") if scene.delivered else None


def _unsaid(scene: Scene) -> Judgement | None:
    for token, heard in scene.heard.items():
        if token not in scene.by_token and not _damaged(scene, token) and _could_be_said(scene, token):
            return failed(
                "genuine", "unsaid", f"{scene.who(heard[0].conn)} was shown a message that nobody sent",
                expected="only what somebody said", observed=quote(heard[0].unit), at_s=heard[0].at_s,
            )  # fmt: skip
    return None


def _could_be_said(scene: Scene, token: str) -> bool:
    """Whether the token names a speaker of this play: random bytes that were thrown in look like a token now and then."""
    return int(token[len(tokens.HEAD) : len(tokens.HEAD) + 2], 36) in scene.opened


def _damaged(scene: Scene, token: str) -> bool:
    """Where nothing parts messages, two halves make a token that nobody sent: it begins like one that somebody did."""
    head = len(tokens.HEAD) + 2  # and whose it is
    return not scene.baseline.lines and any(said.token[:head] == token[:head] for said in scene.said)


def _forged(scene: Scene) -> Judgement | None:
    """A line that somebody else wrote. Breaks that only some readers know for one, and few terminals, are a warning.

    A server that ends each message that it shows with a newline tells its readers that a line is a message: then a
    newline within one is a lie, also where whole reads are taken for messages.
    """
    seen_by_a_person = ((BREAKS, "forged"), (RARE_BREAKS, "forged-rarely"))
    for breaks, shape in ((LINE_BREAKS, "forged"),) if scene.baseline.parsed else seen_by_a_person:
        for said in scene.said:
            if said.kind != "forged":
                continue
            for record in scene.heard.get(said.token, ()):
                author = _seen_author(scene, record, breaks)
                if record.conn == said.conn or author not in scene.names or author == scene.name(said.conn):
                    continue
                told = f"{scene.who(record.conn)} was shown a line in the name of {author} that {scene.who(said.conn)} wrote"
                expected, observed = f"the name of {scene.who(said.conn)}, or nothing", quote(record.unit)
                if not (scene.baseline.lines or scene.baseline.shown_lines):
                    told += "; this server's messages have no borders, and TCP keeps none"
                    return warned("genuine", shape, told, expected=expected, observed=observed)
                if breaks is RARE_BREAKS:
                    told += ", where the reader takes a rare character for a line break (U+0085, U+2028, U+2029)"
                    return warned("genuine", shape, told, expected=expected, observed=observed)
                return failed("genuine", shape, told, expected=expected, observed=observed, at_s=record.at_s)
    return None


def _remnants(scene: Scene) -> Judgement | None:
    """The rest of an older message behind, or instead of, the words of another: a buffer whose end is not marked."""
    tails: list[Heard] = []
    for said in scene.said:
        if said.kind == "forged" or not said.exact:
            continue
        for conn, first in scene.hearers(said).items():
            for record in scene.heard[said.token]:
                if record.conn == conn != said.conn and is_remnant(said, record, first):
                    return _is_left_over(scene, record)
            if first.alone and _has_a_tail(scene, said, first):
                tails.append(first)
    return _is_left_over(scene, tails[0]) if len(tails) >= LEAST_TAILS else None


def _has_a_tail(scene: Scene, said: Said, record: Heard) -> bool:
    """Whether behind the words stands the end of an older message, of just as much as that was longer."""
    _, words, tail = record.unit.partition(said.text)
    tail = tail.rstrip(b"\r\n\0")
    if not words or not tail.strip():
        return False
    size, named = len(said.text), len(said.text) + len(scene.name(said.conn).encode())
    return any(
        old.text.endswith(tail)
        and len(tail) in (len(old.text) - size, len(old.text) + len(scene.name(old.conn).encode()) - named)
        for old in scene.said
        if old.op < said.op
    )


def _is_left_over(scene: Scene, record: Heard) -> Judgement:
    return failed(
        "genuine", "leftover",
        f"{scene.who(record.conn)} was shown the rest of an older message within another: a buffer keeps what it held",
        expected="what each one said, and nothing else", observed=quote(record.unit), at_s=record.at_s,
    )  # fmt: skip


def _leftovers(scene: Scene) -> Judgement | None:
    """An older message of somebody's that is shown once more, within another's: a buffer that was not cleared."""
    for said in scene.said:
        if said.kind == "forged":
            continue
        for conn, first in scene.hearers(said).items():
            for record in scene.heard[said.token]:
                author = (
                    _seen_author(scene, record, BREAKS)
                    if record.conn == conn != said.conn and record is not first
                    else None
                )
                own = scene.name(said.conn)
                if author in scene.names and author != own and scene.shown_as(said, record) != own:
                    return failed(
                        "genuine", "leftover",
                        f"{scene.who(conn)} was shown words of {scene.who(said.conn)} a second time, as {author} spoke",
                        expected="what each one said, and nothing else", observed=quote(record.unit), at_s=record.at_s,
                    )  # fmt: skip
    return None


def _seen_author(scene: Scene, record: Heard, breaks: re.Pattern[str]) -> str | None:
    """In whose name a reader sees the words around this token: on a line of their own, or painted over another's."""
    shown = next((part for part in breaks.split(record.unit.decode("utf-8", "replace")) if record.token in part), "")
    return scene.attributed_to(shown.encode())


def _ghosts(scene: Scene) -> Judgement | None:
    """Messages without a token in the name of somebody who has gone: an end of input taken for an empty message."""
    gone = {scene.name(conn): left.at_s for conn, left in scene.left.items() if left.how != "silent"}
    present = {scene.name(c) for c in scene.joined if scene.gone_at(c) == float("inf")}
    counts: dict[tuple[int, str], list[bytes]] = defaultdict(list)
    alone: dict[str, bytes] = {}
    for record in scene.noticed:
        author = scene.attributed_to(record.unit)
        if author in gone and author not in present and record.at_s > gone[author] + 0.05:
            body = letters(words_of(scene, record.unit))
            if not body or body in (b"None", b"null"):
                counts[record.conn, author].append(record.unit)
        for name in scene.empty_of(record.unit):
            if gone.get(name, float("inf")) < record.at_s and name not in present and _had_all(scene, record, name):
                alone.setdefault(name, record.unit)
    for (conn, author), units in counts.items():
        if len(units) >= GHOSTS:
            return failed(
                "genuine", "ghost", f"{scene.who(conn)} was shown {len(units)} empty messages of {author}, who had left",
                expected="silence", observed=quote(b" | ".join(units[:3])),
            )  # fmt: skip
    if len(alone) >= GHOSTS:
        return failed(
            "genuine", "ghost", f"{len(alone)} clients who had left said one thing more: nothing, in an empty message",
            expected="silence", observed=quote(b" | ".join(list(alone.values())[:3])),
        )  # fmt: skip
    return None


def _had_all(scene: Scene, record: Noticed, name: str) -> bool:
    """Whether the listener had heard all that this one said while both were there: nothing was on its way any more."""
    since = scene.opened[record.conn].at_s
    said = [s for s in scene.said if scene.name(s.conn) == name and s.at_s > since]
    return all(any(h.conn == record.conn and h.at_s <= record.at_s for h in scene.heard.get(s.token, ())) for s in said)
