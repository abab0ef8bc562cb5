"""What changed since an earlier run, in words: for `harness compare`, and as a section of the reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.comparing import Change, Comparison
from harness.language import Language
from harness.report.safe import QUOTED, visible
from harness.report.summary import some
from harness.report.text import told_reason

#: Changes told of a kind.
MOST = 60
NAMED = 8


def change_lines(comparison: Comparison, say: Language) -> Iterator[str]:
    """The whole comparison, a line each, safe to print."""
    kinds: tuple[tuple[str, Sequence[Change]], ...] = (
        (say("worse"), comparison.worse),
        (say("newly intermittent"), comparison.intermittent),
        (say("better"), comparison.better),
    )
    for told, changes in kinds:
        if changes:
            yield f"{told} ({len(changes)})"
            yield from (f"  {_change(one, say)}" for one in changes[:MOST])
            if len(changes) > MOST:
                yield "  " + say("… and {count} more", count=len(changes) - MOST)
    if comparison.unjudged:
        yield say("not judged any more: {ids}", ids=some(comparison.unjudged, NAMED, say))
    if comparison.added:
        yield say("not judged before: {ids}", ids=some(comparison.added, NAMED, say))
    yield total_line(comparison, say)


def _change(change: Change, say: Language) -> str:
    where = f"{visible(change.scenario, QUOTED)} {visible(change.property, QUOTED)}"
    return f"{where}: {state(change.before, say)} → {state(change.after, say)}; {told_reason(change.reason, say)}"


def state(name: str, say: Language) -> str:
    """`held`, `intermittent` or `failed`."""
    return say({"held": "held", "intermittent": "intermittent", "failed": "failing"}[name])


def total_line(comparison: Comparison, say: Language) -> str:
    """All of it in a line."""
    return say(
        "{better} better, {worse} worse, {intermittent} newly intermittent, {unchanged} as before ({still} of them failing)",
        better=len(comparison.better), worse=len(comparison.worse), intermittent=len(comparison.intermittent),
        unchanged=comparison.unchanged, still=comparison.still,
    )  # fmt: skip
