from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

from harness import report
from harness.findings import group
from harness.language import Language
from harness.report.github import MOST, commands
from harness.results import Judgement, RunResult

from .sample import HOSTILE, SCENARIOS, a_failed_baseline, a_run, events_of

COMMAND = re.compile(r"::(error|warning) title=[^:,\r\n]+::[^\r\n]+")


def _commands(result: RunResult) -> list[str]:
    told = commands(result, Language("en"))
    assert all(COMMAND.fullmatch(line) for line in told)
    return told


def test_a_finding_is_an_error_and_advice_a_warning() -> None:
    told = _commands(a_run())
    errors = [line for line in told if line.startswith("::error")]
    assert "title=The server stops relaying after a departure%3A nobody hears anybody::" in errors[0]
    assert "disconnect/reset-after-login, storm/churn[50]" in errors[0]
    assert any("malformed/esc[\\x1b]" in line for line in errors)  # the harness could not judge it
    assert sum(line.startswith("::warning") for line in told) == 2


def test_a_run_without_a_verdict_is_an_error() -> None:
    assert "two clients never heard each other" in _commands(a_failed_baseline())[0]


def test_there_are_at_most_ten_of_a_kind_and_the_rest_is_counted() -> None:
    judgements = tuple(
        Judgement("delivers", outcome, "-", shape=f"{n}") for n in range(25) for outcome in ("fail", "warn")
    )
    scenarios = (replace(SCENARIOS[4], judgements=judgements),)
    told = _commands(a_run(scenarios=scenarios, findings=group(scenarios)))
    for kind in ("::error", "::warning"):
        mine = [line for line in told if line.startswith(kind)]
        assert len(mine) == MOST
        assert "and 16 more" in mine[-1]


def test_nothing_of_a_server_begins_a_command() -> None:
    nasty = "100%\n::error::owned\r::set-env name=X::y" + HOSTILE
    scenarios = (
        replace(
            SCENARIOS[4], judgements=(Judgement(nasty, "fail", nasty, shape=nasty), Judgement(nasty, "warn", nasty))
        ),
    )
    for line in _commands(a_run(scenarios=scenarios, findings=group(scenarios), reason=nasty, transcript=nasty)):
        assert "%0A::" not in line
        assert "\x1b" not in line


def test_the_report_goes_to_the_output_and_to_the_step_s_summary(tmp_path: Path) -> None:
    stream, summary = io.StringIO(), tmp_path / "step.md"
    summary.write_text("before\n")
    environ = {"GITHUB_STEP_SUMMARY": str(summary)}
    reports = report.Reports(
        report.build(("github",), tmp_path / "out", "en", stream=stream, environ=environ, quiet=True)
    )
    for event in events_of(a_run()):
        reports.handle(event)
    assert report.finish(reports) == ()
    assert stream.getvalue().count("\n::error ") >= 2
    assert summary.read_text().startswith("before\n## ")


def test_the_step_s_summary_says_what_changed_since_an_earlier_run(tmp_path: Path) -> None:
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path / "step.md")}
    before = a_run(scenarios=SCENARIOS[:4])
    built = report.build(("github",), tmp_path, "en", stream=io.StringIO(), environ=environ, quiet=True, earlier=before)
    reports = report.Reports(built)
    for event in events_of(a_run()):
        reports.handle(event)
    assert report.finish(reports) == ()
    assert "### Since the earlier run" in (tmp_path / "step.md").read_text()


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path)}
    reports = report.Reports(report.build(("github",), tmp_path / "out", "en", stream=io.StringIO(), environ=environ))
    for event in events_of(a_run()):
        reports.handle(event)
    (error,) = report.finish(reports)
    assert "could not be written" in str(error)
