"""How many scenarios run side by side, on machines that are made up."""

from __future__ import annotations

from harness.engine.pace import (
    BUSY,
    FIRST_PER_CORE,
    IDLE,
    LOOK_S,
    MOST_PER_CORE,
    Machine,
    Pace,
    look_at_machine,
    usable_cores,
)


class Made:
    """A machine whose idleness and memory are set by hand, and its clock."""

    def __init__(self) -> None:
        self.now = self.idle_s = self.total_s = 0.0
        self.memory = 0.9

    def machine(self) -> Machine:
        return Machine(self.idle_s, self.total_s, self.memory)

    def clock(self) -> float:
        return self.now

    def pass_time(self, idle: float) -> None:
        self.now += LOOK_S
        self.total_s += LOOK_S
        self.idle_s += LOOK_S * idle

    def pace(self, fixed: int | None = None) -> Pace:
        return Pace(fixed, self.machine, self.clock)


def looked(pace: Pace, made: Made, idle: float, times: int) -> int:
    for _ in range(times):
        made.pass_time(idle)
        pace.look()
    return pace.jobs


def test_an_idle_machine_gets_more_up_to_the_most() -> None:
    made = Made()
    pace = made.pace()
    assert pace.jobs == FIRST_PER_CORE * usable_cores()
    assert looked(pace, made, idle=0.8, times=3) > FIRST_PER_CORE * usable_cores()
    assert looked(pace, made, idle=0.8, times=100) == MOST_PER_CORE * usable_cores()


def test_a_busy_machine_keeps_the_first_number_and_goes_back_to_it() -> None:
    made = Made()
    pace = made.pace()
    assert looked(pace, made, idle=0.0, times=20) == FIRST_PER_CORE * usable_cores()
    looked(pace, made, idle=0.9, times=10)
    assert looked(pace, made, idle=0.0, times=50) == FIRST_PER_CORE * usable_cores()


def test_in_between_nothing_changes() -> None:
    made = Made()
    pace = made.pace()
    more = looked(pace, made, idle=0.9, times=2)
    assert looked(pace, made, idle=(IDLE + BUSY) / 2, times=20) == more


def test_late_timers_are_taken_for_a_busy_machine() -> None:
    made = Made()
    pace = made.pace()
    for _ in range(8):
        pace.over(0.4)
    assert looked(pace, made, idle=0.9, times=5) == FIRST_PER_CORE * usable_cores()
    for _ in range(8):
        pace.over(0.001)
    assert looked(pace, made, idle=0.9, times=5) > FIRST_PER_CORE * usable_cores()


def test_no_more_are_added_when_memory_is_short() -> None:
    made = Made()
    made.memory = 0.2
    assert looked(made.pace(), made, idle=0.9, times=5) == FIRST_PER_CORE * usable_cores()


def test_a_number_that_was_asked_for_stays() -> None:
    made = Made()
    assert looked(made.pace(3), made, idle=1.0, times=50) == 3
    assert looked(made.pace(3), made, idle=0.0, times=50) == 3


def test_the_real_machine_is_read() -> None:
    first, second = look_at_machine(), look_at_machine()
    assert 0 <= first.idle_s <= first.total_s <= second.total_s
    assert 0 < first.memory <= 1
    assert usable_cores() >= 1
