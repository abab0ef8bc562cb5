"""How many scenarios run side by side: as many as keep the processors at work, and no more.

A scenario mostly waits (for a server that does not answer, for deadlines, for rest), so far more of them than
processors can run at the same time; how many more depends on the server. A run begins with a few for each processor,
adds some while the machine is idle and its timers are on time, and takes them back as soon as they are not. Verdicts
do not depend on it: deadlines count calm time (see `harness.client.clock`).
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

#: Scenarios for each processor at the beginning, and at most.
FIRST_PER_CORE = 8
MOST_PER_CORE = 32
#: How many are added or taken back at a time, for each processor.
STEP_PER_CORE = 1
#: The machine is looked at so often, in seconds.
LOOK_S = 0.4
#: Idle: the processors had nothing to do for this part of the time; busy: for less than that part.
IDLE, BUSY = 0.18, 0.06
#: Timers of the last plays must not have been later than this, in seconds.
ON_TIME_S = 0.05
#: No more are added when less of the memory than this is left.
SPARE_MEMORY = 0.25


class Machine(NamedTuple):
    """One look: seconds of processor time since boot, idle and in all, over all processors; the memory left, 0 to 1."""

    idle_s: float
    total_s: float
    memory: float


class Pace:
    """`jobs` says how many may run now; `look` and `over` let it learn. `fixed`: that many, whatever comes."""

    def __init__(
        self, fixed: int | None, machine: Callable[[], Machine] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        cores = usable_cores()
        self.jobs = fixed or FIRST_PER_CORE * cores
        self._least, self._most = (fixed, fixed) if fixed else (self.jobs, MOST_PER_CORE * cores)
        self._step = STEP_PER_CORE * cores
        self._machine, self._clock = machine or look_at_machine, clock
        self._seen, self._seen_s = self._machine(), clock()
        self._lags: deque[float] = deque(maxlen=8)

    def over(self, lag_p99_s: float) -> None:
        """A play is over; its own timers were so late, in seconds."""
        self._lags.append(lag_p99_s)

    def look(self) -> None:
        """Look at the machine, if it is time; change `jobs` by one step."""
        now = self._clock()
        if self._least == self._most or now - self._seen_s < LOOK_S:
            return
        seen, before = self._machine(), self._seen
        self._seen, self._seen_s = seen, now
        passed = seen.total_s - before.total_s
        idle = (seen.idle_s - before.idle_s) / passed if passed > 0 else 0.0
        on_time = not self._lags or sorted(self._lags)[len(self._lags) // 2] < ON_TIME_S
        if idle > IDLE and on_time and seen.memory > SPARE_MEMORY:
            self.jobs = min(self._most, self.jobs + self._step)
        elif idle < BUSY or not on_time or seen.memory < SPARE_MEMORY / 2:
            self.jobs = max(self._least, self.jobs - self._step)


def look_at_machine() -> Machine:
    """What the kernel counts."""
    times, memory = psutil.cpu_times(), psutil.virtual_memory()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return Machine(idle, sum(times[:8]), memory.available / memory.total)


def usable_cores() -> int:
    """Processors that this process may use: its affinity, and the quota of its control group (cgroup v2, cpu.max)."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return max(1, cores)
