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


@pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux")
def test_behind_a_long_sleep_the_rest_is_waited_for_awake_and_no_call_is_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.toxiproxy.embedded.timers.LEAD_MOST_S", 0.05)
    looks: list[float] = []
    late: list[float] = []

    async def wait() -> None:
        timers = Timers(asyncio.get_running_loop(), lambda: looks.append(time.monotonic()))
        for _ in range(5):
            monkeypatch.setattr(timers, "_lateness", 0.05)  # as on a processor that takes so long to wake up
            came, due = asyncio.Event(), time.monotonic() + 0.06

            def call(due: float = due, came: asyncio.Event = came) -> None:
                late.append(time.monotonic() - due)
                came.set()

            timers.at(due, call)
            await asyncio.wait_for(came.wait(), 30)
        timers.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(wait())
    assert looks, "it never was awake before its time"
    assert min(late) >= 0
