"""The list of divergences is asked: each entry by some test, so that none is a claim alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from divergences import DIVERGENCES, Divergence

_TESTS = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("name", DIVERGENCES)
def test_a_test_asks_for_it(name: str) -> None:
    called = name.replace("toxics in a populate body", "a populate").replace("toxics in a create body", "a create")
    assert f'"{called}"' in _TESTS


@pytest.mark.parametrize(("name", "one"), DIVERGENCES.items())
def test_the_documentation_tells_it(name: str, one: Divergence) -> None:
    told = Path(__file__).parents[2] / "docs" / "toxiproxy.md"
    assert f"| {name} | {one.ours} | {one.real} | {one.why} |" in told.read_text("utf-8")
