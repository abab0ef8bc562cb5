"""The stage: the server's process during one scenario, and everything that is done to it, written into the history."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.client.log import Log
from harness.client.member import Member
from harness.client.patience import Processor
from harness.client.wire import Wire
from harness.history import Deadlines, Output, Sample, ServerEvent
from harness.target import RemoteServer, Server, ServerSpec, TargetError

#: Over how long processor time is measured, in seconds: first a short look, and a longer one where that was busy.
IDLE_LOOKS_S = (0.25, 0.8, 0.8)
#: Busy is more than this part of one processor.
BUSY = 0.25
#: Of what the server printed, from the beginning and from the end, in characters.
OUTPUT = 64 << 10


@dataclass
class Plan:
    """How this scenario's server is started."""

    spec: ServerSpec
    deadlines: Deadlines
    log_path: Path | None = None
    extra_args: tuple[str, ...] = ()
    port: int | None = None
    wait_s: float = 10.0  # how long a remote server may take to answer
    knocks: bool = True  # a remote server is knocked at first: a connection that comes and goes
    isolated: bool = False  # in a network namespace of its own: the port can be had at once
    restarts: bool = False  # it is started again on its port, which is part of what is judged


@dataclass
class Stage:
    """The server under test: started, watched, stopped, killed, frozen, started again."""

    plan: Plan
    log: Log
    server: Server | RemoteServer | None = None
    frozen: bool = False
    asked_to_end: bool = False
    earlier_output: list[tuple[float, str]] = field(default_factory=list)
    #: Called before the process is told to end.
    before_the_stop: Callable[[], Awaitable[None]] | None = None
    _dead_noted: bool = False
    _descriptors: int | None = None  # the limit of open files that it was started with

    @property
    def remote(self) -> bool:
        """Somebody else runs the server: nothing can be done to its process."""
        return self.plan.spec.kind == "remote"

    @property
    def process(self) -> Server:
        """The process. Raises RuntimeError for a remote server or before the start."""
        if not isinstance(self.server, Server):
            raise RuntimeError("there is no process of ours here")
        return self.server

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens."""
        assert self.server is not None
        return self.server.address

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self, *, port: int | None = None) -> None:
        """Start it and wait until it listens. Raises TargetError."""
        began, spec = self.log.now(), self.plan.spec
        Wire.spares_port = not (self.remote or self.plan.isolated or self.plan.restarts) and spec.fixed_port
        if self.remote:
            self.server = RemoteServer(self.plan.spec)
            if self.plan.knocks:
                await self.server.wait_until_listening(self.plan.wait_s)
            else:
                await self.server.look_up()
        else:
            self.server = await Server.start(
                self.plan.spec, port=port or self.plan.port, deadline_s=self.plan.deadlines.start_s, clock=self.log.now,
                log_path=self.plan.log_path, extra_args=self.plan.extra_args,
            )  # fmt: skip
        self.asked_to_end = self._dead_noted = False
        self._event("ready", took_s=self.log.now() - began)

    async def start_again(self, deadline_s: float | None = None) -> bool:
        """Start it once more on the same port. False (with the reason in the history) when it does not come up."""
        port = self.address[1]
        self.keep_output()
        self.log.step("is started again on the same port", "server")
        try:
            await self.start(port=port)
        except TargetError as error:
            self._event("start-failed", detail=f"{error}\n{error.output[-600:]}".strip())
            return False
        return True

    async def stop(self, number: int | None = None) -> bool:
        """Ask it to end (SIGTERM, or the spec's own signal) and wait. False when it is still there at the deadline."""
        number = number or self.plan.spec.stop_signal
        if self.before_the_stop is not None:
            await self.before_the_stop()
        self.asked_to_end = True
        self._event("signal", detail=signal.Signals(number).name)
        self.log.step(f"is told to end ({signal.Signals(number).name})", "server")
        began = self.log.now()
        self.process.signal(number)
        ended = await self._wait_exit(self.plan.deadlines.stop_s)
        if ended:
            self._dead_noted = True
            self._event("exited", detail=str(self.process.exit_status()), took_s=self.log.now() - began)
        else:
            self._event("stuck", detail=signal.Signals(number).name, took_s=self.log.now() - began)
        return ended

    async def _wait_exit(self, deadline_s: float) -> bool:
        """In calm time: a starved machine stretches it."""
        end = self.log.clock.calm() + deadline_s
        while (left := end - self.log.clock.calm()) > 0:
            if await self.process.wait_exit(left):
                return True
        return False

    async def kill(self) -> None:
        """SIGKILL, the whole tree."""
        self.asked_to_end = True
        await self.process.kill()
        self._dead_noted = True
        self._event("killed", detail="SIGKILL")
        self.log.step("is killed (SIGKILL)", "server")

    def freeze(self) -> None:
        """SIGSTOP: the kernel goes on accepting connections, nobody answers them."""
        self.process.freeze()
        self.frozen = True
        self._event("frozen")
        self.log.step("is frozen (SIGSTOP)", "server")

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.thaw()
        self.frozen = False
        self._event("thawed")
        self.log.step("runs on (SIGCONT)", "server")

    def lower_descriptors(self, spare: int) -> bool:
        """Leave the running process only so many descriptors more than it has open now (prlimit(2)). False where it may
        not be done: the server has become another user."""
        limit = self.process.sample("limits").descriptors + spare
        try:
            before = self.process.limit_descriptors(limit)
        except PermissionError:
            return False
        self._descriptors = before if self._descriptors is None else self._descriptors
        self._event("limits", detail=f"{limit} descriptors")
        self.log.step(f"may open {spare} descriptors more (RLIMIT_NOFILE {limit})", "server")
        return True

    def lift_descriptors(self) -> None:
        """Give it back the limit it was started with."""
        if self._descriptors is not None:
            with contextlib.suppress(ProcessLookupError):  # it did not survive
                self.process.limit_descriptors(self._descriptors)
        self._event("limits-lifted")
        self.log.step("may open descriptors again", "server")

    async def end(self) -> None:
        """Whatever happened: nothing of it is left. The output goes into the history."""
        if isinstance(self.server, Server):
            self.note_death()
            self.keep_output()
            await self.server.kill()
        parts = self.earlier_output
        whole = "".join(text for _, text in parts)
        if len(whole) > 2 * OUTPUT:
            parts = [(self.log.now(), whole[:OUTPUT] + whole[-OUTPUT:])]
        for at_s, text in parts:
            self.log.add(Output(at_s=at_s, text=text))

    def keep_output(self) -> None:
        """Remember what the process has printed so far."""
        if isinstance(self.server, Server):
            _, dropped = self.server.output()
            self.earlier_output += self.server.printed()
            if dropped:
                self.earlier_output.append((self.log.now(), f"\n[{dropped} bytes dropped]\n"))

    # -- watching ------------------------------------------------------------------------------------------------

    def sample(self, label: str) -> Sample | None:
        """Look at the whole process tree; None for a remote server."""
        if not isinstance(self.server, Server):
            return None
        self.note_death()
        sample = self.server.sample(label)
        self.log.add(sample)
        return sample

    async def look_idle(self, label: str) -> None:
        """How much processor time it uses while nothing happens; looked at longer where it seems busy.

        Leaves the samples `label`-begin and `label`-end: one pair where it rests, three where it may be spinning. On a
        busy machine one that spins gets little of it, and waits for the rest.
        """
        for seconds in IDLE_LOOKS_S:
            first = self.sample(f"{label}-begin")
            await asyncio.sleep(seconds)  # the measurement itself
            second = self.sample(f"{label}-end")
            if first is None or second is None or not second.alive:
                return
            wanted = second.cpu_s - first.cpu_s + max(0.0, second.wait_s - first.wait_s)
            if wanted < BUSY * (second.at_s - first.at_s) / 2:
                return

    def alive(self) -> bool:
        """Whether it runs; True for a remote server, of which nothing is known."""
        return not isinstance(self.server, Server) or self.server.is_alive()

    def note_death(self) -> None:
        """Write down, once, that it ended without being asked."""
        if isinstance(self.server, Server) and not self._dead_noted and not self.server.is_alive():
            self._dead_noted = True
            self._event("exited", asked=self.asked_to_end, detail=str(self.server.exit_status()))

    def holds(self, *members: Member) -> bool | None:
        """Whether the server still keeps a connection of any of these; None where the kernel cannot be asked."""
        if not isinstance(self.server, Server):
            return None
        ports = {m.wire.local_port for m in members if m.wire is not None}
        peers = self.server.sample("looking").peers
        return any(port in ports and state in ("ESTABLISHED", "CLOSE_WAIT") for state, port in peers)

    def option(self, name: str) -> str | None:
        """The value of a server option that this scenario asked for and this server understands; else None."""
        args = self.plan.extra_args
        return args[args.index(f"--{name}") + 1] if f"--{name}" in args else None

    def processor(self) -> Processor | None:
        """How the processors served its threads so far; None if unknown."""
        if isinstance(self.server, RemoteServer):
            served = self.server.served_s()
            return Processor(*served) if served else None
        if self.server is None or not self.server.is_alive():
            return None
        return Processor(*self.server.served_s())

    def starved_s(self) -> float | None:
        """How long its threads have stood ready without a processor so far, in seconds; None if unknown."""
        served = self.processor()
        return served.waited_s if served else None

    def unread(self, member: Member) -> int | None:
        """Bytes of this member that the server has not read; None where the kernel cannot be asked."""
        if not isinstance(self.server, Server) or member.wire is None or member.identity.way == "proxy":
            return None
        return self.server.unread(member.wire.local_port)

    def _event(self, what: str, *, asked: bool = True, detail: str = "", took_s: float | None = None) -> None:
        self.log.add(ServerEvent(at_s=self.log.now(), what=what, asked=asked, detail=detail, took_s=took_s))
