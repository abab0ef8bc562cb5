"""Replaying: the failures of an earlier run, played again: same seed, same target, same way of speaking.

A failure that was there each time is played `SURE` times, an intermittent one more often: `often`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.engine.detecting import detect
from harness.engine.options import Options
from harness.engine.run import Run
from harness.events import Event, ScenarioFinished
from harness.registry import Scenario
from harness.results import RunResult, ScenarioResult

State = Literal["FIXED", "FAILED", "FLAKY", "UNCLEAR"]

#: How often a failure is played that was seen each time.
SURE = 3
#: How often one that came and went is played, at least and at most.
LEAST, MOST = 8, 25
#: An intermittent failure is played so often that, were it as frequent as before, it would stay away with this chance only.
CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one failure: `broken` are the properties that failed now, `reason` why it could not be judged."""

    id: str
    state: State
    runs: int = 0
    failed_runs: int = 0
    broken: tuple[str, ...] = ()
    reason: str | None = None


def failures(result: RunResult, only: str | None = None) -> tuple[ScenarioResult, ...]:
    """The scenarios of a run that failed; `only` this one."""
    return tuple(one for one in result.scenarios if one.outcome == "fail" and only in (None, one.id))


def often(before: ScenarioResult, times: int | None = None) -> int:
    """How often this failure is played again."""
    if times is not None:
        return times
    if not before.intermittent:
        return SURE
    rate = max(0.05, min(0.95, before.failed_runs / max(1, before.runs)))
    return max(LEAST, min(MOST, math.ceil(math.log(CHANCE) / math.log(1 - rate))))


def state_of(now: ScenarioResult) -> Replayed:
    """How a failure stands after it was played again."""
    broken = tuple(dict.fromkeys(one.id for one in now.of("fail")))
    if now.outcome == "fail":
        state: State = "FLAKY" if now.intermittent else "FAILED"
        return Replayed(now.id, state, now.runs, now.failed_runs, broken)
    if now.outcome in ("pass", "warn"):
        return Replayed(now.id, "FIXED", now.runs)
    reason = now.reason or next((one.reason for one in now.of(now.outcome) if one.reason), None)
    return Replayed(now.id, "UNCLEAR", now.runs, reason=reason)


def replay(
    before: Sequence[ScenarioResult], known: Mapping[str, Scenario], options: Options, tell: Callable[[Replayed], None],
    times: int | None = None,
) -> tuple[Replayed, ...]:  # fmt: skip
    """Play them again; `tell` is called as each is over. Raises Interrupted's exit status as `KeyboardInterrupt`."""
    states = dict[str, Replayed]()

    def over(one: Replayed) -> None:
        states[one.id] = one
        tell(one)

    for one in before:
        if one.id not in known:
            over(Replayed(one.id, "UNCLEAR", reason="there is no such scenario any more"))
    learned = None
    for count, group in _groups([one for one in before if one.id in known], times):
        planned = [replace(known[one.id], after=()) for one in group]

        def handle(event: Event) -> None:
            if isinstance(event, ScenarioFinished):
                over(state_of(event.result))

        run = Run(replace(options, repeat=count, confirm=count - 1), planned, handle, detect, learned)
        result = run.perform()
        if result.interrupted:
            raise KeyboardInterrupt
        learned = run.learned
        for one in group:
            if one.id not in states:
                over(Replayed(one.id, "UNCLEAR", reason=result.reason))
    return tuple(states[one.id] for one in before)


def _groups(before: Iterable[ScenarioResult], times: int | None) -> list[tuple[int, list[ScenarioResult]]]:
    """The failures by how often they are played."""
    groups: dict[int, list[ScenarioResult]] = {}
    for one in before:
        groups.setdefault(often(one, times), []).append(one)
    return sorted(groups.items())
