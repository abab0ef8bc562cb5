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

ROOM = Path(__file__).parent
SCHEMA: dict[str, Any] = json.loads((ROOM.parents[1] / "docs" / "results.schema.json").read_text())
#: What outside programs were promised first; more may be added, nothing of this may go.
PROMISED: dict[str, Any] = json.loads((ROOM / "promised.schema.json").read_text())


def _validate(value: object) -> None:
    for schema in (SCHEMA, PROMISED):
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())


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


def test_a_missing_field_or_reason_is_noticed() -> None:
    value = json.loads(render_json(_valid_ids(a_run()), "en"))
    del value["scenarios"][4]["properties"][1]["reason"]
    with pytest.raises(jsonschema.ValidationError, match="'reason' is a required property"):
        _validate(value)


def test_the_published_schema_keeps_what_was_promised() -> None:
    assert _lost(PROMISED, SCHEMA) == []


def _lost(promised: Any, published: Any, where: str = "") -> list[str]:
    """The places at which the published schema says less than the promised one, titles and wordings aside."""
    if isinstance(promised, dict):
        if not isinstance(published, dict):
            return [where]
        keys = [key for key in promised if key not in ("title", "description")]
        return [place for key in keys for place in _lost(promised[key], published.get(key), f"{where}/{key}")]
    if isinstance(promised, list):
        return [] if isinstance(published, list) and all(item in published for item in promised) else [where]
    return [] if promised == published else [where]


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
