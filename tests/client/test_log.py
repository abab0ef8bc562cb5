"""The history as it grows: what a crowd is shown is bounded, and what was not kept is never judged without."""

from __future__ import annotations

import asyncio

import pytest

from harness.client import log as log_module
from harness.client.clock import Clock
from harness.client.log import FULL_WAITS, GLANCE_S, MOST_COPIES, SHOWN_TO_CROWD, SHOWN_TO_ONE, Log
from harness.client.member import Identity, Member
from harness.dialect.profile import Profile
from harness.dialect.tokens import make
from harness.history import Heard, Left, Noticed, Phase, Record, Role

PROFILE = Profile(framing="line")


def member_of(log: Log, conn: int, role: Role) -> Member:
    member = Member(conn, Identity(f"m{conn}", f"m{conn}", 1, role), PROFILE, log)
    member.joined = True
    log.members.append(member)
    return member


def kept(log: Log, kind: type[Record], conn: int) -> int:
    return sum(isinstance(record, kind) and getattr(record, "conn", 0) == conn for record in log.records)


def test_of_what_a_crowd_is_shown_only_the_first_is_kept() -> None:
    """A storm of 300 who all hear two that talk on filled the history during the fault: what came after it was lost, and
    with it every reason to fail."""
    log = Log(Clock(), lambda: None)
    ana, one = member_of(log, 1, "bystander"), member_of(log, 2, "crowd")
    for number in range(3 * SHOWN_TO_ONE):
        line = f"hi {make(1, number, 'hi')}\n".encode()
        for member in (ana, one):
            member.bytes_came(line)
            member.bytes_came(b"somebody came\n")
    assert kept(log, Heard, 1) == kept(log, Noticed, 1) == 3 * SHOWN_TO_ONE
    assert kept(log, Heard, 2) + kept(log, Noticed, 2) == SHOWN_TO_ONE
    assert len(one.inbox.tokens) == 3 * SHOWN_TO_ONE
    for conn in range(3, 3 + SHOWN_TO_CROWD // SHOWN_TO_ONE + 50):
        member_of(log, conn, "crowd").bytes_came(b"somebody came\n" * SHOWN_TO_ONE)
    assert sum(isinstance(r, Noticed | Heard) and r.conn != 1 for r in log.records) == SHOWN_TO_CROWD
    assert log.dropped == 0


def test_a_message_that_comes_again_and_again_does_not_fill_the_history() -> None:
    log = Log(Clock(), lambda: None)
    member_of(log, 1, "bystander").bytes_came(f"hi {make(2, 1, 'hi')}\n".encode() * 500)
    assert kept(log, Heard, 1) == MOST_COPIES


def test_what_there_was_no_more_room_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MOST_RECORDS", 2)
    log = Log(Clock(), lambda: None)
    for at_s in (0.1, 0.2, 0.3, 0.4):
        log.add(Phase(at_s=at_s, name="fault"))
    log.add(Left(at_s=0.5, conn=1, how="fin"))
    assert (len(log.records), log.dropped, log.dropped_s) == (2, 3, 0.3)


def test_who_lets_clients_in_once_a_second_is_not_blamed_after_a_hasty_while() -> None:
    """InspIRCd, on a busy machine: it rested late, so that a leak was looked for. What was given up after a tenth of a second
    then counted as missed, and the last client of all was waited for no longer than half a login takes."""
    log, missed = Log(Clock(), lambda: None), list[str]()
    log.on_missed = missed.append

    async def give_up_often() -> None:
        log.clock.start()
        for _ in range(4 * FULL_WAITS):
            assert not await log.wait("login", lambda: False, 0.0)
        await log.clock.stop()

    log.hasten()
    assert log.allowed("login", 6.1) == GLANCE_S
    asyncio.run(give_up_often())
    log.hasten(ends=True)
    assert log.allowed("login", 6.1) == 6.1
    assert missed == []


def test_nobody_is_given_up_sooner_than_the_server_lets_people_in() -> None:
    """Also where many were missed in earnest: those whose login was the fault, for instance."""
    log = Log(Clock(), lambda: None)

    async def miss_often() -> None:
        log.clock.start()
        for kind in ("login", "reply") * 4 * FULL_WAITS:
            assert not await log.wait(kind, lambda: False, 0.0)
        await log.clock.stop()

    asyncio.run(miss_often())
    log.login_s = 1.0
    assert log.allowed("login", 6.1) == 2.0
    assert log.allowed("reply", 6.1) == pytest.approx(0.61)
    log.login_s = 0.001
    assert log.allowed("login", 2.5) == 0.25
