"""The end that all scenarios share: to look whether a leak grows must not cost the scenario its time."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from harness import aftermath
from harness.history import Sample
from harness.registry import load

ITEM = load()["disconnect/abrupt"]
LIMIT_S = 60.0


class Room(SimpleNamespace):
    """A room with a clock that stands still, and a server that keeps a thread for each client that left."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.steps: list[str] = []
        self.hastened: list[bool] = []
        log = SimpleNamespace(
            now=lambda: self.now_s,
            records=[
                Sample(at_s=0.0, label=label, alive=True, threads=n) for n, label in ((1, "before"), (5, "after-1"))
            ],
            members=[],
            hasten=lambda ends=False: self.hastened.append(not ends),
        )
        super().__init__(
            log=log,
            stage=SimpleNamespace(alive=lambda: True, look_idle=nothing),
            deadlines=SimpleNamespace(rest_s=3.0),
            setting=SimpleNamespace(known_leaks=frozenset(), limit_s=LIMIT_S),
            again=lambda: None,
            step=self.steps.append,
        )


async def nothing(*_: Any, **__: Any) -> None:
    """In the place of what takes sockets."""


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the fault may take when it is done again; each time it takes all of that."""
    given = list[float]()

    async def once_more(room: Any, item: Any, longest_s: float) -> None:
        given.append(longest_s)
        room.now_s += longest_s

    for name in ("fill_pools", "at_rest"):
        monkeypatch.setattr(aftermath, name, nothing)
    monkeypatch.setattr(aftermath, "once_more", once_more)
    return given


def test_the_fault_is_done_twice_more_within_a_part_of_the_scenarios_time(allowed: list[float]) -> None:
    room = Room(10.0)
    asyncio.run(aftermath.rest(room, ITEM))  # type: ignore[arg-type]
    assert len(allowed) == 2
    assert sum(allowed) <= aftermath.AGAIN * LIMIT_S
    assert allowed[1] >= allowed[0] > 0
    assert room.hastened == [True, False]


def test_where_most_of_the_time_is_over_no_leak_is_looked_for(allowed: list[float]) -> None:
    asyncio.run(aftermath.rest(Room(0.6 * LIMIT_S), ITEM))  # type: ignore[arg-type]
    assert allowed == []


def test_a_fault_that_does_not_end_the_second_time_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(room: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(aftermath, "everybody_leaves", nothing)
    room = Room(0.0)
    room.calm = nothing
    item = SimpleNamespace(again=True, body=body, arguments={})
    asyncio.run(asyncio.wait_for(aftermath.once_more(room, item, 0.01), 30))  # type: ignore[arg-type]
    assert room.steps == ["the fault took too long the second time"]
