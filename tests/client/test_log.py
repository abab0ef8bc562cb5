"""The history as it grows: what a crowd is shown is bounded, and what was not kept is never judged without."""

from __future__ import annotations

import pytest

from harness.client import log as log_module
from harness.client.clock import Clock
from harness.client.log import MOST_COPIES, SHOWN_TO_CROWD, SHOWN_TO_ONE, Log
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
