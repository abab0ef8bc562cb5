"""The rows of a sequence diagram, and how many of the same are told as one.

What goes as it should is folded (`6 messages, all heard`), what several do at the same time too; of more rows than fit
on a few pages the beginning, the end and what surrounds a violation are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from harness.evidence.words import Say

RowKind = Literal["phase", "up", "down", "say", "group", "note", "silence", "violation", "gap"]
Style = Literal["", "good", "bad", "cut", "soft"]

#: Rows of a diagram, gaps and violations not counted.
MOST_ROWS = 64
#: What several do within this time is told as one, in seconds.
_TOGETHER_S = 1.6


@dataclass(frozen=True, slots=True)
class Row:
    """One moment. `up` goes from the lanes to the server, `down` from the server to them; `missed` are those that a
    message never reached; `times`: so many of the same are told as one."""

    at_s: float
    kind: RowKind
    lanes: tuple[int, ...] = ()
    text: str = ""
    style: Style = ""
    heard: tuple[int, ...] = ()
    missed: tuple[int, ...] = ()
    told: str = ""
    broken: bool = False  # the arrow never arrives
    dashed: bool = False
    proxied: bool = False
    times: int = 1
    merge: str = ""  # rows with the same words here may be told as one


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted: a toxic on the line, a server that was down."""

    begin_s: float
    end_s: float
    kind: Literal["toxic", "down"]


def merged(rows: Sequence[Row], say: Say) -> list[Row]:
    """Rows of the same kind that follow closely upon one another, as one; more loosely where there are very many."""
    strict = _folded(rows, strict=True)
    return [_counted(row, say) for row in (strict if len(strict) <= MOST_ROWS else _folded(rows, strict=False))]


def _folded(rows: Iterable[Row], *, strict: bool) -> list[Row]:
    merged: list[Row] = []
    for row in rows:
        place = _place_before(merged, row, strict)
        if place is None:
            merged.append(row)
            continue
        before = merged[place]
        lanes = tuple(sorted({*before.lanes, *row.lanes}))
        missed = (sum(before.missed) + sum(row.missed),) if row.kind == "group" else row.missed
        merged[place] = replace(before, lanes=lanes, times=before.times + row.times, missed=missed)
    return merged


def _place_before(merged: Sequence[Row], row: Row, strict: bool) -> int | None:
    """Where a row like this one stands already; strictly, nothing else happened in its lanes since."""
    for place in range(len(merged) - 1, max(-1, len(merged) - 5), -1):
        before = merged[place]
        if _alike(before, row):
            return place
        if before.kind == "phase" or (strict and set(before.lanes) & set(row.lanes)):
            return None
    return None


def _alike(before: Row, row: Row) -> bool:
    if before.kind != row.kind or before.style != row.style or before.merge != row.merge:
        return False
    if row.kind in ("group", "silence"):
        return True
    folded = bool(row.merge) and row.at_s - before.at_s < _TOGETHER_S
    return folded and (row.merge.startswith("leave:") or row.lanes == before.lanes)


def _counted(row: Row, say: Say) -> Row:
    """The words of a row that stands for several."""
    if row.kind == "group":
        lost = sum(row.missed)
        if lost:
            return replace(
                row, text=say("{count} messages, {lost} deliveries lost", count=row.times, lost=lost), missed=()
            )
        if row.style == "soft":
            return replace(row, text=say("{count} messages that need not be heard", count=row.times), missed=())
        one = row.times == 1
        text = say("1 message, heard") if one else say("{count} messages, all heard", count=row.times)
        return replace(row, text=text, missed=())
    if row.times == 1:
        return row
    if row.merge.startswith("leave:"):
        return replace(row, text=say("{count} leave: {how}", count=row.times, how=say(row.merge[6:])))
    if "{count}" in row.merge:
        return replace(row, text=_plural(row.merge, row.times, say))
    return replace(row, text=f"{row.text} ×{row.times}")


def _plural(merge: str, count: int, say: Say) -> str:
    head, _, detail = merge.partition(": ")
    if head == "{count} cannot connect":
        return say("{count} cannot connect: {error}", count=count, error=detail)
    if head == "{count} connections end":
        return say("{count} connections end: {how}", count=count, how=detail)
    return say(merge, count=count)


def pruned(rows: list[Row], say: Say) -> list[Row]:
    """At most so many rows: the beginning, the end, and what surrounds a violation; gaps say how much is left out."""
    if len(rows) <= MOST_ROWS:
        return rows
    marks = [n for n, row in enumerate(rows) if row.kind == "violation"]
    wanted = set(range(MOST_ROWS // 2 - 4)) | set(range(len(rows) - 12, len(rows)))
    wanted |= {n for n, row in enumerate(rows) if row.kind == "phase"}
    for mark in marks:
        wanted |= set(range(mark - 4, mark + 2))
    kept = sorted(n for n in wanted if 0 <= n < len(rows))
    shown = [rows[kept[0]]]
    for before, number in pairwise(kept):
        if number - before > 1:
            shown.append(
                Row(rows[before].at_s, "gap", (), say("{count} more events", count=number - before - 1), "soft")
            )
        shown.append(rows[number])
    return shown
