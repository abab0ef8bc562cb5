from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from harness import report
from harness.events import Event, Reporter, RunFinished, Warned
from harness.language import Language
from harness.report.files import write_whole
from harness.report.gathered import Gathered

from .sample import SCENARIOS, a_failed_baseline, a_run, events_of

NAMES = ["events.jsonl", "index.html", "junit.xml", "report.txt", "results.json", "summary.md"]


def _run(out: Path, told: list[Event], lang: str = "en") -> tuple[report.ReportError, ...]:
    reports = report.Reports(report.build(report.DEFAULT_FORMATS, out, lang, stream=io.StringIO()), lang)
    for event in told:
        reports.handle(event)
    return report.finish(reports)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("result", [a_run(), a_failed_baseline()])
@pytest.mark.parametrize("finished", [True, False])
def test_every_report_is_there_whether_the_run_finished_or_not(tmp_path: Path, result: object, finished: bool) -> None:
    out = tmp_path / "deep" / "out"
    assert _run(out, events_of(result, finished=finished)) == ()  # type: ignore[arg-type]
    assert _names(out) == NAMES
    assert json.loads((out / "results.json").read_text())["interrupted"] is not finished


def test_without_even_a_beginning_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert _run(tmp_path, []) == ()
    assert _names(tmp_path) == []


def test_what_an_earlier_run_left_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    _run(tmp_path, events_of(a_run()))
    reports = report.Reports(report.build(report.DEFAULT_FORMATS, tmp_path, "en"))
    assert _names(tmp_path) == NAMES  # `--last-failed` may still read them
    reports.handle(events_of(a_run())[0])
    assert _names(tmp_path) == ["events.jsonl"]
    report.finish(reports)


def test_the_reports_are_made_again_from_the_journal(tmp_path: Path) -> None:
    _run(tmp_path, events_of(a_run()))
    before = {name: (tmp_path / name).read_bytes() for name in NAMES}
    for name in ("report.txt", "results.json", "junit.xml"):
        (tmp_path / name).unlink()
    stream = io.StringIO()
    result, errors = report.render_again(tmp_path, report.DEFAULT_FORMATS, "en", stream=stream)
    assert (result, errors) == (a_run(), ())
    assert {name: (tmp_path / name).read_bytes() for name in NAMES} == before
    assert "Seed: 42" in stream.getvalue()


def test_the_reports_can_be_made_in_another_language_and_elsewhere(tmp_path: Path) -> None:
    _run(tmp_path / "a", events_of(a_run()))
    report.render_again(tmp_path / "a", ["text"], "pt-BR", out=tmp_path / "b")
    assert _names(tmp_path / "b") == ["report.txt"]
    assert (tmp_path / "b" / "report.txt").read_text().startswith("Teste 1: Conexão recusada")


def test_commands_lead_to_the_run_and_not_to_where_its_reports_were_made_again(tmp_path: Path) -> None:
    shown = replace(SCENARIOS[4].judgements[1], repro="scenarios/disconnect/reset-after-login/repro.py")
    _run(tmp_path / "a", events_of(a_run(scenarios=(replace(SCENARIOS[4], judgements=(shown,)),))))
    stream = io.StringIO()
    report.render_again(tmp_path / "a", ["text"], "en", out=tmp_path / "b", stream=stream)
    command = f"see it yourself: python3 {tmp_path / 'a' / str(shown.repro)}"
    assert command in stream.getvalue()
    assert command in (tmp_path / "b" / "report.txt").read_text(encoding="utf-8")


def test_a_killed_run_leaves_a_journal_from_which_everything_is_made(tmp_path: Path) -> None:
    reports = report.Reports(report.build(report.DEFAULT_FORMATS, tmp_path, "en"))
    for event in events_of(a_run(), finished=False):
        reports.handle(event)
    result, errors = report.render_again(tmp_path, report.DEFAULT_FORMATS, "en")
    assert errors == ()
    assert result.interrupted
    assert _names(tmp_path) == NAMES
    assert len(json.loads((tmp_path / "results.json").read_text())["scenarios"]) == len(a_run().scenarios)
    report.finish(reports)


def test_a_folder_without_a_run_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("{}\n")
    with pytest.raises(report.ReportError, match="it holds no beginning of a run"):
        report.render_again(tmp_path, ["text"], "en")


def test_a_folder_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(report.ReportError, match="in the way of a folder; choose another folder with --out") as caught:
        report.build(["text"], tmp_path / "file", "en")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said_before_anything_runs(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(report.ReportError, match="no permission"):
        report.build(["text"], tmp_path, "en")


class Failing:
    """A reporter with a defect."""

    name = "failing"

    def handle(self, event: Event) -> None:
        raise KeyError("x")

    def close(self) -> None:
        raise report.ReportError("no space")


def test_a_report_that_fails_stops_no_other(tmp_path: Path) -> None:
    others: list[Reporter] = report.build(report.DEFAULT_FORMATS, tmp_path, "en")
    reports = report.Reports([Failing(), *others, Failing()])
    for event in events_of(a_run()):
        reports.handle(event)
    errors = report.finish(reports)
    assert _names(tmp_path) == NAMES
    assert [str(error) for error in errors] == [
        "the failing report failed (KeyError: 'x'); the journal is kept, see `harness report`",
        "no space",
    ]


def test_a_report_that_cannot_be_placed_is_told_and_the_others_are_made(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").mkdir()
    (error,) = {str(error) for error in _run(tmp_path, [RunFinished(1.0, a_run())])}
    assert "junit.xml could not be written: there is a folder of that name" in error
    assert _names(tmp_path) == NAMES


def test_what_could_not_be_written_is_made_later_from_the_journal(tmp_path: Path) -> None:
    (tmp_path / "run" / "index.html").mkdir(parents=True)
    errors = _run(tmp_path / "run", events_of(a_run()))
    assert any(
        f"the journal is kept: `harness report {tmp_path / 'run'} --out OTHER` makes it" in str(e) for e in errors
    )
    result, later = report.render_again(tmp_path / "run", ["html"], "en", out=tmp_path / "other")
    assert (result, later) == (a_run(), ())
    assert (tmp_path / "other" / "index.html").read_bytes().startswith(b"<!DOCTYPE html>")


def _no_space(*_: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")
    monkeypatch.setattr("os.fsync", _no_space)
    with pytest.raises(report.ReportError, match=f"make room and run `harness report {tmp_path}`"):
        write_whole(path, b"new", Language("en"))
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("report.txt", "old")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_journal_on_a_full_disk_is_told_once_and_costs_no_report(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    errors = _run(tmp_path, events_of(a_run()))
    assert len(errors) == 1
    assert "events.jsonl could not be written: no space is left" in str(errors[0])
    assert {"report.txt", "results.json", "junit.xml"} <= set(_names(tmp_path))


def test_formats_are_chosen_by_name() -> None:
    assert report.formats(None) == report.DEFAULT_FORMATS
    assert report.formats("json, junit,json") == ("json", "junit")
    with pytest.raises(
        report.ReportError, match="no report of the kind 'pdf'; there are text, json, junit, html, markdown"
    ):
        report.formats("text,pdf")


def test_nothing_is_gathered_from_nothing() -> None:
    gathered = Gathered()
    gathered.handle(Warned(1.0, "x"))
    assert gathered.result() is None


def test_the_public_names_are_there() -> None:
    assert all(hasattr(report, name) for name in report.__all__)
