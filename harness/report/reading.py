"""A finished run, read back: from its journal, or from the results.json that somebody kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.language import Language
from harness.report.codec import from_plain
from harness.report.files import JOURNAL, not_read
from harness.report.gathered import Gathered
from harness.report.journal import read_events
from harness.results import RunResult

RESULTS = "results.json"


def read_run(path: Path, say: Language) -> RunResult:
    """The run of a folder, of a journal, or of a results.json. Raises ReportError when there is none."""
    if path.is_dir() and not (path / JOURNAL).exists() and (path / RESULTS).exists():
        path = path / RESULTS
    if path.suffix == ".json":
        return _results(path, say)
    return read_journal(path, say)


def read_journal(path: Path, say: Language) -> RunResult:
    """The run of a journal, or of the folder that holds it; a killed run is told as interrupted. Raises ReportError."""
    gathered = Gathered()
    for event in read_events(path, say):
        gathered.handle(event)
    result = gathered.result(say.code)
    if result is None:
        raise not_read(path / JOURNAL if path.is_dir() else path, "it holds no beginning of a run", say)
    return result


def _results(path: Path, say: Language) -> RunResult:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        scenarios = [_scenario(one) for one in value["scenarios"]]
        return from_plain(RunResult, {**value, "scenarios": scenarios})
    except OSError as error:
        raise not_read(path, error, say) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise not_read(path, "it is no results.json of a run", say) from error


def _scenario(value: dict[str, Any]) -> dict[str, Any]:
    judgements = [
        {**one, "shape": (one.get("fingerprint") or "").partition(":")[2] or None} for one in value["properties"]
    ]
    titles = value.get("titles") or {"en": value["title"]}
    return {**value, "titles": titles, "judgements": judgements, "notes": value.get("notes") or []}
