from __future__ import annotations

import json
import tomllib
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from harness.engine.concluding import verdict
from harness.known import Known, KnownError, read_known, write_known
from harness.language import Language
from harness.report.ctrf import render_ctrf
from harness.report.github import commands
from harness.report.html.page import render_html
from harness.report.json_file import render_json
from harness.report.junit import render_junit
from harness.report.text import render_text
from harness.results import Judgement, KnownFailures, RunResult

from .sample import HOSTILE, SCENARIOS, a_failed_baseline, a_run

SCHEMA = Path(__file__).parents[2] / "docs" / "results.schema.json"
FAILED, CHURN = SCENARIOS[4], SCENARIOS[5]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "known.toml"
    assert write_known(path, a_run()) == 3
    return path


def _against(known: Known, result: RunResult) -> RunResult:
    found = known.sort(result.scenarios)
    status, reason = verdict(result.scenarios, False, found)
    return replace(result, known=found, exit_status=status, reason=reason)


def test_what_the_harness_writes_it_reads_and_people_do_too(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert '"welcomes:silent-introduction",  # bia was shown \\x1b[31m' in text
    assert "intermittent, 1 of 3 runs: 1 of 90 deliveries was lost" in text
    assert tomllib.loads(text)["known"][FAILED.id] == [
        "delivers:after-departure-nobody",
        "welcomes:silent-introduction",
    ]
    assert read_known(file).entries == {FAILED.id: {"delivers", "welcomes"}, CHURN.id: {"delivers"}}


@pytest.mark.parametrize("name", [HOSTILE, 'a"b\\c', "\x7f\x80\ud800", "é€😀", ""])
def test_any_name_is_kept(tmp_path: Path, name: str) -> None:
    judgements = (Judgement(name or "x", "fail", name, shape=name),)
    write_known(tmp_path / "k", a_run(scenarios=(replace(FAILED, id=name, judgements=judgements),)))
    (kept,) = read_known(tmp_path / "k").entries
    assert kept == name.encode("utf-8", "backslashreplace").decode()


def test_known_failures_do_not_fail_the_run(file: Path) -> None:
    result = _against(read_known(file, [one.id for one in SCENARIOS]), a_run())
    assert result.exit_status == 0
    assert result.known is not None
    assert (result.known.new, len(result.known.known), result.known.fixed, result.known.stale) == ((), 3, (), ())


def test_a_new_failure_fails_the_run_and_is_named(file: Path) -> None:
    broken = replace(FAILED, judgements=(*FAILED.judgements, Judgement("survives", "fail", "died")))
    result = _against(read_known(file), a_run(scenarios=(broken, CHURN)))
    assert result.exit_status == 1
    assert result.known is not None
    assert result.known.new == (f"{FAILED.id} survives",)
    assert f"New: {FAILED.id} survives" in render_text(result, "en")


def test_what_held_is_fixed_and_what_there_is_no_more_is_stale(file: Path) -> None:
    held = replace(FAILED, outcome="pass", judgements=(Judgement("delivers", "pass"), Judgement("welcomes", "warn")))
    result = _against(read_known(file, [FAILED.id]), a_run(scenarios=(held,)))
    assert result.exit_status == 0
    assert result.known is not None
    assert result.known.fixed == (f"{FAILED.id} delivers", f"{FAILED.id} welcomes")
    assert result.known.stale == (f"{CHURN.id} delivers",)


def test_what_was_not_judged_is_neither_fixed_nor_new(file: Path) -> None:
    skipped = replace(FAILED, outcome="skip", judgements=())
    known = read_known(file, [FAILED.id, CHURN.id]).sort([skipped])
    assert (known.new, known.known, known.fixed, known.stale) == ((), (), (), ())
    assert known.unjudged == (f"{FAILED.id} delivers", f"{FAILED.id} welcomes", f"{CHURN.id} delivers")


def test_a_misspelt_property_is_stale_and_each_report_names_it(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(f'version = 1\n[known]\n"{FAILED.id}" = ["delivres:x", "delivers", "once"]\n')
    result = _against(read_known(path, [one.id for one in SCENARIOS], ["delivers", "once"]), a_run())
    assert result.known is not None
    assert result.known.stale == (f"{FAILED.id} delivres",)
    assert result.known.unjudged == (f"{FAILED.id} once",)
    text, page = render_text(result, "en"), render_html(result, "en").decode()
    assert f"Stale, no such scenario or property: {FAILED.id} delivres" in text
    assert f"Known, not judged this time: {FAILED.id} once" in text
    assert f"<li><code>{FAILED.id} delivres</code></li>" in page
    assert f"<li><code>{FAILED.id} once</code></li>" in page


def test_a_run_that_judged_nothing_is_no_success_whatever_is_known(file: Path) -> None:
    assert verdict((), False, read_known(file).sort(()))[0] == 2


def test_strict_warnings_fail_although_the_failures_are_known() -> None:
    assert verdict(SCENARIOS, True, KnownFailures("k"))[0] == 1


def test_results_json_tells_them_as_its_schema_says(file: Path) -> None:
    value = json.loads(render_json(_against(read_known(file), a_run()), "en"))
    jsonschema.validate(value, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert len(value["known"]["known"]) == 3


def test_the_reports_tell_known_from_new(file: Path) -> None:
    result = _against(read_known(file, ["disconnect/reset-after-login"]), a_run())
    cases = {case.get("name"): case for case in ElementTree.fromstring(render_junit(result, "en")).iter("testcase")}
    skipped = cases["reset-after-login"].find("skipped")
    assert skipped is not None
    assert str(skipped.get("message")).startswith("known failure: 2 properties violated")
    assert json.loads(render_ctrf(result, "en"))["results"]["summary"]["failed"] == 0
    assert not [line for line in commands(result, Language("en")) if "relaying" in line and line.startswith("::error")]
    page = render_html(result, "en").decode()
    assert "No new failure" in page
    assert "Stale: there is no such scenario" in page


@pytest.mark.parametrize("content", ["[", "", "version = 2\n[known]", "version = 1", 'version = 1\n[known]\n"a" = "b"'])
def test_a_file_that_is_none_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "known.toml").write_text(content)
    with pytest.raises(KnownError, match=r"known\.toml"):
        read_known(tmp_path / "known.toml")
    with pytest.raises(KnownError, match="--write-baseline writes one"):
        read_known(tmp_path / "nowhere")
    with pytest.raises(KnownError, match="could not be written"):
        write_known(tmp_path, a_failed_baseline())
