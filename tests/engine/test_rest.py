"""A server that has nothing more to say is waited for no longer; one of which that is not known has its deadline."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Member
from harness.engine import rest
from harness.stage import Stage

#: Nobody may wait so long, in seconds.
FOREVER_S = 600.0


class Shown:
    """Somebody who was shown so many bytes."""

    def __init__(self) -> None:
        self.inbox = SimpleNamespace(total=0)


class Looks:
    """What the looks at the server tell, one after the other; the last for ever."""

    def __init__(self, *asleep: bool) -> None:
        self.asleep = list(asleep)
        self.count = 0

    def __call__(self, stage: Stage, log: Log) -> bool:
        self.count += 1
        return self.asleep.pop(0) if len(self.asleep) > 1 else self.asleep[0]


def waited(monkeypatch: pytest.MonkeyPatch, looks: Looks, what: Any, **how: Any) -> tuple[Any, Log, Shown]:
    """What comes of it with a server that looks so."""
    monkeypatch.setattr(rest, "_asleep", looks)
    log, shown = Log(Clock(), lambda: None), Shown()
    log.members.append(cast(Member, shown))

    async def run() -> Any:
        async with asyncio.timeout(60):
            return await rest.unless_at_rest(what(log, shown), cast(Stage, None), log, **({"least_s": 0.02} | how))

    return asyncio.run(run()), log, shown


async def nothing(log: Log, shown: Shown) -> str:
    await asyncio.sleep(FOREVER_S)
    return "came"


async def soon(log: Log, shown: Shown) -> str:
    await log.pulse.next(0.1)
    return "came"


def test_a_server_at_rest_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(True)
    came, _, _ = waited(monkeypatch, looks, nothing)
    assert came is None
    assert looks.count >= rest.LOOKS


def test_what_comes_first_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, Looks(True), soon, least_s=FOREVER_S)[0] == "came"


def test_a_server_that_never_sleeps_has_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, Looks(False), soon)[0] == "came"


def test_looks_must_find_it_asleep_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(*[True] * (rest.LOOKS - 1), False, True)
    assert waited(monkeypatch, looks, nothing, least_s=0.0)[0] is None
    assert looks.count >= 2 * rest.LOOKS


def test_it_rests_from_what_came_last(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, came = Looks(True), list[int]()

    async def four_more(log: Log, shown: Shown) -> None:
        for _ in range(4):
            await asyncio.sleep(rest.LOOK_S)
            shown.inbox.total += 1
            came.append(looks.count)
            log.pulse.beat()
        await asyncio.sleep(FOREVER_S)

    waited(monkeypatch, looks, four_more, least_s=0.0)
    assert len(came) == 4
    assert looks.count >= came[-1] + rest.LOOKS


def test_what_it_has_not_seen_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([False, False, True])
    assert waited(monkeypatch, Looks(True), nothing, ready=lambda: next(seen))[0] is None
    assert next(seen, "asked") == "asked"


def test_somebody_elses_server_is_never_known_to_rest() -> None:
    stage, log = SimpleNamespace(server=None), Log(Clock(), lambda: None)
    assert not rest._asleep(cast(Stage, stage), log)


def test_whoever_needs_no_proxy_loads_none() -> None:
    """A probe takes half a second longer with it."""
    needs = "harness.cli.probe, harness.engine.starting, harness.engine.detecting, harness.engine.baseline"
    told = f"import sys, {needs}; print(*sorted(sys.modules), sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()
    assert not {"aiohttp", "requests", "dpkt"} & set(loaded)
