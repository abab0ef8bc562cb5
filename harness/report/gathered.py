"""What is known of a run so far, gathered from its events; and reports that are written once, at the end.

The engine's last event holds the whole outcome. Where it never came, because the run was killed, the outcome is put
together from what had finished, and marked as interrupted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path

from harness.events import BaselineDone, BaselineFailed, Event, RunFinished, RunStarted, ScenarioFinished
from harness.findings import group, probable_causes
from harness.language import Language
from harness.report.files import JOURNAL, not_written, write_whole
from harness.results import RunResult, ScenarioResult

#: The exit status of a run that was broken off.
INTERRUPTED = 130


class Gathered:
    """A run so far. Feed it events with `handle`, ask it for `result`."""

    def __init__(self) -> None:
        self._started: RunStarted | None = None
        self._baseline: BaselineDone | BaselineFailed | None = None
        self._scenarios: dict[str, ScenarioResult] = {}
        self._finished: RunResult | None = None
        self._last_s = 0.0

    def handle(self, event: Event) -> None:
        """Take one event, in order."""
        self._last_s = max(self._last_s, event.at_s)
        if isinstance(event, RunStarted):
            self._started = event
        elif isinstance(event, (BaselineDone, BaselineFailed)):
            self._baseline = event
        elif isinstance(event, ScenarioFinished):
            self._scenarios[event.result.id] = event.result
        elif isinstance(event, RunFinished):
            self._finished = event.result

    def result(self, lang: str = "en") -> RunResult | None:
        """The outcome, findings told in `lang`; None when not even the beginning of a run was seen."""
        if self._finished is not None:
            return in_language(self._finished, lang)
        if self._started is None:
            return None
        return in_language(self._broken_off(self._started), lang)

    def _broken_off(self, started: RunStarted) -> RunResult:
        place = {name: index for index, name in enumerate(started.planned)}
        scenarios = sorted(self._scenarios.values(), key=lambda result: place.get(result.id, len(place)))
        result = RunResult(
            harness_version=started.harness_version,
            started=started.started,
            duration_s=self._last_s,
            seed=started.seed,
            interrupted=True,
            target=started.target,
            environment=started.environment,
            exit_status=INTERRUPTED,
            scenarios=tuple(scenarios),
            planned=len(started.planned),
        )
        match self._baseline:
            case BaselineDone(target=target, environment=environment, left_out=left_out):
                planned = len(started.planned) - len(left_out)
                return replace(result, target=target, environment=environment, planned=planned)
            case BaselineFailed(reason=reason, transcript=transcript, wrong_use=wrong_use):
                return replace(result, reason=reason, transcript=transcript, exit_status=2 if wrong_use else 1)
            case None:
                return result


def in_language(result: RunResult, lang: str) -> RunResult:
    """`result` with its findings and their causes told in `lang`; a cause that somebody found for one of them is kept."""
    before = {finding.fingerprint: finding.cause for finding in result.findings}
    told = (
        replace(finding, cause=finding.cause or before.get(finding.fingerprint))
        for finding in group(result.scenarios, lang)
    )
    return replace(result, findings=tuple(told), causes=probable_causes(result.scenarios, lang))


class FileReport(ABC):
    """A report in one file, written whole when the run is over or was broken off.

    What an earlier run left under its name goes when the new run begins, so that no one takes it for this run's.
    """

    name: str
    file: str

    def __init__(self, folder: Path, say: Language) -> None:
        self.path = folder / self.file
        self.evidence = folder  # where the run lies, with its `scenarios/`
        self.earlier: RunResult | None = None  # a run to compare with, for those who tell it
        self._say = say
        self._gathered = Gathered()
        self._written = False

    @abstractmethod
    def render(self, result: RunResult) -> bytes:
        """The content of the file."""

    def handle(self, event: Event) -> None:
        """Take one event; write the file at the last one. Raises ReportError."""
        self._gathered.handle(event)
        if isinstance(event, RunStarted):
            self._forget_earlier()
        elif isinstance(event, RunFinished):
            self._write()

    def close(self) -> None:
        """Write the file, if the run never finished. Raises ReportError."""
        if not self._written:
            self._write()

    def _write(self) -> None:
        self._written = True
        result = self._gathered.result(self._say.code)
        if result is not None:
            write_whole(self.path, self.render(result), self._say)

    def _forget_earlier(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise not_written(self.path, error, self._say, journal=self.path.with_name(JOURNAL)) from error
