"""`harness replay`: how often a failure is played again. No server is started."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from report.sample import SCENARIOS

from harness.engine import replaying
from harness.engine.options import Options
from harness.registry import load
from harness.target import builtin

FAILED = replace(SCENARIOS[4], id="disconnect/abrupt")


@pytest.mark.parametrize(("times", "planned"), [(1, (1, 0)), (2, (2, 1)), (None, (3, 2))])
def test_a_failure_is_played_as_often_as_asked(
    times: int | None, planned: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []  # runs of a scenario that holds, and further ones of one that fails

    class Played:
        learned = None

        def __init__(self, options: Options, *_: object) -> None:
            asked.append((options.repeat, options.confirm))

        def perform(self) -> SimpleNamespace:
            return SimpleNamespace(interrupted=False, reason="-")

    monkeypatch.setattr(replaying, "Run", Played)
    replaying.replay([FAILED], load(), Options(spec=builtin("original"), profile=None), lambda one: None, times)
    assert asked == [planned]
