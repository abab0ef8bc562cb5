from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from harness.report.badge import badge_text, render_badge
from harness.results import RunResult

from .sample import DOCUMENTED, a_failed_baseline, a_run

PASSED = a_run(scenarios=DOCUMENTED, findings=(), exit_status=0)


@pytest.mark.parametrize(("result", "text"), [
    (a_run(), "2 of 7 failed"), (PASSED, "3 held"), (a_failed_baseline(), "not judged"),
    (replace(PASSED, interrupted=True), "broken off"), (a_run(scenarios=(), exit_status=0), "not judged"),
])  # fmt: skip
def test_the_badge_says_the_verdict(result: RunResult, text: str) -> None:
    assert badge_text(result, "en") == text
    picture = ET.fromstring(render_badge(result, "en"))
    assert picture.get("aria-label") == f"harness: {text}"


def test_the_badge_speaks_portuguese() -> None:
    assert badge_text(a_run(), "pt-BR") == "2 de 7 falharam"
