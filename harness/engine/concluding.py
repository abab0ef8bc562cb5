"""From a scenario's runs to its outcome, and from the outcomes to the exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.engine.folders import keep_run
from harness.engine.options import Options
from harness.engine.play import Attempt
from harness.registry import Scenario
from harness.results import Judgement, KnownFailures, Outcome, ScenarioResult

#: Why there is no file where one was made, or nothing at all could be written.
NOT_KEPT = "it could not be written into the report's folder"


def verdict(
    results: Sequence[ScenarioResult], strict: bool, known: KnownFailures | None = None
) -> tuple[int, str | None]:
    """The exit status, and why nothing was judged where that is so. Where failures are known, only new ones fail."""
    outcomes = {r.outcome for r in results}
    failed = "fail" in outcomes if known is None else bool(known.new)
    if failed or (strict and "warn" in outcomes):
        return 1, None
    if not results:
        return 2, "no scenario was chosen"
    if outcomes <= {"skip", "error"}:
        return 2, "nothing could be judged: every scenario was skipped or could not be run"
    return 0, None


def conclude(
    item: Scenario, attempts: Sequence[Attempt], took_s: float, skip: str | None, failure: str | None, options: Options
) -> ScenarioResult:
    """All runs of a scenario as one result: a failure that comes and goes is a failure, marked intermittent."""
    failed = [a for a in attempts if a.failed]
    judged = [a for a in attempts if a.error is None and a.skip is None]
    shown = failed[0] if failed else judged[-1] if judged else attempts[-1] if attempts else Attempt()
    judgements = merged(attempts) if failed else shown.judgements
    reason = skip or shown.skip or (None if judged else failure or shown.error)
    outcome = outcome_of(judgements, skipped=bool(skip or (shown.skip and not failed)), judged=bool(judged))
    folder, shows = keep_run(options.out, item.id, shown.number, files_that_show(attempts))
    log = folder / "server.log" if folder else None
    judgements = with_repros(judgements, shows, options.out)
    return ScenarioResult(
        item.id, item.family, item.level, item.titles, outcome, took_s, len(attempts), len(failed), judgements,
        shown.steps, reason, bool(failed) and len(failed) < len(judged), item.documented,
        shown.notes, story=item.story,
        server_log=str(log.relative_to(options.out)) if log and options.out and log.exists() else None,
        clues=shown.clues,
    )  # fmt: skip


def files_that_show(attempts: Sequence[Attempt]) -> dict[str, tuple[int, str]]:
    """For each property that failed, the first run that left a file to show it, and the file's name."""
    found: dict[str, tuple[int, str]] = {}
    for attempt in attempts:
        for one in attempt.judgements:
            if one.outcome == "fail" and one.repro is not None:
                found.setdefault(one.id, (attempt.number, one.repro))
    return found


def with_repros(
    judgements: tuple[Judgement, ...], shows: Mapping[str, Path], out: Path | None
) -> tuple[Judgement, ...]:
    """What shows each failure, as it lies in the report's folder; where something does, why another run has none is moot."""

    def told(one: Judgement) -> Judgement:
        path = shows.get(one.id)
        if out is None:
            return replace(one, repro=None)
        if path is None:
            return replace(one, repro=None, no_repro=one.no_repro or NOT_KEPT)
        return replace(one, repro=str(path.relative_to(out)), no_repro=None)

    return tuple(told(one) if one.outcome == "fail" else one for one in judgements)


def merged(attempts: Sequence[Attempt]) -> tuple[Judgement, ...]:
    """One judgement a property: the first failure, if there is one, before the last run's word; how often it failed is said."""
    judged = [a for a in attempts if a.error is None and a.skip is None]
    last = {j.id: j for a in judged for j in a.judgements}
    for prop in list(last):
        failures = [j for a in judged for j in a.judgements if j.id == prop and j.outcome == "fail"]
        if failures:
            seen = f" (in {len(failures)} of {len(judged)} runs)" if len(failures) < len(judged) else ""
            last[prop] = replace(failures[0], reason=f"{failures[0].reason}{seen}")
    return tuple(last.values())


def outcome_of(judgements: Sequence[Judgement], *, skipped: bool, judged: bool) -> Outcome:
    """A scenario fails when one of its properties fails; it errors when nothing failed and something errored."""
    found = {j.outcome for j in judgements}
    if "fail" in found:
        return "fail"
    if skipped:
        return "skip"
    if not judged or "error" in found:
        return "error"
    if "warn" in found:
        return "warn"
    return "pass" if "pass" in found else "skip"
