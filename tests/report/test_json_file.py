from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.report.json_file import render_json
from harness.results import RunResult

from .sample import ENVIRONMENT, HOSTILE, SCENARIOS, TARGET, a_failed_baseline, a_run

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "results.schema.json").read_text())

#: What outside programs were promised; more may be added, nothing of this may go.
PROMISED = {
    "run": "schema_version harness_version started duration_s seed interrupted target environment verdict exit_status "
    "counts findings scenarios",
    "scenario": "id family level title outcome duration_s runs failed_runs intermittent properties steps",
    "property": "id outcome reason expected observed hint fingerprint evidence",
    "step": "at_s who did",
}


def _validate(value: object) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(value, SCHEMA, format_checker=jsonschema.FormatChecker())


def _valid_ids(result: RunResult) -> RunResult:
    return replace(result, scenarios=tuple(s for s in result.scenarios if "\x1b" not in s.id))


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
@pytest.mark.parametrize("result", [a_run(), a_failed_baseline(), a_run(interrupted=True, exit_status=130)])
def test_the_outcome_is_as_its_schema_says(result: RunResult, lang: str) -> None:
    _validate(json.loads(render_json(_valid_ids(result), lang)))


def test_every_field_that_is_written_stands_in_the_schema() -> None:
    value = json.loads(render_json(a_run(), "en"))
    run = SCHEMA["properties"]
    scenario = run["scenarios"]["items"]["properties"]
    assert set(value) <= set(run)
    assert set(value["target"]) <= set(run["target"]["properties"])
    assert set(value["environment"]) <= set(run["environment"]["properties"])
    for one in value["scenarios"]:
        assert set(one) <= set(scenario)
        assert all(set(judged) <= set(scenario["properties"]["items"]["properties"]) for judged in one["properties"])


def test_what_was_promised_is_there() -> None:
    value = json.loads(render_json(a_run(), "en"))
    assert set(PROMISED["run"].split()) <= set(value)
    assert set(PROMISED["scenario"].split()) <= set(value["scenarios"][0])
    assert set(PROMISED["property"].split()) <= set(value["scenarios"][0]["properties"][0])
    assert set(PROMISED["step"].split()) <= set(value["scenarios"][0]["steps"][0])


def test_titles_are_in_the_language_of_the_run() -> None:
    assert json.loads(render_json(a_run(), "pt-BR"))["scenarios"][3]["title"] == "Dois conversam"
    assert json.loads(render_json(a_run(), "en"))["scenarios"][3]["title"] == "Two talk"


def test_it_is_json_in_the_strict_sense_whatever_a_server_sent() -> None:
    environment = replace(ENVIRONMENT, timer_lag_ms_p99=float("nan"))
    target = replace(TARGET, dialect={"greeting": b"\xff\x00", "names": ("a", 1), HOSTILE: HOSTILE})
    text = render_json(a_run(environment=environment, target=target), "en")
    value = json.loads(text, parse_constant=pytest.fail)
    assert text.isascii()
    assert value["environment"]["timer_lag_ms_p99"] is None
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # no lone surrogate is left
    assert "\\xff" in value["scenarios"][4]["properties"][2]["observed"]


def test_the_run_keeps_all_its_scenarios() -> None:
    value = json.loads(render_json(a_run(), "en"))
    assert [one["id"] for one in value["scenarios"]] == [one.id for one in SCENARIOS]
    assert value["counts"]["scenarios"] == {"pass": 4, "fail": 2, "warn": 1, "skip": 1, "error": 1}
