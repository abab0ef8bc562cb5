"""How far a run is: what is done, what runs now. A plain value that the console draws; no terminal in sight."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.events import BaselineDone, Event, RunStarted, ScenarioFinished, ScenarioStarted
from harness.language import Language
from harness.report.safe import QUOTED, visible
from harness.report.summary import word
from harness.results import OUTCOMES

#: Scenarios named as running now.
RUNNING_NAMED = 4
BAR = 24


@dataclass(slots=True)
class Progress:
    """Counts of a run so far."""

    planned: int = 0
    resting: bool = True
    done: Counter[str] = field(default_factory=Counter)
    running: dict[str, int] = field(default_factory=dict)

    def handle(self, event: Event) -> None:
        """Take one event, in order."""
        match event:
            case RunStarted(planned=planned):
                self.planned = len(planned)
            case BaselineDone(left_out=left_out):
                self.resting = False
                self.planned -= len(left_out)
            case ScenarioStarted(id=name, attempt=attempt):
                self.resting = False
                self.running[name] = attempt
            case ScenarioFinished(result=result):
                self.running.pop(result.id, None)
                self.done[result.outcome] += 1
            case _:
                pass

    def lines(self, say: Language) -> tuple[str, str]:
        """The two lines of the display: a bar with the counts, and what runs now."""
        finished = self.done.total()
        full = BAR * finished // max(self.planned, finished, 1)
        counts = ", ".join(f"{self.done[one]} {word(one, say)}" for one in OUTCOMES if self.done[one])
        bar = "━" * full + "┄" * (BAR - full)
        return f"{bar} {finished}/{self.planned}  {counts}".rstrip(), self._now(say)

    def _now(self, say: Language) -> str:
        if self.resting:
            return say("measuring the server at rest")
        if not self.running:
            return ""
        named = [self._named(name, attempt, say) for name, attempt in list(self.running.items())[:RUNNING_NAMED]]
        more = len(self.running) - len(named)
        return say("running: {ids}", ids=", ".join(named) + (f", +{more}" if more > 0 else ""))

    @staticmethod
    def _named(name: str, attempt: int, say: Language) -> str:
        shown = visible(name, QUOTED)
        return shown if attempt == 1 else say("again: {id} ({attempt})", id=shown, attempt=attempt)
