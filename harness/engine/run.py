"""A run: the quiet runs first, then the scenarios side by side, failures seen again, findings, an exit status.

Everything that happens is told as an event; the reports listen. Nothing here reads or writes a file of a report.
"""

from __future__ import annotations

import datetime
import gc
import os
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import harness
from harness import toxiproxy
from harness.dialect.profile import Profile
from harness.engine.baseline import ENDS_WHEN_EMPTY, Learned, learn, misled
from harness.engine.choosing import of_another_manner, unmet
from harness.engine.concluding import conclude, files_that_show, verdict
from harness.engine.folders import run_folder
from harness.engine.interrupting import Interrupted, Signals
from harness.engine.options import Options
from harness.engine.pace import Pace
from harness.engine.play import NOT_STARTED, Attempt, limit_s, play
from harness.engine.remembered import forget, recall, remember
from harness.engine.starting import Way, way
from harness.engine.workers import Done, Workers
from harness.events import (
    BaselineDone,
    BaselineFailed,
    Event,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    Warned,
)
from harness.evidence.repro import writing
from harness.findings import group, probable_causes
from harness.history import Baseline
from harness.language import Language
from harness.registry import Scenario
from harness.results import Environment, Outcome, RunResult, ScenarioResult, TargetInfo
from harness.target import TargetError, build, sandbox, sockets

#: A worker may take so long beyond its scenario's own limit to start a server and to clean up, in seconds.
AROUND_S = 45.0
#: The quiet runs may take so long, a slow virtual machine's start included, in seconds.
BASELINE_S = 150.0
#: A failure whose every shape was seen in so many scenarios each time is seen again once only: it is no race.
WELL_KNOWN = 3
#: A leak of these, seen in these shapes in as many scenarios and one more, each on its fresh server, is taken as known.
LEAKS, GROWS = ("threads", "sockets"), ("grow-with-departures", "close-wait")
#: Their scenarios show soonest whether a leak grows with every departure: the others need not make it grow again.
LEAK_FAMILIES = ("disconnect",)
#: Their scenarios take longest, and begin early: a run must not end with waiting for a few of them alone.
LONG_FAMILIES = ("storm", "lifecycle", "refused", "latency")
OTHER_MANNER = "{count} scenarios are about servers whose messages end in another way, and are left out"

Emit = Callable[[Event], None]


@dataclass
class _Progress:
    """What is known of one scenario so far."""

    item: Scenario
    attempts: list[Attempt] = field(default_factory=list)
    started: int = 0
    running: int = 0
    queued: int = 0
    took_s: float = 0.0
    skip: str | None = None
    failure: str | None = None

    @property
    def begun(self) -> int:
        """Runs that are over, at work, or about to begin."""
        return self.started + self.queued

    @property
    def over(self) -> bool:
        """Whether no run is at work or about to begin."""
        return not self.running and not self.queued


class Run:
    """One run of the harness. `perform` gives the outcome; the events tell it as it happens.

    `learned`: what the quiet runs of an earlier run of the same server found; afterwards, what this one's did.
    """

    def __init__(
        self, options: Options, planned: Sequence[Scenario], emit: Emit, detect: Callable[[Options], Learned],
        learned: Learned | None = None,
    ) -> None:  # fmt: skip
        self.learned = learned
        self.options = options
        self.planned = list(planned)
        self._emit = emit
        self._detect = detect
        self._began = time.monotonic()
        self._started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._target = TargetInfo(
            options.spec.kind, options.spec.name if options.spec.kind == "remote" else None, options.spec.command_text, options.profile.to_json() if options.profile else None,
            toxiproxy_kind(options.toxiproxy),
        )  # fmt: skip
        self._pace = Pace(options.jobs)
        self._environment = Environment(os.cpu_count() or 1, False, jobs=self._pace.jobs)
        self._results: dict[str, ScenarioResult] = {}
        self._kernel: dict[str, int] = {}
        self._lags: list[float] = []
        self._shapes: dict[str, int] = {}
        self._grown: dict[str, set[str]] = {}  # by the property: the scenarios in which a leak was seen to grow
        self._lost: str | None = None  # why nothing can be asked of somebody else's server any more
        self._isolated = False
        self._uncaptured = False
        self._most_jobs = self._pace.jobs

    def at(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def perform(self) -> RunResult:
        """The whole run. Never raises for what the server or the user does; an interruption ends it in order."""
        with Signals() as signals:
            self._emit(
                RunStarted(
                    self.at(), self._started, self.options.seed, harness.__version__, self._target, self._environment,
                    tuple(s.id for s in self.planned),
                )
            )  # fmt: skip
            try:
                result = self._performed(signals)
            except Interrupted:
                result = self._result(exit_status=130, interrupted=True)
            self._emit(RunFinished(self.at(), result))
        return result

    def _performed(self, signals: Signals) -> RunResult:
        if self.learned is None:
            with Workers(1, signals.bell) as workers:
                self.learned = self._learn(workers, signals)
        learned = self.learned
        if learned.baseline is None or learned.profile is None:
            return self._baseline_failed(learned)
        self._baseline_done(learned, learned.baseline, learned.profile)
        with Workers(self._pace.jobs, signals.bell) as workers:
            self._all(workers, signals, learned.baseline, learned.profile)
        return self._result()

    # -- the quiet runs ------------------------------------------------------------------------------------------

    def _learn(self, workers: Workers, signals: Signals) -> Learned:
        if self.options.spec.build is not None:
            made: Learned = self._one(workers, signals, "build", lambda: built(self.options))
            if made.failure is not None:
                return made
        if self.options.spec.kind != "command":
            return self._understood(workers, signals)
        found = self._one(workers, signals, "start", lambda: way(self.options))
        if not isinstance(found, Way):
            return Learned(failure=found.failure, start_error=True)
        learned = found.learned
        for spec in found.specs if learned is None else ():
            self.options = replace(self.options, spec=spec)
            other = self._understood(workers, signals)
            if other.baseline is not None:
                for told in found.told:
                    self._emit(Warned(self.at(), told))
                return other
            learned = learned or other
        assert learned is not None
        return learned

    def _understood(self, workers: Workers, signals: Signals) -> Learned:
        """The dialect, declared, remembered or found out, and the quiet runs in it."""
        profile = self.options.profile
        if profile is not None:
            return self._quiet(workers, signals, profile)
        known = recall(self.options.spec) if self.options.cache else None
        if known is not None:
            learned = self._quiet(workers, signals, known)
            if (learned.baseline is not None and not misled(learned, self.options)) or learned.start_error:
                return learned
            forget(self.options.spec)  # it speaks otherwise now: found out anew
        found: Learned = self._one(workers, signals, "dialect", lambda: self._detect(self.options))
        if found.profile is None:
            return found
        speaks = found.profile
        learned = self._quiet(workers, signals, speaks)
        if misled(learned, self.options):
            speaks = speaks.model_copy(update={"leave": None})
            learned = self._quiet(workers, signals, speaks)
        if learned.baseline is None:
            return replace(learned, profile=speaks)  # two have heard each other in it: it is no matter of words
        if self.options.cache:
            remember(self.options.spec, speaks)
        return learned

    def _quiet(self, workers: Workers, signals: Signals, profile: Profile) -> Learned:
        """The quiet runs; what is declared goes on top of what was found."""
        spoken = profile if profile is self.options.profile else profile.model_copy(update=dict(self.options.overrides))
        quiet: Learned = self._one(workers, signals, "baseline", lambda: learn(self.options, spoken))
        return quiet

    def _one(self, workers: Workers, signals: Signals, key: str, work: Callable[[], Any]) -> Any:
        workers.start(key, work, BASELINE_S)
        warm()
        while True:
            signals.look()
            for done in workers.wait():
                return (
                    done.value if done.failure is None else Learned(failure=f"{key}: {done.failure}", start_error=True)
                )

    def _baseline_done(self, learned: Learned, baseline: Baseline, profile: Profile) -> None:
        self._isolated = learned.isolated
        if self._alone():
            self._pace = Pace(1)
            self._most_jobs = 1
        if self._alone() and learned.address is not None and self.options.spec.kind == "command":
            self.options = replace(self.options, held_port=int(learned.address.rpartition(":")[2]))
        if self.options.spec.kind == "remote" and learned.address is not None:
            host, _, port = learned.address.rpartition(":")
            self.options = replace(
                self.options, knocks=False, spec=replace(self.options.spec, connect=(host, int(port)))
            )
        limits = {key: round(value, 4) for key, value in asdict(baseline.deadlines).items()}
        self._target = replace(
            self._target, address=learned.address, dialect=profile.to_json(),
            quiet_rtt_ms=round(baseline.deadlines.quiet_rtt_s * 1000, 3),
        )  # fmt: skip
        self._environment = replace(
            self._environment, namespaces=learned.isolated, deadlines=limits, jobs=self._pace.jobs
        )
        other = of_another_manner(self.planned, profile, self.options.named)
        self.planned = [item for item in self.planned if item not in other]
        left_out = tuple(item.id for item in other)
        self._emit(BaselineDone(self.at(), self._target, self._environment, learned.told, left_out))
        if other:
            self._emit(Warned(self.at(), OTHER_MANNER.format(count=len(other))))
        if profile.max_clients is not None:
            told = (
                f"the server takes {profile.max_clients} clients at the same time: scenarios that need more are skipped"
            )
            self._emit(Warned(self.at(), told))
        for limit in learned.limits:
            self._emit(Warned(self.at(), limit))
        if baseline.ends_when_empty:
            self._emit(Warned(self.at(), ENDS_WHEN_EMPTY))
        if not learned.isolated and self.options.isolates:
            self._emit(Warned(self.at(), "no network namespace here: `harness doctor` says why; everything else works"))

    def _baseline_failed(self, learned: Learned) -> RunResult:
        reason = learned.failure or "the server could not be understood"
        known = learned.profile is not None or self.options.profile is not None
        wrong_use = learned.start_error or not known
        self._target = replace(self._target, address=learned.address or self._target.address)
        self._emit(BaselineFailed(self.at(), reason, learned.transcript, wrong_use))
        return self._result(exit_status=2 if wrong_use else 1, reason=reason, transcript=learned.transcript)

    def _alone(self) -> bool:
        """Without namespaces a server with a fixed port runs alone; somebody else's server too."""
        return self.options.spec.kind == "remote" or (self.options.spec.fixed_port and not self._isolated)

    # -- the scenarios -------------------------------------------------------------------------------------------

    def _all(self, workers: Workers, signals: Signals, baseline: Baseline, profile: Profile) -> None:
        waiting = deque(_Progress(item) for item in ordered(self.planned))
        running: dict[str, tuple[_Progress, int]] = {}
        capabilities = toxiproxy.capabilities(self.options.toxiproxy)
        failures = 0
        while waiting or workers.busy:
            signals.look()
            self._pace.look()
            workers.jobs = self._pace.jobs
            self._most_jobs = max(self._most_jobs, workers.jobs)
            while waiting and workers.free:
                progress = self._next(waiting, running)
                if progress is None:
                    break
                if progress.started == 0:
                    progress.skip = (
                        unmet(progress.item, self.options, profile, baseline, capabilities)
                        or self._not_reached(progress.item)
                        or self._lost
                    )
                    if progress.skip is not None:
                        self._conclude(progress)
                        continue
                key = self._start(workers, progress, profile, baseline)
                running[key] = (progress, progress.started)
            for done in workers.wait():
                progress, number = running.pop(done.key)
                self._take(progress, number, done)
                missing = self._wanted(progress) - progress.begun
                progress.queued += max(0, missing)
                waiting.extendleft([progress] * missing)
                if progress.over:
                    failures += self._conclude(progress) == "fail"
            if self.options.max_failures is not None and failures >= self.options.max_failures:
                self._emit(Warned(self.at(), f"stopped after {failures} failures, as asked"))
                return

    def _next(self, waiting: deque[_Progress], running: Mapping[str, tuple[_Progress, int]]) -> _Progress | None:
        """The next whose foundations are laid; those that build upon one that is still at work come later."""
        planned = {p.item.id for p in waiting} | {p.item.id for p, _ in running.values()}
        for number, progress in enumerate(waiting):
            if not any(base in planned for base in progress.item.after):
                del waiting[number]
                return progress
        return None

    def _not_reached(self, item: Scenario) -> str | None:
        broken = [base for base in item.after if base in self._results and self._results[base].outcome == "fail"]
        return f"not reached: {broken[0]}" if broken else None

    def _start(self, workers: Workers, progress: _Progress, profile: Profile, baseline: Baseline) -> str:
        """Begin the next run of a scenario; the key under which it will be done."""
        item, options = progress.item, self.options
        leaks = self._known_leaks()
        seed = zlib.crc32(f"{options.seed}:{item.id}".encode())
        progress.started += 1
        progress.running += 1
        progress.queued -= progress.started > 1
        folder = run_folder(options.out, item.id, progress.started)
        key = f"{item.id}, run {progress.started}"
        again = any(attempt.failed for attempt in progress.attempts)
        shown = frozenset(files_that_show(progress.attempts))
        self._emit(ScenarioStarted(self.at(), item.id, progress.started))
        workers.start(
            key, lambda: play(item, options, profile, baseline, seed, folder, leaks, again=again, shown=shown),
            limit_s(item, options, baseline) + AROUND_S + (sockets.TIME_WAIT_S if options.held_port else 0.0),
        )  # fmt: skip
        return key

    def _known_leaks(self) -> frozenset[str]:
        """What was seen to grow on the fresh servers of several scenarios: it need not be seen to grow again."""
        return frozenset(prop for prop, where in self._grown.items() if len(where) > WELL_KNOWN)

    def _take(self, progress: _Progress, number: int, done: Done) -> None:
        """Take one run's outcome."""
        progress.running -= 1
        progress.took_s += done.duration_s
        if done.failure is not None:
            progress.failure = done.failure
            return
        attempt: Attempt = replace(done.value, number=number)
        progress.attempts.append(attempt)
        for judgement in attempt.judgements:
            if judgement.outcome == "fail" and judgement.id in LEAKS and judgement.shape in GROWS:
                self._grown.setdefault(judgement.id, set()).add(progress.item.id)
        if self.options.spec.kind == "remote" and (attempt.failed or attempt.error):
            self.options = replace(self.options, knocks=True)  # is it still there? it may have ended
            if attempt.error and attempt.error.startswith(NOT_STARTED) and self._lost is None:
                self._lost = f"the server does not answer any more, since {progress.item.id}"
        progress.attempts.sort(key=lambda a: a.number)
        if attempt.uncaptured and self.options.capture == "on" and not self._uncaptured:
            self._uncaptured = True
            self._emit(Warned(self.at(), f"no packets are captured: {attempt.uncaptured}"))
        self._lags.append(attempt.lag_p99_s)
        self._pace.over(attempt.lag_p99_s)
        for key, value in attempt.kernel.items():
            self._kernel[key] = self._kernel.get(key, 0) + value

    def _wanted(self, progress: _Progress) -> int:
        """How many runs this scenario needs, as far as is known now. A failure is seen again, side by side."""
        if progress.failure is not None:
            return 0
        if any(a.failed for a in progress.attempts):
            return 1 + self._confirmations(progress)
        trouble = any(a.error is not None for a in progress.attempts)  # the harness's own: once more, then it is told
        return max(2 if trouble else 1, self.options.repeat)

    def _confirmations(self, progress: _Progress) -> int:
        """How often this failure is seen again."""
        shapes = {j.fingerprint for a in progress.attempts for j in a.judgements if j.outcome == "fail"}
        known = all(self._shapes.get(str(shape), 0) >= WELL_KNOWN for shape in shapes)
        return min(1, self.options.confirm) if known else max(self.options.confirm, self.options.repeat - 1)

    def _conclude(self, progress: _Progress) -> Outcome:
        result = conclude(
            progress.item, progress.attempts, progress.took_s, progress.skip, progress.failure, self.options
        )
        if result.outcome == "fail" and not result.intermittent:
            for shape in {j.fingerprint for j in result.of("fail")}:
                self._shapes[str(shape)] = self._shapes.get(str(shape), 0) + 1
        self._results[result.id] = result
        self._emit(ScenarioFinished(self.at(), result))
        return result.outcome

    # -- the outcome ---------------------------------------------------------------------------------------------

    def _result(
        self, *, exit_status: int | None = None, interrupted: bool = False, reason: str | None = None,
        transcript: str | None = None,
    ) -> RunResult:  # fmt: skip
        results = tuple(self._results[s.id] for s in self.planned if s.id in self._results)
        lag = round(1000 * sorted(self._lags)[int(len(self._lags) * 0.99)], 2) if self._lags else None
        known = self.options.known.sort(results) if self.options.known else None
        if exit_status is None:
            exit_status, reason = verdict(results, self.options.strict, known)
        return RunResult(
            harness.__version__, self._started, self.at(), self.options.seed, interrupted, self._target,
            replace(self._environment, timer_lag_ms_p99=lag, kernel=dict(self._kernel), jobs=self._most_jobs), exit_status, results,
            group(results, self.options.lang), reason, transcript, known, len(self.planned),
            probable_causes(results, self.options.lang),
        )  # fmt: skip


def warm() -> None:
    """Import what the plays will need, once, before they are forked: done while a quiet run is waited for."""
    import hypothesis  # noqa: F401  # payloads are drawn with it

    Language.of("pt-BR").sentence("")  # its patterns are compiled
    writing.ready()
    gc.freeze()


def built(options: Options) -> Learned:
    """The build command, once. To be called in a forked worker: whatever it leaves running ends with it."""
    sandbox.enter(namespaces=False)
    try:
        build(options.spec)
    except TargetError as error:
        return Learned(failure=str(error), transcript=error.output, start_error=True)
    return Learned()


def ordered(items: Sequence[Scenario]) -> list[Scenario]:
    """The documented tests first, then those that others build upon, the departures, those that take long, the rest."""
    bases = {base for item in items for base in item.after}

    def rank(family: str) -> int:
        return 0 if family in LEAK_FAMILIES else 1 if family in LONG_FAMILIES else 2

    return sorted(items, key=lambda s: (s.documented or 9, s.id not in bases, rank(s.family)))


def toxiproxy_kind(choice: str) -> Literal["embedded", "installed", "remote"]:
    """embedded, installed, or remote for a URL."""
    if choice == "embedded":
        return "embedded"
    return "installed" if choice == "installed" else "remote"
