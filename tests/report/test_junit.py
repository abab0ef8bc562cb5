from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Failure, JUnitXml
from xmlschema import XMLSchema

from harness.report.junit import render_junit
from harness.report.safe import visible
from harness.results import Judgement, KnownFailures, RunResult, ScenarioResult

from . import golden
from .sample import HOSTILE, OTHERS, a_failed_baseline, a_run


@pytest.fixture(autouse=True)
def _no_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.findings._remedies", lambda: None)


def _cases(result: RunResult) -> dict[tuple[str, str], ElementTree.Element]:
    root = ElementTree.fromstring(render_junit(result, "en"))
    found = {(case.get("classname", ""), case.get("name", "")): case for case in root.iter("testcase")}
    assert len(found) == len(list(root.iter("testcase")))
    return found


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
def test_the_report_of_a_whole_run(lang: str) -> None:
    root = ElementTree.fromstring(render_junit(a_run(), lang))
    ElementTree.indent(root)
    golden.check(f"junit.{lang}.xml", ElementTree.tostring(root, encoding="unicode") + "\n")


def test_suites_are_families_and_the_numbers_add_up() -> None:
    xml = JUnitXml.fromstring(render_junit(a_run(), "en"))
    assert [suite.name for suite in xml] == ["malformed", "refused", "disconnect", "chat", "storm", "lifecycle"]
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (9, 2, 1, 1)


def test_a_failing_scenario_has_one_failure_with_all_its_failing_properties() -> None:
    case = _cases(a_run())["harness.disconnect", "reset-after-login"]
    (failure,) = case.findall("failure")
    assert failure.get("message") == "2 properties violated: delivers, welcomes"
    assert failure.text is not None
    assert failure.text.startswith("delivers: 3 of 27 deliveries were lost")
    assert "\nwelcomes: bia was shown" in failure.text


def test_an_intermittent_failure_is_a_failure() -> None:
    (failure,) = _cases(a_run())["harness.storm", "churn[50]"].findall("failure")
    assert "intermittent: 1 of 3 runs failed" in failure.get("message", "")


def test_a_warning_passes_and_is_told() -> None:
    case = _cases(a_run())["harness.refused", "backlog"]
    assert case.find("failure") is None
    assert "listen backlog" in (case.findtext("system-out") or "")


def test_skips_and_errors_have_their_reason() -> None:
    cases = _cases(a_run())
    skipped = cases["harness.lifecycle", "resume"].find("skipped")
    error = cases["harness.malformed", "esc[\\x1b]"].find("error")
    assert skipped is not None
    assert skipped.get("message") == "the dialect declares no session resumption"
    assert error is not None
    assert error.get("message") == "its worker hung"


def test_properties_tell_seed_target_and_level() -> None:
    root = ElementTree.fromstring(render_junit(a_run(), "en"))
    suite = root.find("testsuite/properties")
    output = root.findtext("testsuite/testcase/system-out")
    assert suite is not None
    assert output is not None
    assert {one.get("name"): one.get("value") for one in suite}["seed"] == "42"
    assert "level: essential" in output.splitlines()


#: The narrowest readers in use, as a schema.
SCHEMA = XMLSchema(Path(__file__).with_name("junit.xsd"))


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
@pytest.mark.parametrize("result", [
    a_run(), a_failed_baseline(), a_run(interrupted=True), a_run(scenarios=()), a_run(scenarios=(OTHERS[0], OTHERS[0])),
    a_run(known=KnownFailures("k", known=("storm/churn[50] delivers",))),
])  # fmt: skip
def test_it_keeps_to_the_narrowest_schema(result: RunResult, lang: str) -> None:
    SCHEMA.validate(ElementTree.fromstring(render_junit(result, lang)))


@pytest.mark.parametrize("wrong", [
    "<testsuites><testsuite name='a' tests='1' failures='0' errors='0'><testcase name='b' classname='c'><properties/></testcase></testsuite></testsuites>",
    "<testsuites><testsuite name='a' tests='1' failures='1' errors='0'><testcase name='b' classname='c'><failure/><failure/></testcase></testsuite></testsuites>",
    "<testsuites><testsuite name='a' tests='2' failures='0' errors='0'><testcase name='b' classname='c'/><testcase name='b' classname='c'/></testsuite></testsuites>",
    "<testsuites skipped='1'/>",
])  # fmt: skip
def test_the_schema_is_a_narrow_one(wrong: str) -> None:
    assert not SCHEMA.is_valid(ElementTree.fromstring(wrong))


@given(st.text(st.characters(exclude_categories=())), st.binary())
def test_it_is_well_formed_whatever_a_server_sent(text: str, data: bytes) -> None:
    sent = text + data.decode("utf-8", "surrogateescape")
    judgement = Judgement("genuine", "fail", sent or "-", sent, sent, sent, hint=sent, evidence=(sent,))
    scenario = ScenarioResult(
        f"malformed/{sent}", "malformed", "robust", {"en": sent}, "fail", 1.0, 1, 1, (judgement,), notes=(sent,)
    )
    skipped = replace(scenario, outcome="skip", judgements=(), reason=sent)
    result = a_run(scenarios=(scenario, skipped), reason=sent, transcript=sent)
    written = render_junit(result, "en")
    SCHEMA.validate(ElementTree.fromstring(written))
    assert JUnitXml.fromstring(written).failures >= 1


def test_hostile_bytes_are_shown_as_text() -> None:
    case = _cases(a_run())["harness.disconnect", "reset-after-login"]
    assert visible(HOSTILE) in (case.findtext("failure") or "")


def test_two_scenarios_of_one_name_are_told_apart() -> None:
    assert set(_cases(a_run(scenarios=(OTHERS[0], OTHERS[0])))) == {
        ("harness.chat", "two-talk"),
        ("harness.chat", "two-talk (2)"),
    }


@pytest.mark.parametrize(
    ("result", "name"),
    [
        (a_failed_baseline(), "baseline"),
        (replace(a_failed_baseline(), exit_status=1), "baseline"),
        (a_run(interrupted=True, exit_status=130, scenarios=OTHERS[:1]), "complete"),
        (a_run(exit_status=2, scenarios=(OTHERS[4],)), "judged"),
    ],
)
def test_a_run_without_a_verdict_is_never_green(result: RunResult, name: str) -> None:
    xml = JUnitXml.fromstring(render_junit(result, "en"))
    assert xml.failures + xml.errors == 1
    assert ("harness.run", name) in _cases(result)


def test_a_baseline_that_failed_on_a_known_dialect_is_a_failure_with_the_transcript() -> None:
    case = _cases(replace(a_failed_baseline(), exit_status=1))["harness.run", "baseline"]
    assert case.find(Failure._tag) is not None
    assert "ana > hello" in (case.findtext("failure") or "")
