"""Toxiproxies that we start: the embedded one in a forked child, the installed one from its program.

Both die with the process that started them (on Linux by PR_SET_PDEATHSIG, even if that one is killed), and are ended by
SIGTERM and then SIGKILL, and reaped.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.toxiproxy.client import ToxiproxyError
from harness.toxiproxy.embedded.log import Log
from harness.toxiproxy.embedded.main import CannotStart, new_event_loop, serve

#: A child that has not said where it listens after this long will not, seconds.
START_LIMIT_S = 15.0
#: Another process may take the free port before the real one binds it.
START_ATTEMPTS = 3
#: From SIGTERM to SIGKILL, seconds.
TERM_LIMIT_S = 3.0
#: Between looks at a process that cannot be waited for.
_POLL_S = 0.01
_PR_SET_PDEATHSIG = 1
#: Loaded before any fork: in a child between fork and exec nothing should be imported.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Child:
    """A process of ours. `end` is to be called from the process that started it."""

    pid: int
    url: str
    _popen: subprocess.Popen[bytes] | None = None
    _ended: bool = False

    def end(self) -> None:
        """SIGTERM, after three seconds SIGKILL; reaped when this returns. Harmless when repeated."""
        if self._ended:
            return
        self._ended = True
        for number, limit_s in ((signal.SIGTERM, TERM_LIMIT_S), (signal.SIGKILL, TERM_LIMIT_S)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            if self._gone_within(limit_s):
                return

    def _gone_within(self, limit_s: float) -> bool:
        if self._popen is not None:
            try:
                self._popen.wait(limit_s)
            except subprocess.TimeoutExpired:
                return False
            return True
        deadline = time.monotonic() + limit_s
        while not _reaped(self.pid):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def alive(self) -> bool:
        """Whether it still runs."""
        if self._ended:
            return False
        if self._popen is not None:
            return self._popen.poll() is None
        self._ended = _reaped(self.pid)
        return not self._ended


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def fork_embedded(seed: int) -> Child:
    """Fork a child that runs the embedded proxy, on a port of 127.0.0.1 that the kernel chose. Raises ToxiproxyError.

    To be called from the main thread of a process with one thread and no running event loop: the child is a copy of it.
    """
    ours, theirs = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            _be_the_proxy(theirs, seed)
        finally:
            os._exit(1)
    os.close(theirs)
    try:
        told = _read_line(ours, START_LIMIT_S)
    finally:
        os.close(ours)
    child = Child(pid, str(told.get("url", "")))
    if not child.url:
        child.end()
        why = told.get("error") or f"it did not answer within {START_LIMIT_S:.0f} s"
        raise ToxiproxyError(f"the embedded Toxiproxy did not start: {why}; try --toxiproxy installed")
    return child


def _be_the_proxy(pipe: int, seed: int) -> None:
    """The forked child. Never returns."""
    die_with_parent()
    _forget_the_parent(pipe)

    def listening(host: str, port: int) -> None:
        os.write(pipe, json.dumps({"url": f"http://{host}:{port}"}).encode() + b"\n")
        os.close(pipe)

    status = 1
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve("127.0.0.1", 0, seed=seed, log=Log("disabled"), listening=listening, owned=True))
        status = 0
    except (CannotStart, OSError) as error:
        with contextlib.suppress(OSError):
            os.write(pipe, json.dumps({"error": str(error)}).encode() + b"\n")
    finally:
        os._exit(status)


def _forget_the_parent(pipe: int) -> None:
    """Default signals, no descriptors but the pipe, no standard streams, no event loop."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN, None):
                signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for low, high in ((3, pipe), (pipe + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(low, high)
    asyncio.set_event_loop(None)
    gc.freeze()


def _read_line(fd: int, limit_s: float) -> dict[str, object]:
    """The JSON line that the child writes; empty if it does not."""
    deadline = time.monotonic() + limit_s
    data = b""
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(fd, 4096) if ready else b""
        if not part:
            return {"error": "it ended at once"} if ready else {}
        data += part
    told: dict[str, object] = json.loads(data)
    return told


def die_with_parent() -> None:
    """On Linux: this process is killed when the thread that made it ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def find_installed() -> str:
    """The path of toxiproxy-server: TOXIPROXY_SERVER, or the one on the PATH. Raises ToxiproxyError."""
    named = os.environ.get("TOXIPROXY_SERVER")
    found = shutil.which(named or "toxiproxy-server")
    if found is None:
        what = f"TOXIPROXY_SERVER={named} is no program" if named else "toxiproxy-server is not on the PATH"
        raise ToxiproxyError(f"{what}: install Toxiproxy or name it in TOXIPROXY_SERVER, or use --toxiproxy embedded")
    return found


def start_installed(seed: int, answers: Callable[[str], bool]) -> Child:
    """Run toxiproxy-server on a free port of 127.0.0.1 until `answers(url)`. Raises ToxiproxyError.

    To be called from a thread that outlives it (the main one): it dies with the thread that started it.
    """
    program = find_installed()
    for _ in range(START_ATTEMPTS):
        child = _run_installed(program, seed)
        deadline = time.monotonic() + START_LIMIT_S
        while child.alive() and time.monotonic() < deadline:
            if answers(child.url) and child.alive():
                return child
            time.sleep(_POLL_S)
        child.end()
    raise ToxiproxyError(f"{program} did not start: run it by hand to see why, or use --toxiproxy embedded")


def _run_installed(program: str, seed: int) -> Child:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "-host", "127.0.0.1", "-port", str(port), "-seed", str(seed)]
    try:
        popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent if _LIBC is not None else None,
        )
    except OSError as error:
        raise ToxiproxyError(f"{program} does not run: {error.strerror}; try --toxiproxy embedded") from None
    return Child(popen.pid, f"http://127.0.0.1:{port}", popen)
