from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparing import Comparison, compare
from harness.language import Language
from harness.report import DEFAULT_FORMATS, ReportError, Reports, build, finish, read_run
from harness.report.changes import change_lines
from harness.report.html.page import render_html
from harness.report.markdown import render_markdown
from harness.results import Judgement, Outcome, RunResult, ScenarioResult

from .sample import HOSTILE, a_run, events_of


def _scenario(name: str, outcome: Outcome, *judgements: Judgement, intermittent: bool = False) -> ScenarioResult:
    return ScenarioResult(
        name, "chat", "robust", {"en": name}, outcome, 1.0, 3, 1, judgements, intermittent=intermittent
    )


def _run(*scenarios: ScenarioResult) -> RunResult:
    return a_run(scenarios=scenarios)


HELD = _scenario("chat/a", "pass", Judgement("delivers", "pass"), Judgement("survives", "pass"))
FAILED = _scenario("chat/a", "fail", Judgement("delivers", "fail", "lost"), Judgement("survives", "pass"))
SOMETIMES = replace(FAILED, intermittent=True)
ERROR = _scenario("chat/a", "error", Judgement("delivers", "error", "?"))
SKIPPED = _scenario("chat/a", "skip")


def _kinds(comparison: Comparison) -> tuple[int, int, int]:
    return len(comparison.better), len(comparison.worse), len(comparison.intermittent)


@pytest.mark.parametrize(("before", "after", "kinds", "regressed"), [
    (HELD, HELD, (0, 0, 0), False), (HELD, FAILED, (0, 1, 0), True), (FAILED, HELD, (1, 0, 0), False),
    (HELD, SOMETIMES, (0, 0, 1), True), (SOMETIMES, HELD, (1, 0, 0), False), (SOMETIMES, FAILED, (0, 1, 0), True),
    (FAILED, SOMETIMES, (1, 0, 0), False), (FAILED, FAILED, (0, 0, 0), False),
    (HELD, ERROR, (0, 0, 0), False), (ERROR, FAILED, (0, 0, 0), False), (FAILED, SKIPPED, (0, 0, 0), False),
])  # fmt: skip
def test_what_changed(
    before: ScenarioResult, after: ScenarioResult, kinds: tuple[int, int, int], regressed: bool
) -> None:
    comparison = compare(_run(before), _run(after))
    assert _kinds(comparison) == kinds
    assert comparison.regressed is regressed


def test_what_was_not_judged_is_named_and_is_neither_better_nor_worse() -> None:
    comparison = compare(_run(HELD), _run(ERROR, replace(FAILED, id="chat/new")))
    assert (comparison.unjudged, comparison.added) == (("chat/a",), ("chat/new",))


def test_a_property_that_is_exercised_for_the_first_time_and_fails_is_worse() -> None:
    assert compare(_run(_scenario("chat/a", "pass", Judgement("survives", "pass"))), _run(FAILED)).regressed


def test_a_property_that_was_not_reached_again_is_not_better() -> None:
    dead = _scenario(
        "chat/a", "fail", Judgement("survives", "fail", "died"), Judgement("delivers", "skip", "not reached")
    )
    assert _kinds(compare(_run(FAILED), _run(dead))) == (0, 1, 0)


@pytest.mark.parametrize(("lang", "words"), [("en", "held → failing; lost"), ("pt-BR", "mantida → falhando; lost")])
def test_it_is_told_in_words(lang: str, words: str) -> None:
    lines = list(change_lines(compare(_run(HELD), _run(FAILED)), Language.of(lang)))
    assert lines[1] == f"  chat/a delivers: {words}"


def test_hostile_words_are_made_visible() -> None:
    before, after = _run(replace(HELD, id=HOSTILE)), _run(replace(FAILED, id=HOSTILE))
    for line in change_lines(compare(before, after), Language.of("en")):
        assert "\x1b" not in line


def test_the_reports_say_what_changed() -> None:
    before, after = _run(HELD), _run(FAILED)
    for text in (render_html(after, "en", None, before).decode(), render_markdown(after, "en", before).decode()):
        assert "Since the earlier run" in text
        assert "0 better, 1 worse" in text
    assert "Since the earlier run" not in render_html(after, "en").decode()


def test_a_run_is_read_back_from_its_journal_and_from_results_json(tmp_path: Path) -> None:
    reports = Reports(build(DEFAULT_FORMATS, tmp_path, "en"))
    for event in events_of(a_run()):
        reports.handle(event)
    assert finish(reports) == ()
    say = Language("en")
    journal = read_run(tmp_path, say)
    assert journal == a_run()
    (tmp_path / "events.jsonl").unlink()
    for path in (tmp_path, tmp_path / "results.json"):
        kept = read_run(path, say)
        assert len(kept.scenarios) == len(journal.scenarios)
        assert compare(journal, kept).better == compare(journal, kept).worse == ()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"scenarios": [1]}', json.dumps({"scenarios": [{"id": "x"}]})])
def test_a_file_that_is_no_run_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ReportError, match="it is no results"):
        read_run(tmp_path / "results.json", Language("en"))
    with pytest.raises(ReportError, match="could not be read"):
        read_run(tmp_path / "nowhere", Language("en"))
