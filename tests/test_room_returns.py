"""Coming back under one's name, in a room that is made up: how often one asks, and when it is given up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from harness.history import JoinFailed, Left
from harness.room import Room

REPLY_S = 1.0


class MadeUp(Room):
    """Nobody is let in under a name that was borne before; each attempt takes a quarter of a second."""

    def __init__(self, *, got: bytes) -> None:
        self.got, self.asked, self.now_s = got, 0, 10.0
        self.records: list[Any] = [Left(at_s=10.0, conn=1, how="reset"), Left(at_s=10.0, conn=2, how="reset")]
        self.log: Any = SimpleNamespace(records=self.records, now=lambda: self.now_s)
        self.deadlines: Any = SimpleNamespace(reply_s=REPLY_S)
        self.profile: Any = SimpleNamespace(resume=None)
        self._keeps_names = False

    async def connect(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        return SimpleNamespace(conn=100 + self.asked, close=lambda: None, present=False)

    async def log_in(self, member: Any) -> bool:
        self.now_s += 0.25
        self.records.append(
            JoinFailed(at_s=self.now_s, conn=member.conn, asked_at_s=self.now_s, why="", got=self.got, refused=True)
        )
        return False


def returns(room: MadeUp, conn: int) -> int:
    """How often one asked."""
    before = room.asked
    gone: Any = SimpleNamespace(
        conn=conn, who="ana", name="ana", token=None, identity=SimpleNamespace(visit=1, role="bystander")
    )
    asyncio.run(room.back(gone))
    return room.asked - before


def test_a_server_that_keeps_names_is_waited_for_once_in_a_play() -> None:
    room = MadeUp(got=b"taken")
    assert returns(room, 1) > 3
    room.records[1] = Left(at_s=room.now_s, conn=2, how="reset")  # only now: else its time would be over by itself
    assert returns(room, 2) == 1


def test_one_that_only_ends_connections_is_asked_by_everybody_for_as_long() -> None:
    room = MadeUp(got=b"")
    assert returns(room, 1) > 3
    room.records[1] = Left(at_s=room.now_s, conn=2, how="reset")
    assert returns(room, 2) > 3
