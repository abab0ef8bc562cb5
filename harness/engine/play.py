"""A play: one run of one scenario, in a worker of its own, from the server's start to the judges' words."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from harness import toxiproxy
from harness.aftermath import aftermath, clear, phase
from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.trace import Trace
from harness.dialect.profile import Profile
from harness.engine.options import Options
from harness.engine.until_signal import run_until_signal
from harness.evidence.capture import Capture, Taken
from harness.evidence.doing import Witness, as_text
from harness.evidence.keeping import evidence
from harness.evidence.repro import BROKEN, Aim, Repros, repros
from harness.evidence.steps import Told, shortened
from harness.evidence.steps import steps as told_steps
from harness.findings.clues import clues
from harness.history import Baseline, Captured, History, Kernel, Lag, Note, Record, Skipped, as_json_lines
from harness.properties import judge
from harness.properties.scene import Scene
from harness.registry import Scenario
from harness.results import Clue, Judgement, StepResult
from harness.room import NotHere, Room, Setting
from harness.stage import Plan, Stage
from harness.target import Server, ServerSpec, TargetError, sandbox, sockets, sources
from harness.target.threads import Look

#: The beginning of a scenario's trouble when there was no server.
NOT_STARTED = "the server could not be started: "
#: The process is looked at so often during the fault, in seconds; after so many looks half as often, and so on.
WATCH_S, WATCHED = 0.25, 20
#: The harness was starved when its own timer was this late in the 99th of 100 cases; it blames nobody then.
STARVED_LAG_S = 1.0
#: Messages that one client says in a scenario, at most: where they are paced, the scenario takes so many times longer.
PACED = 40


@dataclass(frozen=True)
class Attempt:
    """What one run of a scenario came to. `error`: the harness could not judge; `skip`: it does not apply here."""

    judgements: tuple[Judgement, ...] = ()
    steps: tuple[StepResult, ...] = ()
    skip: str | None = None
    error: str | None = None
    lag_p99_s: float = 0.0
    kernel: dict[str, int] = field(default_factory=dict)
    address: str | None = None
    isolated: bool = False
    notes: tuple[str, ...] = ()
    #: The how manieth run of its scenario this was.
    number: int = 1
    #: Why no packets were captured, where that is so.
    uncaptured: str | None = None
    #: To the cause of what failed.
    clues: tuple[Clue, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a property failed."""
        return any(j.outcome == "fail" for j in self.judgements)


def play(
    item: Scenario,
    options: Options,
    profile: Profile,
    baseline: Baseline,
    seed: int,
    folder: Path | None,
    known_leaks: frozenset[str] = frozenset(),
    *,
    again: bool = False,
    shown: frozenset[str] = frozenset(),
) -> Attempt:
    """Run a scenario once. To be called in a forked worker: it changes the process for good.

    `known_leaks`: what other scenarios of this run have seen to grow, so that it need not be seen to grow again.
    `again`: an earlier run has failed and left its evidence; of this one the verdict is wanted, and a repro.py for what
    fails in it alone: `shown` are the properties whose failure an earlier run has left a file for.
    """
    isolated = sandbox.enter(namespaces=options.isolates)
    if options.held_port is not None and not isolated:
        sockets.await_free(options.held_port)
    before = sandbox.kernel_counters()
    proxy = toxiproxy.start(options.toxiproxy, seed=seed) if item.proxy else None
    capture = Capture(wanted=options.capture != "off")
    try:
        play_ = Play(item, options, profile, baseline, seed, folder, isolated, proxy, capture)
        play_.setting.known_leaks = known_leaks
        play_.again = again
        play_.shown = shown
        attempt = run_until_signal(play_.run)
    finally:
        if proxy is not None:
            proxy.close()
    after = sandbox.kernel_counters()
    try:
        return play_.judged(attempt, {key: after[key] - before.get(key, 0) for key in after})
    finally:
        capture.close()


def limit_s(item: Scenario, options: Options, baseline: Baseline) -> float:
    """How long a scenario may take, in seconds: longer where nobody may speak faster than so."""
    return min(item.timeout_s, options.timeout_s) + PACED * (baseline.pace_s or 0.0)


class Play:
    """The parts of one run, and its order."""

    def __init__(
        self, item: Scenario, options: Options, profile: Profile, baseline: Baseline, seed: int, folder: Path | None,
        isolated: bool, proxy: toxiproxy.Toxiproxy | None, capture: Capture,
    ) -> None:  # fmt: skip
        self.item = item
        self.options = options
        self.baseline = baseline
        self.folder = folder
        self.isolated = isolated
        self.clock = Clock()
        self.capture = capture
        self.setting = Setting(
            profile,
            baseline,
            seed,
            options.storm,
            min(options.max_clients, profile.max_clients or options.max_clients),
            proxy,
            limit_s=limit_s(item, options, baseline),
            watch_port=capture.watch,
        )
        self.records: list[Record] = []
        self.looks: list[Look] = []
        self.again = False
        self.shown: frozenset[str] = frozenset()
        self.trace = Trace()
        self.log: Log | None = None
        self.address: str | None = None

    async def run(self) -> str | None:
        """Everything that happens; the harness's own trouble as a sentence, or None."""
        stage: Stage | None = None
        log = Log(self.clock, lambda: stage.processor() if stage else None)
        log.reply_deadline_s = self.baseline.deadlines.reply_s
        log.login_s = self.baseline.deadlines.login_s
        self.log = log
        log.pace_s = self.baseline.pace_s or 0.0
        self.records = log.records
        self.trace = log.trace
        stage = Stage(self._plan(), log)
        witness = Witness(stage, log, idle=self.again)
        self.looks = witness.looks
        room = Room(self.setting, stage, log, self.clock)
        self.clock.start()
        try:
            async with asyncio.timeout(self.setting.limit_s):
                return await self._through(stage, room)
        except TimeoutError:
            await witness.before_the_stop()
            return f"the scenario did not end within {self.setting.limit_s:.0f} s"
        finally:
            await clear(room)
            await witness.settled()
            await stage.end()
            await self.clock.stop()

    def _plan(self) -> Plan:
        extra = [
            f"--{key}" if dash else value for key, value in self.item.server_options.items() for dash in (True, False)
        ]
        understood = self.options.spec.kind == "builtin" and self.options.spec.name == "reference"
        return Plan(
            self.options.spec, self.baseline.deadlines, self.folder / "server.log" if self.folder else None,
            tuple(extra) if understood else (), wait_s=self.options.wait_s,
            knocks=self.options.knocks, isolated=self.isolated, restarts="restarts" in self.item.aims,
        )  # fmt: skip

    async def _through(self, stage: Stage, room: Room) -> str | None:
        phase(room, "setup")
        try:
            await stage.start()
        except TargetError as error:
            return f"{NOT_STARTED}{error}"
        self.address = "{}:{}".format(*stage.address)
        self.capture.watch(stage.address[1])
        stage.sample("ready")
        await steady(stage)
        try:
            phase(room, "fault")
            async with watched(stage):
                await self.item.body(room, **self.item.arguments)
            with contextlib.suppress(NotHere):
                await aftermath(room, self.item)
        except NotHere:
            return None
        return None

    def judged(self, trouble: str | None, kernel: dict[str, int]) -> Attempt:
        """The judges' words about what was written down."""
        trouble = trouble or self._lost()
        p99, worst = self.clock.lag()
        end = self.records[-1].at_s if self.records else 0.0
        taken = self._taken(end)
        self.records.append(Lag(at_s=end, p99_s=p99, worst_s=worst))
        self.records.append(Kernel(at_s=end, deltas=kernel))
        history = History(self.item.id, self.baseline, tuple(self.records), self.item.aims, self.setting.known_leaks)
        reason = next((r.reason for r in history.of(Skipped)), None)
        judgements = () if trouble or reason else tuple(j for j in judge(history) if self.options.judges(j.id))
        if p99 > STARVED_LAG_S and any(j.outcome == "fail" for j in judgements):
            trouble = f"this machine was too busy to blame the server: the harness's own timers were {p99:.1f} s late"
            judgements = ()
        told = self._told(history)
        judgements = self._keep(history, judgements, taken, told)
        steps = tuple(StepResult(step.at_s, step.did, step.who) for step in shortened(told))
        notes = tuple(dict.fromkeys(note.text for note in history.of(Note)))
        uncaptured = next((r.why for r in history.of(Captured) if r.why), None)
        return Attempt(
            judgements, steps, reason, trouble, p99, kernel, self.address, self.isolated, notes, uncaptured=uncaptured,
            clues=self._clues(history, judgements),
        )  # fmt: skip

    def _told(self, history: History) -> tuple[Told, ...]:
        """The story, step by step. It must not cost a verdict."""
        try:
            return told_steps(Scene(history), self.trace.sends)
        except Exception as error:
            sys.stderr.write(f"harness: {self.item.id}: its steps could not be told: {type(error).__name__}: {error}\n")
            return ()

    def _lost(self) -> str | None:
        """Why nothing can be judged where the history was too small for what happened; None where it was not."""
        if self.log is None or not self.log.dropped:
            return None
        return (
            f"more happened than a history holds: {self.log.dropped} records since {self.log.dropped_s:.2f} s were not kept, "
            "and nothing is judged without them (a smaller --storm makes fewer)"
        )

    def _clues(self, history: History, judgements: tuple[Judgement, ...]) -> tuple[Clue, ...]:
        """What a run that failed shows of the cause: a hint, which must not cost a verdict."""
        if self.again or not any(j.outcome == "fail" for j in judgements):
            return ()
        try:
            return clues(history, sources.finder(self.options.spec), self.looks)
        except Exception as error:
            sys.stderr.write(f"harness: {self.item.id}: no cause was looked for: {type(error).__name__}: {error}\n")
            return ()

    def _taken(self, end_s: float) -> Taken | None:
        """Put what was captured into the history. A capture that breaks is a reason, and no more."""
        try:
            taken = self.capture.taken(self.records, self.clock.began_s)
            self.records.extend(self.capture.records(taken, end_s))
        except Exception as error:  # evidence beside the verdict: it must not cost one
            self.records.append(Captured(at_s=end_s, why=f"the capture broke: {type(error).__name__}: {error}"))
            return None
        return taken

    def _keep(
        self, history: History, judgements: tuple[Judgement, ...], taken: Taken | None, told: tuple[Told, ...]
    ) -> tuple[Judgement, ...]:
        """Write the evidence; the judgements, with what shows them."""
        if self.folder is None:
            return judgements
        wanted = self.options.capture == "on" or self.item.documented is not None
        files: dict[str, bytes | str] = {"history.jsonl": as_json_lines(history.records)}
        trouble = None
        failed = tuple(j for j in judgements if j.outcome == "fail" and j.id not in self.shown)
        if wanted or (failed and not self.again):
            pictures, trouble = evidence(history, judgements, taken, told)
            files |= pictures
            if self.looks:
                files["state.txt"] = as_text(self.looks)
        if failed:
            made = self._repros(history, failed)
            files |= made.files
            trouble = trouble or made.trouble
            judgements = made.told(judgements)
        try:
            for name, content in files.items():
                (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        except OSError as error:
            trouble = f"the evidence could not be written: {error.strerror}"
        if trouble is not None:
            sys.stderr.write(f"harness: {self.item.id}: {trouble}\n")
        return judgements

    def _repros(self, history: History, judgements: tuple[Judgement, ...]) -> Repros:
        """What shows the failures without the harness. Evidence beside the verdict: it must not cost one."""
        again = f"harness run {shlex.quote(self.item.id)} --seed {self.options.seed} {target_option(self.options.spec)}"
        aim = Aim(self.options.spec, self.address, again)
        try:
            return repros(history, judgements, self.trace.sends, self.setting.profile, aim, self.item.story)
        except Exception as error:
            reasons = {judgement.id: BROKEN for judgement in judgements}
            return Repros(reasons=reasons, trouble=f"no repro.py could be made: {type(error).__name__}: {error}")


@contextlib.asynccontextmanager
async def watched(stage: Stage) -> AsyncIterator[None]:
    """Look at the server's process now and then, for the plots: no judge asks for these samples."""

    async def watch() -> None:
        pause_s = WATCH_S
        while True:
            for _ in range(WATCHED):
                await asyncio.sleep(pause_s)  # the pace of the looks
                if isinstance(stage.server, Server):
                    sample = stage.server.sample("during")
                    if sample.alive:
                        stage.log.add(sample)
            pause_s *= 2

    task = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):  # evidence beside the verdict
            await task


def target_option(spec: ServerSpec) -> str:
    """What a command line says of the server that was tested: `--server …` or `--connect …`, quoted for a shell."""
    if spec.connect is not None:
        host, port = spec.connect
        return f"--connect {shlex.quote(f'[{host}]:{port}' if ':' in host else f'{host}:{port}')}"
    return f"--server {shlex.quote(spec.name if spec.kind == 'builtin' else spec.command_text or '')}"


async def steady(stage: Stage) -> None:
    """Wait until the fresh process has stopped starting threads; then take the level of rest, `before`."""
    last = -1
    for _ in range(20):
        sample = stage.process.sample("starting") if not stage.remote else None
        if sample is None or sample.threads == last:
            break
        last = sample.threads
        await asyncio.sleep(0.02)  # between two looks at a process that starts its threads
    stage.sample("before")
