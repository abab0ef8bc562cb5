"""The process is looked at during the fault: for the plots, and for no judge."""

from __future__ import annotations

import asyncio
import sys

import pytest

from harness.client.clock import Clock
from harness.client.log import Log
from harness.engine import play
from harness.history import Deadlines, Sample
from harness.stage import Plan, Stage
from harness.target import ServerSpec

SLEEPS = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); s.accept()"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what a process uses")
def test_a_fault_has_samples_of_its_own_and_the_watch_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "WATCH_S", 0.01)

    async def fault() -> list[Sample]:
        log = Log(Clock(), lambda: None)
        spec = ServerSpec("command", "sleeps", (sys.executable, "-c", SLEEPS, "{port}"))
        stage = Stage(Plan(spec, Deadlines(0.01, 1.0, 1.0, 1.0, 20.0, 5.0, 1.0)), log)
        await stage.start()
        before = asyncio.all_tasks()
        try:
            async with play.watched(stage):
                assert await log.patience.poll(lambda: len(log.records) >= 5, 20)
            assert asyncio.all_tasks() == before
        finally:
            await stage.end()
        return [record for record in log.records if isinstance(record, Sample)]

    found = asyncio.run(asyncio.wait_for(fault(), 30))
    assert len([one for one in found if one.label == "during" and one.alive and one.threads == 1]) >= 3
