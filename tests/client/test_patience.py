"""Clock, patience and log: a condition is seen at once, a deadline is counted in calm time, nothing is left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace

import pytest

from harness.client import clock as clocks
from harness.client.clock import MOST_S, TICK_S, Clock
from harness.client.log import FULL_WAITS, GLANCE_S, SHORT_WAIT_S, Log
from harness.client.member import Identity, Member
from harness.client.patience import MOST_EXTENSIONS, SECOND_LOOK, Patience, Processor, Pulse
from harness.dialect.profile import Profile
from harness.history import Awaited, Heard, Said


class MadeUpClock(Clock):
    """Time that passes only when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def calm(self) -> float:
        return self.time


class MadeUpPulse(Pulse):
    """Waiting takes no time: the clock is put forward, and what was due happens."""

    def __init__(self, clock: MadeUpClock) -> None:
        super().__init__()
        self.clock = clock
        self.waits: list[float] = []

    async def next(self, timeout_s: float) -> None:
        self.waits.append(timeout_s)
        self.clock.time += timeout_s


def patient(*waits: float | None, ran: float = 0.0) -> tuple[Patience, MadeUpClock]:
    """A patience on a made-up clock. `waits`: how long the server has stood ready, one answer after the other.

    `ran`: the part of the time in which it had a processor.
    """
    answers = list(waits)
    clock = MadeUpClock()

    def served() -> Processor | None:
        waited = answers.pop(0) if len(answers) > 1 else answers[0]
        return None if waited is None else Processor(waited, ran * clock.time)

    return Patience(clock, MadeUpPulse(clock), served), clock


def run(work: Coroutine[object, object, bool]) -> bool:
    """On an event loop of its own, on which no task is left."""

    async def whole() -> bool:
        done = await work
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return done

    return asyncio.run(whole())


# -- patience ------------------------------------------------------------------------------------------------------


def test_a_condition_that_holds_costs_no_time() -> None:
    patience, clock = patient(0.0)
    assert run(patience.until(lambda: True, 5.0))
    assert clock.time == 0.0


def test_a_deadline_is_waited_for_and_then_looked_at_a_little_longer() -> None:
    patience, clock = patient(0.0)
    assert not run(patience.until(lambda: False, 1.0))
    assert clock.time == pytest.approx(1.0 + SECOND_LOOK)
    assert patience.extended == 0


def test_without_a_look_at_the_processors_there_is_no_second_one() -> None:
    patience, clock = patient(None)
    assert not run(patience.until(lambda: False, 1.0))
    assert clock.time == pytest.approx(1.0)


def test_what_comes_in_the_second_look_came() -> None:
    patience, clock = patient(0.0)
    assert run(patience.until(lambda: clock.time > 1.0, 1.0))


def test_a_starved_server_is_given_its_deadline_again() -> None:
    patience, clock = patient(0.0, 0.1, 0.1, 0.1)  # half of the second look without a processor; then none
    assert not run(patience.until(lambda: False, 1.0))
    assert patience.extended == 1
    assert clock.time == pytest.approx(2 * (1.0 + SECOND_LOOK))


def test_a_starved_server_that_answers_in_its_second_time_has_answered() -> None:
    patience, clock = patient(0.0, 0.1, 0.1, 0.1)
    assert run(patience.until(lambda: clock.time > 1.5, 1.0))


@pytest.mark.parametrize(("ran", "extended"), [(0.9, 0), (0.5, 1), (0.3, 2)])
def test_one_that_spins_is_given_no_more_processor_time_than_the_deadline(ran: float, extended: int) -> None:
    clock = MadeUpClock()
    patience = Patience(clock, MadeUpPulse(clock), lambda: Processor(clock.time, ran * clock.time))
    assert not run(patience.until(lambda: False, 1.0))
    assert patience.extended == extended


def test_a_deadline_is_not_given_for_ever() -> None:
    clock = MadeUpClock()
    patience = Patience(clock, MadeUpPulse(clock), lambda: Processor(clock.time, 0.0))  # it never gets one
    assert not run(patience.until(lambda: False, 1.0))
    assert patience.extended == 1 + MOST_EXTENSIONS
    assert clock.time == pytest.approx((1 + MOST_EXTENSIONS) * (1.0 + SECOND_LOOK))


def test_where_nobody_is_judged_a_deadline_is_waited_for_once() -> None:
    """What only repeats a fault, to see a leak grow, took most of a minute of a server that spins."""
    clock = MadeUpClock()
    log = Log(clock, lambda: Processor(clock.time, 0.0))  # it never gets a processor
    log.patience = patience = Patience(clock, MadeUpPulse(clock), lambda: Processor(clock.time, 0.0))
    log.hasten()
    assert not run(log.wait("reply", lambda: False, 1.0))
    assert clock.time == pytest.approx(GLANCE_S)
    log.hasten(ends=True)
    assert not run(patience.until(lambda: False, 1.0))
    assert patience.extended == 1 + MOST_EXTENSIONS


def test_a_poll_asks_ever_less_often_and_ends() -> None:
    clock = MadeUpClock()
    pulse = MadeUpPulse(clock)
    assert not run(Patience(clock, pulse, lambda: None).poll(lambda: False, 1.0))
    assert pulse.waits == sorted(pulse.waits)
    assert max(pulse.waits) == 0.05
    assert clock.time < 1.1


def test_a_poll_of_a_starved_server_is_given_its_deadline_again() -> None:
    patience, clock = patient(0.0, 0.1, 0.1, 0.1)
    assert run(patience.poll(lambda: clock.time > 1.5, 1.0))
    assert patience.extended == 1


def test_a_beat_wakes_everybody_who_waits_at_once() -> None:
    async def whole() -> bool:
        clock = Clock()
        pulse = Pulse()
        patience = Patience(clock, pulse, lambda: None)
        there: list[bool] = []
        waiting = [asyncio.create_task(patience.until(lambda: bool(there), 60.0)) for _ in range(5)]
        await asyncio.sleep(0)  # until they wait
        there.append(True)
        pulse.beat()
        return all(await asyncio.gather(*waiting))

    began = time.monotonic()
    assert run(whole())
    assert time.monotonic() - began < 10


def test_a_beat_that_changes_nothing_wakes_nobody_for_good() -> None:
    async def whole() -> bool:
        clock, pulse = Clock(), Pulse()
        clock.start()
        waiting = asyncio.create_task(Patience(clock, pulse, lambda: None).until(lambda: False, 0.05))
        for _ in range(3):
            await asyncio.sleep(0)
            pulse.beat()
        done = await waiting
        await clock.stop()
        return done

    assert not run(whole())


# -- the clock -----------------------------------------------------------------------------------------------------


def test_calm_time_stands_still_while_the_harness_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(clocks.time, "monotonic", lambda: now[0])
    clock = Clock()
    now[0] += 5.0  # five seconds without a tick
    assert clock.now() == pytest.approx(5.0)
    assert clock.calm() == pytest.approx(MOST_S)


def test_ticks_credit_calm_time_and_write_the_lag_down() -> None:
    async def whole() -> tuple[float, float, tuple[float, float]]:
        clock = Clock()
        clock.start()
        await asyncio.sleep(5 * TICK_S)
        time.sleep(0.2)  # noqa: ASYNC251 - the event loop is held up on purpose
        await asyncio.sleep(3 * TICK_S)
        now, calm, lag = clock.now(), clock.calm(), clock.lag()
        await clock.stop()
        await clock.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return now, calm, lag

    now, calm, (p99, worst) = asyncio.run(whole())
    assert calm < now - 0.1
    assert worst >= 0.15
    assert 0 <= p99 <= worst


def test_a_clock_that_never_ticked_has_no_lag() -> None:
    assert Clock().lag() == (0.0, 0.0)


# -- the log ---------------------------------------------------------------------------------------------------------


def made_up_log() -> Log:
    """A log whose waits take no time."""
    clock = MadeUpClock()
    log = Log(clock, lambda: None)
    log.pulse = MadeUpPulse(clock)
    log.patience = Patience(clock, log.pulse, lambda: None)
    return log


def test_what_fails_to_come_twice_is_waited_for_less_the_third_time() -> None:
    async def whole() -> list[float]:
        log = made_up_log()
        allowed = []
        for _ in range(3 * FULL_WAITS + 1):
            allowed.append(log.allowed("reply", 5.0))
            assert not await log.wait("reply", lambda: False, 5.0)
        allowed.append(log.allowed("reply", 5.0))
        assert log.allowed("login", 5.0) == 5.0  # each kind for itself
        return allowed

    allowed = asyncio.run(whole())
    assert allowed[:FULL_WAITS] == [5.0] * FULL_WAITS
    assert allowed[FULL_WAITS] == 1.0
    assert allowed[-1] == 0.5
    assert allowed == sorted(allowed, reverse=True)


def test_one_good_bye_that_is_not_answered_is_enough_unless_nobody_judges_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sent(_: Member, data: bytes) -> int:
        return len(data)

    monkeypatch.setattr(Member, "_put", sent)

    async def whole() -> None:
        log = made_up_log()
        ana, bia, caio = (member(log, conn, leave="/quit") for conn in (1, 2, 3))
        ana.identity = replace(ana.identity, role="faulty")
        full = log.reply_deadline_s
        assert not await ana.leave()
        assert log.allowed("leave", full) == full  # it decides nothing: the next one's good-bye has all its time
        assert not await bia.leave()
        assert log.allowed("leave", full) < full
        assert not await caio.leave()

    asyncio.run(whole())


def test_a_look_is_never_shorter_than_a_glance() -> None:
    async def whole() -> None:
        log = made_up_log()
        for _ in range(FULL_WAITS):
            await log.wait("reply", lambda: False, 1.0)
        assert log.allowed("reply", 1.0) == SHORT_WAIT_S
        log.hasty = True
        assert log.allowed("reply", 1.0) == GLANCE_S

    asyncio.run(whole())


def test_what_comes_is_not_held_against_the_next() -> None:
    async def whole() -> None:
        log = made_up_log()
        for _ in range(10):
            assert await log.wait("reply", lambda: True, 5.0)
        assert log.allowed("reply", 5.0) == 5.0

    asyncio.run(whole())


def member(log: Log, conn: int, leave: str | None = None) -> Member:
    """One who is in the room, without a wire."""
    made = Member(conn, Identity(f"m{conn}", f"m{conn}"), Profile(leave=leave), log)
    made.joined = made.established = True
    log.members.append(made)
    return made


def test_a_message_is_pending_until_everybody_who_is_here_has_heard_it() -> None:
    async def whole() -> None:
        log = made_up_log()
        ana, bia, caio = (member(log, conn) for conn in (1, 2, 3))
        token = await ana.say("hello")
        assert log.unheard() == {token: {2, 3}}
        bia.bytes_came(f"{token}\n".encode())
        assert log.unheard() == {token: {3}}
        caio.left = "reset"  # whoever is gone need not hear it
        assert log.unheard() == {}
        assert await log.settled()
        assert [type(r) for r in log.records if isinstance(r, Said | Heard)] == [Said, Heard]

    asyncio.run(whole())


def test_what_was_not_heard_in_time_leaves_a_witness() -> None:
    async def whole() -> None:
        log = made_up_log()
        ana, _ = member(log, 1), member(log, 2)
        await ana.say("hello")
        assert not await log.settled(2.0)
        witness = next(r for r in log.records if isinstance(r, Awaited))
        assert (witness.what, witness.came, witness.deadline_s) == ("delivery", False, 2.0)

    asyncio.run(whole())


def test_one_who_is_not_established_or_does_not_count_is_nobodys_audience() -> None:
    async def whole() -> None:
        log = made_up_log()
        ana, bia, caio = (member(log, conn) for conn in (1, 2, 3))
        bia.established, caio.counted = False, False
        assert log.audience(ana) == ()
        assert log.audience(caio) == ()
        bia.established = True
        assert log.audience(ana) == (2,)

    asyncio.run(whole())


def test_a_flood_does_not_fill_the_history() -> None:
    async def whole() -> None:
        log = made_up_log()
        ana = member(log, 1)
        ana.bytes_came(b"noise\n" * 5000)
        assert len(log.records) < 500

    asyncio.run(whole())
