"""GitHub annotations: workflow commands on the standard output, and the summary of the step.

GitHub shows ten annotations of a kind a step, so failures are told by their finding, the widest first. Nothing that a
server sent can begin a command: it is made visible, and `%`, line ends, `:` and `,` are escaped as the runner asks.
Where `GITHUB_STEP_SUMMARY` names a file, summary.md is appended to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from harness.events import Event, RunFinished
from harness.language import Language
from harness.report.files import not_written
from harness.report.gathered import Gathered
from harness.report.markdown import render_markdown
from harness.report.safe import LINE, QUOTED, visible
from harness.report.summary import broken_off_line, known_lines, some
from harness.report.text import finding_line, reason_of, told_reason
from harness.results import Finding, RunResult, ScenarioResult

NAME = "github"
#: GitHub shows no more of a kind.
MOST = 10
#: Scenarios named in an annotation.
NAMED = 6


class GithubReport:
    """Writes annotations to `stream` when the run is over, and the step's summary where there is one."""

    name = NAME

    def __init__(self, stream: TextIO, say: Language, environ: Mapping[str, str]) -> None:
        self._stream, self._say = stream, say
        self._summary = environ.get("GITHUB_STEP_SUMMARY")
        self._gathered = Gathered()
        self._written = False
        self.earlier: RunResult | None = None  # a run to compare with, for the summary

    def handle(self, event: Event) -> None:
        """Take one event. Raises ReportError when the step's summary cannot be written."""
        self._gathered.handle(event)
        if isinstance(event, RunFinished):
            self._write()

    def close(self) -> None:
        """Write, if the run never finished. Raises ReportError."""
        if not self._written:
            self._write()

    def _write(self) -> None:
        self._written = True
        result = self._gathered.result(self._say.code)
        if result is None:
            return
        for line in commands(result, self._say):
            self._stream.write(line + "\n")
        self._stream.flush()
        if self._summary:
            path = Path(self._summary)
            try:
                with path.open("ab") as file:
                    file.write(render_markdown(result, self._say.code, self.earlier))
            except OSError as error:
                raise not_written(path, error, self._say) from error


def commands(result: RunResult, say: Language) -> list[str]:
    """The workflow commands of a run, at most ten of a kind."""
    return [
        *_bounded("error", list(_errors(result, say)), say),
        *_bounded("warning", list(_warnings(result, say)), say),
    ]


def _bounded(kind: str, told: Sequence[tuple[str, str]], say: Language) -> Iterator[str]:
    shown = told if len(told) <= MOST else told[: MOST - 1]
    for title, message in shown:
        yield _command(kind, title, message)
    if len(told) > MOST:
        yield _command(kind, "harness", say("… and {count} more, told in the reports", count=len(told) - len(shown)))


def _errors(result: RunResult, say: Language) -> Iterator[tuple[str, str]]:
    if result.reason:
        yield "harness", say("The server could not be judged: {reason}", reason=visible(result.reason))
    if result.interrupted:
        yield "harness", broken_off_line(result, say)
    for finding in result.findings:
        if not _new(result, finding):
            continue
        lines = [finding_line(finding, say), some(finding.scenarios, NAMED, say)]
        if finding.remedy:
            lines.append(say("remedy: {text}", text=visible(finding.remedy)))
        yield f"{say('The server')} {visible(finding.title, QUOTED)}", "\n".join(lines)
    for one in result.scenarios:
        if one.outcome == "error":
            told = say("the harness could not judge: {reason}", reason=told_reason(reason_of(one), say))
            yield visible(one.id, QUOTED), told


def _new(result: RunResult, finding: Finding) -> bool:
    """Whether any of a finding's failures is new; without a file of known ones all are."""
    prop = finding.fingerprint.partition(":")[0]
    return result.known is None or any(f"{name} {prop}" in result.known.new for name in finding.scenarios)


def _warnings(result: RunResult, say: Language) -> Iterator[tuple[str, str]]:
    for line in known_lines(result, say):
        yield "harness", line
    seen: dict[str, list[tuple[ScenarioResult, str]]] = {}
    for one in result.scenarios:
        for judgement in one.of("warn"):
            seen.setdefault(judgement.fingerprint or judgement.id, []).append((one, told_reason(judgement.reason, say)))
    for fingerprint, told in seen.items():
        ids = tuple(dict.fromkeys(one.id for one, _ in told))
        yield say("advice, {id}", id=visible(fingerprint, QUOTED)), f"{told[0][1]}\n{some(ids, NAMED, say)}"


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={_property(title)}::{_data(_lines(message))}"


def _lines(message: str) -> str:
    return "\n".join(visible(line, LINE) for line in message.split("\n"))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
