"""`ctrf.json`: the Common Test Report Format (ctrf.io), which many dashboards and pull request bots read.

A scenario is a test. What the harness could not judge is `other`, never passed; an intermittent failure is a failure
that is marked `flaky`.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from pathlib import Path
from typing import Any

from harness.language import Language
from harness.report.gathered import FileReport
from harness.report.safe import QUOTED, visible
from harness.report.summary import all_known, broken_off_line
from harness.report.text import failure_sentence, reason_of, title_of, told_reason, told_steps, witness
from harness.results import Outcome, RunResult, ScenarioResult

SPEC = "0.0.0"
_STATUS: dict[Outcome, str] = {
    "pass": "passed",
    "warn": "passed",
    "fail": "failed",
    "skip": "skipped",
    "error": "other",
}
_STATUSES = ("passed", "failed", "skipped", "pending", "other")
#: Steps told of a failure.
STEPS = 60


class CtrfReport(FileReport):
    """Writes ctrf.json."""

    name = "ctrf"
    file = "ctrf.json"

    def render(self, result: RunResult) -> bytes:
        """The report as JSON, in ASCII."""
        return render_ctrf(result, self._say.code, self.evidence)


def render_ctrf(result: RunResult, lang: str, folder: Path | None = None) -> bytes:
    """ctrf.json, in ASCII; commands lead into the run's `folder`."""
    say = Language.of(lang)
    tests = [*_whole(result, say), *(_test(one, say, folder, known=all_known(result, one)) for one in result.scenarios)]
    counted = Counter(str(test["status"]) for test in tests)
    start = _milliseconds(result.started)
    summary = {"tests": len(tests), **{status: counted[status] for status in _STATUSES}}
    value = {
        "reportFormat": "CTRF",
        "specVersion": SPEC,
        "generatedBy": "harness",
        "results": {
            "tool": {"name": "harness", "version": visible(result.harness_version, QUOTED)},
            "summary": {**summary, "start": start, "stop": start + round(result.duration_s * 1000)},
            "tests": tests,
            "environment": {
                "appName": visible(result.target.command or result.target.address or result.target.kind, QUOTED),
                "extra": {"seed": result.seed, "interrupted": result.interrupted},
            },
        },
    }
    return json.dumps(value, indent=1, allow_nan=False).encode("ascii") + b"\n"


def _whole(result: RunResult, say: Language) -> list[dict[str, Any]]:
    """What befell the run as a whole: a run without a verdict is never green."""
    told = []
    if result.reason:
        why = say("The server could not be judged: {reason}", reason=visible(result.reason))
        told.append(("failed" if result.exit_status == 1 else "other", why))
    if result.interrupted:
        told.append(("other", broken_off_line(result, say)))
    return [{"name": "run", "status": how, "duration": 0, "suite": ["run"], "message": why} for how, why in told]


def _test(one: ScenarioResult, say: Language, folder: Path | None, *, known: bool) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": visible(one.id, QUOTED),
        "status": "skipped" if known else _STATUS[one.outcome],
        "rawStatus": one.outcome,
        "duration": round(one.duration_s * 1000),
        "suite": [visible(one.family, QUOTED)],
        "tags": [one.level],
        "flaky": one.intermittent,
        "extra": {"title": title_of(one, say), "runs": one.runs, "failed_runs": one.failed_runs},
    }
    if one.outcome == "fail":
        told = failure_sentence(one, say)
        test["message"] = say("known failure: {text}", text=told) if known else told
        test["trace"] = "\n".join(
            line
            for judgement in one.of("fail")
            for line in (f"{judgement.id}: {told_reason(judgement.reason, say)}", *witness(judgement, say, folder))
        )
        test["steps"] = [{"name": line, "status": "other"} for line in told_steps(one.steps, STEPS, say)]
    elif one.outcome in ("skip", "error"):
        test["message"] = told_reason(reason_of(one), say)
    elif one.outcome == "warn":
        test["message"] = "; ".join(told_reason(judgement.reason, say) for judgement in one.of("warn"))
    return test


def _milliseconds(started: str) -> int:
    """An RFC 3339 moment as milliseconds since 1970; 0 for what is none."""
    try:
        return round(datetime.datetime.fromisoformat(started).timestamp() * 1000)
    except ValueError:
        return 0
