"""Workers: each piece of work in a process of its own, forked from this warm one.

A worker that hangs is killed and a worker that dies is noticed; both are told as such and touch no other work. The
parent has no threads (a fork of a threaded process may deadlock) and waits in one place, on the workers' pipes.
"""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.target import sandbox

#: After a worker was asked to end, it has so long to clean up before it is killed, in seconds.
CLEAN_UP_S = 4.0


@dataclass(frozen=True, slots=True)
class Done:
    """A piece of work is over: its value, or `failure` in one line (it broke, died, or hung)."""

    key: str
    value: Any = None
    failure: str | None = None
    duration_s: float = 0.0


@dataclass
class _Worker:
    key: str
    pid: int
    pipe: int
    began: float
    timeout_s: float
    data: bytearray
    hung: bool = False


class Workers:
    """Up to `jobs` pieces of work side by side. Use as a context manager: at its end no worker is left.

    `bell`: a descriptor that ends a `wait` early when it becomes readable; what it means is the caller's affair.
    """

    def __init__(self, jobs: int, bell: int | None = None) -> None:
        self.jobs = max(1, jobs)
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, _Worker] = {}
        self._bell = bell
        if bell is not None:
            self._selector.register(bell, selectors.EVENT_READ)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_all()
        self._selector.close()

    @property
    def free(self) -> bool:
        """Whether one more can start."""
        return len(self._running) < self.jobs

    @property
    def busy(self) -> bool:
        """Whether any is at work."""
        return bool(self._running)

    def start(self, key: str, work: Callable[[], Any], timeout_s: float) -> None:
        """Fork, and do `work` in the child. Its value must be picklable."""
        sys.stdout.flush()
        sys.stderr.flush()
        read_end, write_end = os.pipe()
        # a signal that came in the middle of the fork would meet the parent's handlers in the child
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            pid = os.fork()
            if pid == 0:
                os.close(read_end)
                _child(work, write_end)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(write_end)
        os.set_blocking(read_end, False)
        worker = _Worker(key, pid, read_end, time.monotonic(), timeout_s, bytearray())
        self._running[read_end] = worker
        self._selector.register(read_end, selectors.EVENT_READ, worker)

    def wait(self, timeout_s: float = 0.5) -> Iterator[Done]:
        """Those that are over, after waiting for the first of them at most `timeout_s`."""
        for key, _ in self._selector.select(timeout_s):
            worker: _Worker | None = key.data
            if worker is not None and self._drain(worker):
                yield self._finish(worker)
        now = time.monotonic()
        for worker in list(self._running.values()):
            over_s = now - worker.began - worker.timeout_s
            if over_s > CLEAN_UP_S:
                worker.hung = True
                yield self._stopped(worker)
            elif over_s > 0:
                worker.hung = True
                _kill(worker.pid, signal.SIGTERM)

    def end_all(self) -> None:
        """Ask every worker to clean up and end; kill those that do not."""
        if self._bell is not None:
            self._selector.unregister(self._bell)
            self._bell = None
        for worker in self._running.values():
            _kill(worker.pid, signal.SIGTERM)
        end = time.monotonic() + CLEAN_UP_S
        while self._running:
            left = end - time.monotonic()
            if left <= 0:
                for worker in list(self._running.values()):
                    self._stopped(worker)
                return
            for key, _ in self._selector.select(min(left, 0.5)):
                worker = key.data
                if self._drain(worker):
                    self._finish(worker)

    def _stopped(self, worker: _Worker) -> Done:
        """SIGKILL. The end of its pipe is not waited for: something that it started may still hold the other end."""
        _kill(worker.pid, signal.SIGKILL)
        return self._finish(worker)

    def _drain(self, worker: _Worker) -> bool:
        """Read what there is; True at the end of the pipe."""
        while True:
            try:
                data = os.read(worker.pipe, 1 << 20)
            except BlockingIOError:
                return False
            if not data:
                return True
            worker.data += data

    def _finish(self, worker: _Worker) -> Done:
        self._selector.unregister(worker.pipe)
        os.close(worker.pipe)
        del self._running[worker.pipe]
        _, status = os.waitpid(worker.pid, 0)
        took = time.monotonic() - worker.began
        if worker.hung:
            return Done(
                worker.key, failure=f"it did not end within {worker.timeout_s:.0f} s and was stopped", duration_s=took
            )
        try:
            good, value = pickle.loads(bytes(worker.data))
        except (EOFError, pickle.UnpicklingError):
            how = os.waitstatus_to_exitcode(status)
            return Done(worker.key, failure=f"its worker process ended early (exit status {how})", duration_s=took)
        if not good:
            return Done(worker.key, failure=value, duration_s=took)
        return Done(worker.key, value=value, duration_s=took)


def _child(work: Callable[[], Any], pipe: int) -> None:
    """The forked side: never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        try:
            data = pickle.dumps((True, work()))
        except BaseException as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}: {error} ({os.path.basename(frame.filename)}:{frame.lineno})"
            data = pickle.dumps((False, told))
            if os.environ.get("HARNESS_DEBUG"):
                traceback.print_exc()
        with os.fdopen(pipe, "wb") as out:
            out.write(data)
    finally:
        sandbox.leave()
        os._exit(0)


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
