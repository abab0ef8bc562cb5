"""Two runs side by side: what got better, what got worse, what comes and goes now. Pure.

The unit is a property of a scenario. Only what both runs judged is compared: a failure that was not judged again is not
better, and one in a scenario that the earlier run did not have is no regression.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.results import Judgement, Outcome, RunResult, ScenarioResult

State = Literal["held", "intermittent", "failed"]

#: The worst first: what a property was judged to be in a scenario.
_WORST: tuple[Outcome, ...] = ("fail", "error", "warn", "pass", "skip")
_RANK: Mapping[State, int] = {"held": 0, "intermittent": 1, "failed": 2}


@dataclass(frozen=True, slots=True)
class Change:
    """A property of a scenario whose state is another now. `reason` is that of the failing side."""

    scenario: str
    property: str
    before: State
    after: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from the earlier run to the later one."""

    better: tuple[Change, ...] = ()
    worse: tuple[Change, ...] = ()
    intermittent: tuple[Change, ...] = ()  # held before, comes and goes now
    unjudged: tuple[str, ...] = ()  # scenarios that the later run could not judge, or did not run
    added: tuple[str, ...] = ()  # scenarios that the earlier run did not judge
    unchanged: int = 0  # properties of scenarios that are as they were
    still: int = 0  # of these, the failures

    @property
    def regressed(self) -> bool:
        """Whether anything is worse than it was; what has become intermittent is."""
        return bool(self.worse or self.intermittent)


def compare(before: RunResult, after: RunResult) -> Comparison:
    """What changed from `before` to `after`."""
    old, new = _judged(before), _judged(after)
    changes: list[Change] = []
    unchanged = still = 0
    for name in old:
        states, now = old[name], new.get(name, {})
        for prop, (state, judgement) in now.items():
            was, earlier = states.get(prop, ("held", judgement))
            if was == state:
                unchanged, still = unchanged + 1, still + (state != "held")
            else:
                told = judgement if state != "held" else earlier
                changes.append(Change(name, prop, was, state, told.reason or ""))
    return Comparison(
        better=tuple(c for c in changes if _RANK[c.after] < _RANK[c.before]),
        worse=tuple(c for c in changes if c.after == "failed"),
        intermittent=tuple(c for c in changes if c.after == "intermittent" and c.before == "held"),
        unjudged=tuple(name for name in old if name not in new),
        added=tuple(name for name in new if name not in old),
        unchanged=unchanged,
        still=still,
    )


def _judged(result: RunResult) -> dict[str, dict[str, tuple[State, Judgement]]]:
    """The scenarios that were judged, each with the state of its properties."""
    return {
        scenario.id: _states(scenario) for scenario in result.scenarios if scenario.outcome in ("pass", "warn", "fail")
    }


def _states(scenario: ScenarioResult) -> dict[str, tuple[State, Judgement]]:
    worst: dict[str, Judgement] = {}
    for judgement in scenario.judgements:
        before = worst.get(judgement.id, judgement)
        worst[judgement.id] = min(before, judgement, key=lambda one: _WORST.index(one.outcome))
    states: dict[str, tuple[State, Judgement]] = {}
    for prop, judgement in worst.items():
        if judgement.outcome == "fail":
            states[prop] = ("intermittent" if scenario.intermittent else "failed", judgement)
        elif judgement.outcome in ("pass", "warn"):
            states[prop] = ("held", judgement)
    return states
