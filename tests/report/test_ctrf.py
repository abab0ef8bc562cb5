from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.report.ctrf import render_ctrf
from harness.results import RunResult

from .sample import a_failed_baseline, a_run

SCHEMA = json.loads(Path(__file__).with_name("ctrf.schema.json").read_text(encoding="utf-8"))
STATUSES = {"passed", "failed", "skipped", "pending", "other"}


def _report(result: RunResult) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(render_ctrf(result, "en"))
    return value


@pytest.mark.parametrize(
    "result", [a_run(), a_failed_baseline(), a_run(interrupted=True), a_run(started="?"), a_run(scenarios=())]
)
def test_it_is_what_the_format_asks_for(result: RunResult) -> None:
    value = _report(result)
    jsonschema.validate(value, SCHEMA)
    summary, tests = value["results"]["summary"], value["results"]["tests"]
    assert summary["tests"] == len(tests) == sum(summary[status] for status in STATUSES)
    assert summary["start"] <= summary["stop"]


def test_each_outcome_has_its_status_and_an_intermittent_failure_is_a_failure() -> None:
    tests = {test["name"]: test for test in _report(a_run())["results"]["tests"]}
    assert tests["chat/two-talk"]["status"] == "passed"
    assert tests["refused/backlog"]["status"] == "passed"
    assert tests["lifecycle/resume"]["status"] == "skipped"
    assert tests["malformed/esc[\\x1b]"]["status"] == "other"
    assert (tests["storm/churn[50]"]["status"], tests["storm/churn[50]"]["flaky"]) == ("failed", True)
    assert "3 of 27 deliveries were lost" in tests["disconnect/reset-after-login"]["trace"]


def test_a_run_without_a_verdict_is_not_green() -> None:
    assert _report(a_failed_baseline())["results"]["summary"]["other"] == 1
    assert _report(a_run(scenarios=(), interrupted=True))["results"]["summary"]["other"] == 1
