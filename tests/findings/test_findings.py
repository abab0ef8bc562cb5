from __future__ import annotations

from dataclasses import replace

import pytest
from report.sample import SCENARIOS

from harness import findings
from harness.findings import group, title
from harness.findings.shapes import BROKEN, SHAPES
from harness.results import Judgement, Outcome, ScenarioResult


def _scenario(name: str, *judgements: Judgement) -> ScenarioResult:
    return ScenarioResult(name, "storm", "robust", {"en": name}, "fail", 0.1, 1, 1, judgements)


def _fail(prop: str, shape: str | None = None, outcome: Outcome = "fail") -> Judgement:
    return Judgement(prop, outcome, "-", shape=shape)


def test_failures_of_one_shape_are_one_finding_and_the_widest_comes_first() -> None:
    found = group([
        _scenario("a/1", _fail("welcomes", "silent-introduction"), _fail("delivers", "after-departure-nobody")),
        _scenario("a/2", _fail("delivers", "after-departure-nobody"), _fail("delivers", "after-departure-nobody")),
    ])  # fmt: skip
    assert [(one.fingerprint, one.scenarios) for one in found] == [
        ("delivers:after-departure-nobody", ("a/1", "a/2")),
        ("welcomes:silent-introduction", ("a/1",)),
    ]


@pytest.mark.parametrize("outcome", ["pass", "warn", "skip", "error"])
def test_only_failures_are_findings(outcome: Outcome) -> None:
    assert group([_scenario("a/1", _fail("delivers", "x", outcome))]) == ()


def test_without_failures_there_are_no_findings() -> None:
    assert group(replace(one, judgements=()) for one in SCENARIOS) == ()


@pytest.mark.parametrize(
    ("fingerprint", "lang", "told"),
    [
        ("idles:busy", "en", "spins in a busy loop with nobody connected"),
        ("idles:busy", "pt-BR", "fica em laço ocupado sem ninguém conectado"),
        ("idles:other", "en", "uses the processor while nothing happens"),
        ("resumes:its-messages", "en", "does not give a returning client its session (its messages)"),
        ("unheard-of:shape", "en", "unheard-of:shape"),
    ],
)
def test_a_finding_is_told_by_its_shape_else_by_its_property(fingerprint: str, lang: str, told: str) -> None:
    assert title(fingerprint, lang) == told


def test_every_property_has_a_sentence_and_every_shape_a_property() -> None:
    properties = pytest.importorskip("harness.properties")
    assert set(properties.IDS) <= set(BROKEN)
    assert {fingerprint.partition(":")[0] for fingerprint in SHAPES} <= set(BROKEN)


def test_the_remedy_comes_from_explain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "_remedies", lambda: lambda prop, lang: f"mend {prop} in {lang}")
    (found,) = group([_scenario("a/1", _fail("delivers", "x"))], "pt-BR")
    assert found.remedy == "mend delivers in pt-BR"


def _unknown(prop: str, lang: str) -> str:
    raise KeyError(prop)


def test_what_explain_does_not_know_has_no_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "_remedies", lambda: _unknown)
    assert findings.remedy("delivers") is None
    monkeypatch.setattr(findings, "_remedies", lambda: None)
    assert findings.remedy("delivers") is None
