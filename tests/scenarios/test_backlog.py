"""Hundreds who leave at once are waited for: whoever is told of each of them is late with everything else."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from harness import Room
from scenarios.refused import backlog


class Recorded:
    """A room of which only what is asked of it counts."""

    def __init__(self) -> None:
        self.setting = SimpleNamespace(max_clients=20)
        self.asked: list[str] = []
        self.whose: tuple[Any, ...] = ()

    async def join(self, *who: str) -> list[str]:
        return list(who)

    async def crowd(self, count: int, at_once: bool) -> list[str]:
        return [f"m{number}" for number in range(count)]

    async def talk(self, *speakers: str) -> None:
        self.asked.append("talk")

    async def all_of(self, members: list[str], act: object) -> None:
        self.asked.append("close")

    async def let_go(self, *members: str) -> None:
        self.asked.append("let go")
        self.whose = members


async def play(room: Room) -> None:
    await backlog(room)


def test_a_server_that_still_tells_everybody_of_a_crowd_that_left_is_not_blamed() -> None:
    room = Recorded()
    asyncio.run(play(cast(Room, room)))
    assert room.asked == ["talk", "close", "let go"]
    assert len(room.whose) == 12
