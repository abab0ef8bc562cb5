"""Every property wakes up when it is violated, alone, and is content with the same history made right."""

from __future__ import annotations

import pytest
from mutation_check import MUTATIONS, Mutation, main

from harness.findings.shapes import SHAPES
from harness.properties import IDS


@pytest.mark.parametrize("item", MUTATIONS, ids=lambda m: f"{m.prop}: {m.way}")
def test_a_violation_is_seen_and_its_repair_too(item: Mutation) -> None:
    assert item.wrong() is None


def test_every_property_is_violated_once_at_least() -> None:
    assert {m.prop for m in MUTATIONS} == set(IDS)


def test_a_violation_is_quoted_with_its_witness() -> None:
    for item in MUTATIONS:
        judged = item.judged(True)[item.prop]
        if judged.outcome == "fail":
            assert judged.expected, item.way
            assert judged.observed, item.way
            assert judged.reason, item.way


def test_the_shapes_that_the_reports_know_are_those_that_occur() -> None:
    told = {f"{m.prop}:{m.shape}" for m in MUTATIONS if m.outcome == "fail"}
    assert {key for key in told if key not in SHAPES} <= {
        # their property's own words are plain enough
        "handshake:incomplete",
    }


def test_the_table_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert "0 wrong" in capsys.readouterr().out
