"""`junit.xml` for CI: a suite a family, a case a scenario, one `<failure>` for each scenario that failed.

It keeps to the schema of Jenkins (junit-10.xsd), the narrowest of those in use: a case has no properties, what they
would hold stands in its output. Always well-formed: whatever came from a server is made visible first. Never falsely green: a run that judged nothing or
was broken off holds a case of its own that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.language import Language
from harness.report.gathered import FileReport
from harness.report.safe import QUOTED, visible, visible_lines
from harness.report.summary import COMMAND, all_known, broken_off_line
from harness.report.text import STEPS, failure_sentence, lying_in, reason_of, title_of, told_reason, told_steps, witness
from harness.results import Judgement, RunResult, ScenarioResult

Result = Failure | Error | Skipped


class JunitReport(FileReport):
    """Writes junit.xml."""

    name = "junit"
    file = "junit.xml"

    def render(self, result: RunResult) -> bytes:
        """The report as XML, in UTF-8."""
        return render_junit(result, self._say.code, self.evidence)


def render_junit(result: RunResult, lang: str, folder: Path | None = None) -> bytes:
    """junit.xml, in UTF-8; commands and paths lead into the run's `folder`."""
    say = Language.of(lang)
    xml: Any = JUnitXml("harness")  # junitparser is typed in part only
    for name, cases in _suites(result, say, folder).items():
        suite = TestSuite(name)
        suite.timestamp = visible(result.started, QUOTED)
        for key, value in _properties(result, lang):
            suite.add_property(key, value)
        suite.add_testcases(cases)
        xml.append(suite)
    xml.update_statistics()
    xml._elem.attrib.pop("skipped", None)  # the schema has it for suites only
    text: bytes = xml.tostring()
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + text + b"\n"


def _properties(result: RunResult, lang: str) -> Iterator[tuple[str, str]]:
    yield "seed", str(result.seed)
    yield "target", visible(result.target.command or result.target.address or result.target.kind, QUOTED)
    yield "harness_version", visible(result.harness_version, QUOTED)
    yield "language", lang


def _suites(result: RunResult, say: Language, folder: Path | None) -> dict[str, list[TestCase]]:
    suites: dict[str, list[TestCase]] = {}
    names: set[tuple[str, str]] = set()
    run_as_a_whole = list(_whole(result, say))
    if run_as_a_whole:
        suites["run"] = run_as_a_whole
    for scenario in result.scenarios:
        family = visible(scenario.family, QUOTED)
        name = _unique(family, visible(scenario.id.removeprefix(f"{scenario.family}/"), QUOTED) or "-", names)
        known = all_known(result, scenario)
        suites.setdefault(family, []).append(_case(family, name, scenario, say, folder, known=known))
    return suites


def _unique(family: str, name: str, names: set[tuple[str, str]]) -> str:
    """Many a viewer shows only one of two cases with the same name."""
    unique, number = name, 1
    while (family, unique) in names:
        number += 1
        unique = f"{name} ({number})"
    names.add((family, unique))
    return unique


def _whole(result: RunResult, say: Language) -> Iterator[TestCase]:
    """Cases for what befell the run as a whole, so that no CI shows green for a run without a verdict."""
    if result.reason:
        message = say("The server could not be judged: {reason}", reason=told_reason(result.reason, say))
        outcome: Result = Failure(message, "baseline") if result.exit_status == 1 else Error(message, "baseline")
        outcome.text = "\n".join([message, *visible_lines(result.transcript or "")])
        yield _with(TestCase("baseline", "harness.run", 0.0), outcome)
    if result.interrupted:
        message = broken_off_line(result, say)
        yield _with(TestCase("complete", "harness.run", 0.0), Error(message, "interrupted"))
    elif result.exit_status == 2 and not result.reason and not any(s.outcome == "error" for s in result.scenarios):
        yield _with(TestCase("judged", "harness.run", 0.0), Error(say("no scenario was judged"), "nothing-judged"))


def _with(case: Any, outcome: Result) -> TestCase:
    case.append(outcome)
    made: TestCase = case
    return made


def _case(
    family: str, name: str, scenario: ScenarioResult, say: Language, folder: Path | None, *, known: bool
) -> TestCase:
    case: Any = TestCase(name, f"harness.{family}", round(scenario.duration_s, 3))
    outcome = _outcome(scenario, say, folder)
    if known:  # as pytest tells an expected failure
        outcome = Skipped(say("known failure: {text}", text=failure_sentence(scenario, say)))
    if outcome is not None:
        case.append(outcome)
    case.system_out = "\n".join(_told(scenario, say, folder))
    made: TestCase = case
    return made


def _facts(scenario: ScenarioResult, say: Language, folder: Path | None) -> Iterator[str]:
    """What a case would have as properties, if the schema that Jenkins holds to had them."""
    yield title_of(scenario, say)
    yield f"level: {scenario.level}"
    if scenario.runs:
        yield f"runs: {scenario.failed_runs}/{scenario.runs}"
    if scenario.server_log:
        yield f"server_log: {visible(lying_in(folder, scenario.server_log), COMMAND)}"


def _outcome(scenario: ScenarioResult, say: Language, folder: Path | None) -> Result | None:
    reason = told_reason(reason_of(scenario), say)
    match scenario.outcome:
        case "fail":
            failed = scenario.of("fail")
            failure = Failure(
                failure_sentence(scenario, say), visible(failed[0].fingerprint or "fail", QUOTED) if failed else "fail"
            )
            failure.text = "\n".join(line for one in failed for line in _judged(one, say, folder)) or reason
            return failure
        case "skip":
            return Skipped(reason)
        case "error":
            error = Error(reason, "harness")
            error.text = "\n".join(line for one in scenario.of("error") for line in _judged(one, say, folder)) or reason
            return error
        case _:
            return None


def _judged(judgement: Judgement, say: Language, folder: Path | None) -> Iterator[str]:
    yield f"{judgement.id}: {told_reason(judgement.reason, say)}"
    yield from witness(judgement, say, folder)


def _told(scenario: ScenarioResult, say: Language, folder: Path | None) -> Iterator[str]:
    yield from _facts(scenario, say, folder)
    for judgement in scenario.of("warn"):
        yield f"{say('advice, {id}', id=judgement.id)}: {told_reason(judgement.reason, say)}"
    if scenario.outcome in ("fail", "error"):
        yield from told_steps(scenario.steps, STEPS, say)
