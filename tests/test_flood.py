"""The floods, against a room that is made up: what is poured goes by a clock that only turns move."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from harness.dialect import Profile
from harness.flood import POURED, endless_line, overfill, pour
from harness.history import Flooded, Sample
from harness.properties.resources import SMALLEST_LEAK

#: One turn of a slow server takes so long, in seconds.
TURN_S = 0.15
KERNEL = 4 << 20


class MadeUp:
    """A room whose server is slow, and keeps what is not read, or drops it."""

    profile = Profile(framing="chunk", pause=0.05)

    def __init__(self, *, keeps: bool) -> None:
        self.keeps, self.taken, self.now = keeps, 0, 0.0
        self.records: list[Any] = []
        self.log = SimpleNamespace(
            clock=SimpleNamespace(calm=lambda: self.now), now=lambda: self.now, add=self.records.append,
            pulse=SimpleNamespace(next=self.turn),
        )  # fmt: skip
        self.stage = SimpleNamespace(sample=self.sample, holds=lambda _: True)
        self.speaker = SimpleNamespace(send=self.send, present=True)

    def sample(self, label: str) -> Sample:
        kept = max(0, self.taken - KERNEL) if self.keeps else 0
        return Sample(at_s=self.now, label=label, alive=True, rss_bytes=(20 << 20) + kept)

    async def send(self, data: bytes) -> int:
        self.taken += len(data)
        return len(data)

    async def talk(self, *_: object) -> bool:
        self.now += TURN_S
        return True

    async def turn(self, _: float) -> None:
        """The loop has its turn."""

    def step(self, *_: object) -> None:
        """Nothing is told."""


def poured(room: MadeUp) -> Flooded:
    """What went at one who does not read, by three."""
    made: Any = room
    reader: Any = SimpleNamespace(conn=1)
    return asyncio.run(pour(made, [made.speaker] * 3, reader))


def test_a_slow_server_that_keeps_everything_is_given_enough_to_show_it() -> None:
    room = MadeUp(keeps=True)
    assert poured(room).taken > POURED
    assert room.sample("").rss_bytes - (20 << 20) > 1.2 * SMALLEST_LEAK


def test_one_that_drops_what_is_not_read_is_given_no_more_than_usual() -> None:
    assert poured(MadeUp(keeps=False)).taken <= POURED + (1 << 20)


def test_a_flood_is_over_when_it_was_read_so_that_one_that_cuts_off_slow_readers_is_not_blamed() -> None:
    """Megabytes may wait in the kernel, a reset takes none of them back, and newcomers would be met by them."""
    room: Any = MadeUp(keeps=False)
    unread: list[int] = []

    async def send(data: bytes, deadline_s: float) -> int:
        del deadline_s
        unread.append(len(data))
        return len(data)

    async def read_by_server(member: Any, deadline_s: float) -> bool:
        assert member is bia
        assert deadline_s == room.deadlines.reply_s
        unread.clear()
        return True

    room.deadlines = SimpleNamespace(reply_s=1.0)
    room.log.read_by_server = read_by_server
    bia: Any = SimpleNamespace(conn=2, wire=SimpleNamespace(send=send), gone=False)
    assert asyncio.run(endless_line(room, bia, 1 << 20)).taken == 1 << 20
    assert not unread


def test_more_than_the_kernel_holds_is_said_to_one_who_is_to_catch_up_and_no_more() -> None:
    room = MadeUp(keeps=False)
    made: Any = room
    reader: Any = SimpleNamespace(conn=1)
    assert KERNEL < asyncio.run(overfill(made, [made.speaker] * 3, reader)) < KERNEL + (2 << 20)
    room.stage.holds = lambda _: False
    assert asyncio.run(overfill(made, [made.speaker] * 3, reader)) == 0


@pytest.mark.parametrize("flood", [pour, overfill])
@pytest.mark.timeout(20)
def test_a_flood_ends_when_all_who_made_it_were_cut_off(flood: Any) -> None:
    """Nothing can be sent, and nobody hears: without a turn of its own the loop never learned of their ends."""
    room: Any = MadeUp(keeps=False)
    speaker = room.speaker

    async def refused(data: bytes) -> int:
        raise ConnectionResetError(len(data))

    async def nobody_hears(*_: object) -> bool:
        return True

    async def turn(_: float) -> None:
        speaker.present = False

    speaker.send, room.talk, room.log.pulse.next = refused, nobody_hears, turn
    asyncio.run(flood(room, [speaker], SimpleNamespace(conn=1)))
    assert room.taken == 0
