"""The server under test as a process of ours: started, its port found, its tree watched, and gone afterwards.

It is ready when a listening socket exists in its process tree, which the kernel's socket table tells; a connection made
to find out would itself be a fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.history import Sample
from harness.target import sandbox, sockets, sources, terminal, threads, tree, trouble
from harness.target.output import Drain
from harness.target.spec import TAIL, ServerSpec, TargetError, not_found

#: How often it is looked whether the server listens, from the first look on, in seconds.
FIRST_LOOK_S, LAST_LOOK_S = 0.002, 0.02
#: A port of ours that somebody else took first: start again so often.
RETRIES = 2
#: SIGKILL takes effect within this time, or the kernel is at fault.
KILL_S = 3.0
#: It reads its standard input, all its threads asleep, for so long before it listens: it asks for something, in seconds.
ASKS_S = 1.0
#: How often that is looked at, in seconds.
ASKS_LOOK_S = 0.1


class Server:
    """One started server. Made by `start`."""

    def __init__(
        self, spec: ServerSpec, process: subprocess.Popen[bytes], mark: str, clock: Callable[[], float], drain: Drain
    ) -> None:
        self.spec = spec
        self.pid = process.pid
        self.listener_pid = process.pid
        self.address: tuple[str, int] = ("127.0.0.1", 0)
        self.asked = 0  # the port that it was told to take
        self.listening: tuple[tuple[str, int], ...] = ()
        self.startup_s = 0.0
        self._process = process
        self._mark = mark
        self._clock = clock
        self._drain = drain

    @property
    def port(self) -> int:
        """The port on which it is reached."""
        return self.address[1]

    # -- starting ------------------------------------------------------------------------------------------------

    @classmethod
    async def start(
        cls, spec: ServerSpec, *, port: int | None = None, deadline_s: float, clock: Callable[[], float],
        log_path: Path | None = None, extra_args: tuple[str, ...] = (), extra_env: Mapping[str, str] | None = None,
    ) -> Server:  # fmt: skip
        """Start it and wait until it listens. `port` None: a free one is chosen for `{port}` and PORT.

        Raises TargetError: not found, ended at once, never listened, its port is taken.
        """
        end, attempt = time.monotonic() + sockets.TIME_WAIT_S, 0
        while True:
            asked, attempt = port or sockets.free_port(), attempt + 1
            server = cls._launch(spec, asked, clock, log_path, extra_args, extra_env or {})
            try:
                await server._listens(asked, deadline_s)
            except TargetError as error:
                await server.kill()
                if error.kind == "port-taken" and port is None:
                    if not spec.fixed_port and attempt <= RETRIES:
                        continue
                    if spec.fixed_port and await _time_wait_over(spec, error.output, end):
                        continue
                raise
            except BaseException:
                await server.kill()
                raise
            return server

    @classmethod
    def _launch(
        cls, spec: ServerSpec, port: int, clock: Callable[[], float], log_path: Path | None, extra: tuple[str, ...],
        more_env: Mapping[str, str],
    ) -> Server:  # fmt: skip
        mark = uuid.uuid4().hex
        argv = [part.replace("{port}", str(port)).replace("{host}", "127.0.0.1") for part in (*spec.argv, *extra)]
        env = {
            "PYTHONUNBUFFERED": "1", **os.environ, "PORT": str(port), "HOST": "127.0.0.1", **spec.env, **more_env,
            tree.MARK: mark,
        }  # fmt: skip
        trouble.declined(spec)
        line = terminal.opened() if spec.pty else None
        try:
            process = subprocess.Popen(
                argv, cwd=spec.cwd if str(spec.cwd) != "." else None, env=env if line is None else {"TERM": "xterm", **env},
                stdin=line.inner if line else subprocess.PIPE, stdout=line.inner if line else subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=_in_the_child if line is None else _on_a_terminal,
            )  # fmt: skip
        except OSError as error:
            if line is not None:
                line.close()
            raise not_found(spec, error) from None
        if line is not None:
            process.stdin, process.stdout = line.handed_over()
        assert process.stdout is not None
        server = cls(spec, process, mark, clock, Drain(process.stdout, log_path, clock))  # type: ignore[arg-type]
        server._feed(port)
        return server

    def _feed(self, port: int) -> None:
        """What it asks for on its standard input, which then stays open: an end of input ends many a server."""
        if self.spec.stdin and self._process.stdin:
            with contextlib.suppress(OSError):
                told = self.spec.stdin.replace("{port}", str(port)).replace("{host}", "127.0.0.1")
                self._process.stdin.write(told.encode())
                self._process.stdin.flush()

    async def _listens(self, asked: int, deadline_s: float) -> None:
        began, pause, asking_since = time.monotonic(), FIRST_LOOK_S, 0.0
        looked = began
        while True:
            found = self._look_for_ports()
            if found and self._said_ready() and self._has_chat(found):
                self._settle_address(found, asked)
                self.startup_s = time.monotonic() - began
                return
            if self._process.poll() is not None and not tree.family(self.pid, self._mark):
                raise self._ended_early()
            now = time.monotonic()
            if now - began > deadline_s:
                raise self._not_ready(deadline_s, found)
            if now - looked > ASKS_LOOK_S:
                looked = now
                if found or not self._asks():
                    asking_since = 0.0
                elif not asking_since:
                    asking_since = now
                elif now - asking_since > ASKS_S:
                    raise self._is_asked()
            await asyncio.sleep(pause)  # the kernel tells nobody of a new listening socket
            pause = min(LAST_LOOK_S, pause * 1.3)

    def _look_for_ports(self) -> list[tuple[int, str, int]]:
        """(pid, address, port) of every listening socket in the tree."""
        listening = {s.inode: s for s in sockets.tcp(sockets.LISTEN)}
        if not listening:
            return []
        return [
            (pid, listening[inode].address, listening[inode].port)
            for pid in tree.family(self.pid, self._mark)
            for inode in tree.socket_inodes(pid) & set(listening)
        ]

    def _said_ready(self) -> bool:
        return self.spec.ready_log is None or re.search(self.spec.ready_log, self._drain.text()[0]) is not None

    def _has_chat(self, found: list[tuple[int, str, int]]) -> bool:
        return self.spec.chat_port is None or any(port == self.spec.chat_port for _, _, port in found)

    def _asks(self) -> bool:
        """Whether the tree sleeps and one of its threads reads standard input, or a prompt for a port stands there."""
        pids = tree.family(self.pid, self._mark)
        if not all(tree.is_waiting(pid) for pid in pids):
            return False
        if any(tree.reads_input(pid) for pid in pids):
            return True
        text = self._drain.text()[0]
        return not text.endswith("\n") and re.search(r"\bport[aeo]?\b[^\n]*$", text, re.I) is not None

    def _settle_address(self, found: list[tuple[int, str, int]], asked: int) -> None:
        """The port that was asked for, else the lowest; over IPv4 where that reaches it."""
        self.asked, self.listening = asked, _reached(found)
        wanted = self.spec.chat_port or asked
        pid, address, port = min(found, key=lambda item: (item[2] != wanted, item[2], ":" in item[1]))
        self.listener_pid = pid
        host = sockets.reachable(address)
        if address == "::" and not sockets.is_dual(port):
            host = "::1"
        self.address = (host, port)

    def look_again(self) -> None:
        """Some of its ports may have been opened after the first."""
        self.listening = _reached(self._look_for_ports())

    def _ended_early(self) -> TargetError:
        tail, status = self._tail(), self._process.returncode
        if trouble.TAKEN.search(tail):
            return _taken(tail)
        told = f"the server ended at once with exit status {status}, before it listened on any TCP port"
        if not self.spec.pty and trouble.NO_TERMINAL.search(tail):
            return TargetError(
                f"{told}: it wants a terminal; `pty = true` in [server] of harness.toml gives it one", kind="no-terminal",
                output=tail,
            )  # fmt: skip
        why = trouble.reading(tail, self.spec, status)
        return TargetError(f"{told}: {why}" if why else told, kind="exited", output=tail)

    def _is_asked(self) -> TargetError:
        return TargetError(
            "the server does not listen yet: it waits for something on its standard input. `stdin` of [server] in "
            'harness.toml says what it is told, for instance stdin = "{port}\\n"', kind="asks", output=self._tail(),
        )  # fmt: skip

    def _not_ready(self, deadline_s: float, found: list[tuple[int, str, int]]) -> TargetError:
        tail = self._tail()
        ports = ", ".join(str(port) for port in sorted({port for _, _, port in found}))
        if found and not self._has_chat(found):
            return TargetError(
                f"the server did not listen on port {self.spec.chat_port} within {deadline_s:.0f} s, but on {ports}",
                kind="silent", output=tail,
            )  # fmt: skip
        if found:
            return TargetError(
                f"the server listens on port {ports}, but did not print what `ready` of [server] waits for within "
                f"{deadline_s:.0f} s; what it prints may lie in a buffer", kind="silent", output=tail,
            )  # fmt: skip
        if any(sockets.datagram(tree.socket_inodes(pid)) for pid in tree.family(self.pid, self._mark)):
            return TargetError(
                "the server uses UDP and listens on no TCP port: this harness judges chat over TCP", kind="silent", output=tail
            )  # fmt: skip
        if not found and trouble.TAKEN.search(tail):
            return _taken(tail)  # a Java program lives on, without its first thread
        what = tree.what_it_does(self.listener_pid)
        told = f"the server did not listen on any TCP port within {deadline_s:.0f} s; {what}"
        why = trouble.reading(tail, self.spec, None)
        return TargetError(
            f"{told}: {why}" if why else f"{told}. If it needs longer, give --patience 2", kind="silent", output=tail
        )

    def _tail(self) -> str:
        return self._drain.text()[0][-TAIL:]

    # -- watching ------------------------------------------------------------------------------------------------

    def sample(self, label: str) -> Sample:
        """The whole process tree at this moment."""
        at_s = self._clock()
        pids = tree.family(self.pid, self._mark)
        used = [u for pid in pids if (u := tree.usage(pid)) is not None]
        if not used:
            return Sample(at_s=at_s, label=label, alive=False)
        ours = [s for s in sockets.tcp() if s.port == self.port]
        return Sample(
            at_s=at_s, label=label, alive=self.is_alive(), processes=len(used) + tree.zombies(pids),
            threads=sum(u.threads for u in used), descriptors=sum(u.descriptors for u in used), rss_bytes=sum(u.rss_bytes for u in used),
            cpu_s=sum(u.cpu_s for u in used), wait_s=sum(u.wait_s for u in used),
            tcp=dict(Counter(s.state for s in ours)),
            peers=tuple((s.state, s.peer_port) for s in ours if s.peer_port),
        )  # fmt: skip

    def pids(self) -> list[int]:
        """The living processes of its tree."""
        return tree.family(self.pid, self._mark)

    def served_s(self) -> tuple[float, float]:
        """How long its threads have stood ready without a processor so far, and how long they ran, in seconds."""
        served = [tree.served(pid) for pid in {self.pid, self.listener_pid}]
        return sum(waited for waited, _ in served), sum(ran for _, ran in served)

    def is_alive(self) -> bool:
        """Whether the process that listens is still there."""
        self._process.poll()
        return tree.is_alive(self.listener_pid)

    def is_waiting(self) -> bool | None:
        """Whether every thread of the tree sleeps, and nobody stands in the accept queue; None where unknown."""
        states = [tree.is_waiting(pid) for pid in tree.family(self.pid, self._mark)]
        return None if None in states else all(states) and self.waiting_outside() == 0

    def waiting_outside(self) -> int:
        """Connections that it has not accepted yet."""
        return sum(s.unread for s in sockets.tcp(sockets.LISTEN) if s.port == self.port)

    def exit_status(self) -> int | None:
        """The exit status of the process that was started; negative: a signal. None while it runs."""
        return self._process.poll()

    def unread(self, client_port: int) -> int | None:
        """Bytes that it has not read of the connection from this client's port; None when there is none."""
        return sockets.unread(self.port, client_port)

    def output(self) -> tuple[str, int]:
        """What it printed (bounded), and how many bytes were dropped."""
        return self._drain.text()

    def printed(self) -> list[tuple[float, str]]:
        """What it printed, part by part, each with the moment at which it came, on the history's clock."""
        return self._drain.printed()

    # -- doing ---------------------------------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        """Send a signal to the process that listens, not to a shell around it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.listener_pid, number)

    def freeze(self) -> None:
        """SIGSTOP, the whole tree."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT, the whole tree."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        for pid in tree.family(self.pid, self._mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def limit_descriptors(self, soft: int) -> int:
        """Set the soft limit of open files of the live process that listens (prlimit(2)); the one before.

        A process that has ended has no limits: then the given one is returned, and nothing is set.
        """
        try:
            before, hard = resource.prlimit(self.listener_pid, resource.RLIMIT_NOFILE)
            resource.prlimit(self.listener_pid, resource.RLIMIT_NOFILE, (soft, hard))
        except ProcessLookupError:
            return soft
        return before

    async def wait_exit(self, deadline_s: float) -> bool:
        """Wait until the process that listens, and the one that was started, have ended."""
        end = time.monotonic() + deadline_s
        for pid in {self.listener_pid, self.pid}:
            if not await _gone(pid, end - time.monotonic(), self._process):
                return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)  # it has ended; only its status is fetched
        return True

    async def kill(self) -> None:
        """SIGKILL the whole tree, and see it gone. May be called again."""
        end = time.monotonic() + KILL_S
        while (left := tree.family(self.pid, self._mark)) and time.monotonic() < end:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.001)  # until the kernel has taken them away
            self._reap(left)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._drain.text()
        self._drain.close()
        threads.sweep(self.listener_pid)

    def _reap(self, pids: list[int]) -> None:
        """Orphans that were given to us are ours to bury."""
        self._process.poll()
        for pid in pids:
            if pid != self.pid:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _taken(output: str) -> TargetError:
    return TargetError(
        "the server could not have its port: it is already in use. End the program that uses it, or let the harness choose "
        "one with {port}", kind="port-taken", output=output,
    )  # fmt: skip


def _reached(found: list[tuple[int, str, int]]) -> tuple[tuple[str, int], ...]:
    """Where each listening socket is reached: (host, port)."""
    return tuple((sockets.reachable(address), port) for _, address, port in found)


def _in_the_child() -> None:
    """Between fork and exec: default signal dispositions, and death with the worker."""
    sandbox.die_with_parent()
    sandbox.allow_looking()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _on_a_terminal() -> None:
    """The same, and the terminal on its standard input becomes the session's own."""
    _in_the_child()
    terminal.take()


async def _time_wait_over(spec: ServerSpec, output: str, end_s: float) -> bool:
    """Wait while only closed connections of an earlier server hold its port. False: somebody listens there, or too long.

    A server without SO_REUSEADDR cannot have its port for a minute after it closed a connection first (RFC 9293, 3.6.1).
    Which port it wants is looked up in the kernel's table: one that is waiting there, and is named by what it printed,
    its command or its source.
    """
    words = [output, *spec.argv, *(text for _, text in sources.texts(spec))]
    named = {int(number) for text in words for number in re.findall(r"(?<![\w.])\d{4,5}(?![\w.])", text)}
    waited = False
    while time.monotonic() < end_s:
        found = [s for s in sockets.tcp() if s.port in named]
        if any(s.state == "LISTEN" for s in found) or not any(s.state == "TIME_WAIT" for s in found):
            return waited and not any(s.state == "LISTEN" for s in found)
        waited = True
        await asyncio.sleep(0.25)  # the kernel tells nobody when a port is free again
    return False


async def _gone(pid: int, deadline_s: float, process: subprocess.Popen[bytes]) -> bool:
    """Wait for a process's end: by its pidfd where there is one, else by looking."""
    if not tree.is_alive(pid):
        return True
    try:
        descriptor = os.pidfd_open(pid)
    except (OSError, AttributeError):
        end = time.monotonic() + deadline_s
        while tree.is_alive(pid) and time.monotonic() < end:
            process.poll()
            await asyncio.sleep(0.01)  # without pidfd there is no event
        return not tree.is_alive(pid)
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(max(0.0, deadline_s)):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return True
