"""Timers are never early, on either event loop, with a timerfd and without."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable

import pytest

from harness.toxiproxy.embedded.main import new_event_loop
from harness.toxiproxy.embedded.timers import FAR_S, Timers


@pytest.mark.parametrize("loop_factory", [new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
@pytest.mark.parametrize("platform", [sys.platform, "no timerfd"])
def test_no_call_is_early_and_all_come_in_order(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    came: list[tuple[float, float]] = []

    async def wait() -> None:
        timers = Timers(asyncio.get_running_loop())
        all_came = asyncio.Event()
        dice = random.Random(5)

        def call(due: float) -> None:
            came.append((due, time.monotonic()))
            if len(came) == 100:
                all_came.set()

        def set_for(due: float) -> None:
            timers.at(due, lambda: call(due))

        start = time.monotonic()
        timers.at(start + FAR_S * 1e6, lambda: call(0.0))
        timers.at(start + 0.005, lambda: call(0.0)).cancel()
        for _ in range(100):
            set_for(start + dice.random() * 0.2)
        await asyncio.wait_for(all_came.wait(), 30)
        timers.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(wait())
    assert all(at >= due for due, at in came)
    assert [due for due, _ in came] == sorted(due for due, _ in came)
