"""Workers: values come back, a death and a hang are told, nobody is left; a signal in the middle of a fork is kept."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import workers as module
from harness.engine.workers import Done, Workers


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def finished(workers: Workers) -> dict[str, Done]:
    """All that are at work, waited for."""
    end, done = time.monotonic() + 60, {}
    while workers.busy:
        assert time.monotonic() < end
        done.update({one.key: one for one in workers.wait(0.2)})
    return done


def deaf(note: Path) -> None:
    """Hang, whatever is asked."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note.touch()
    time.sleep(300)


def test_values_of_any_size_come_back_side_by_side() -> None:
    with Workers(3) as workers:
        for key in ("a", "b", "c"):
            workers.start(key, lambda key=key: key * 3_000_000, 60)  # type: ignore[misc]
        assert not workers.free
        assert {key: len(done.value) for key, done in finished(workers).items()} == dict.fromkeys("abc", 3_000_000)
        assert workers.free


def test_what_broke_is_told_with_its_place() -> None:
    with Workers(1) as workers:
        workers.start("a", lambda: [][1], 60)
        (done,) = finished(workers).values()
    assert done.failure is not None
    assert done.failure.startswith("IndexError: list index out of range (test_workers.py:")


def test_a_value_that_cannot_be_brought_is_told() -> None:
    with Workers(1) as workers:
        workers.start("a", lambda: lambda: None, 60)
        (done,) = finished(workers).values()
    assert "pickle" in str(done.failure)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, -15)])
def test_a_worker_that_is_killed_is_told_and_touches_no_other(number: int, status: int) -> None:
    with Workers(2) as workers:
        workers.start("dies", lambda: os.kill(os.getpid(), number), 60)
        workers.start("lives", lambda: "well", 60)
        done = finished(workers)
    assert f"ended early (exit status {status})" in str(done["dies"].failure)
    assert done["lives"].value == "well"


def test_a_worker_that_hangs_and_hears_nothing_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CLEAN_UP_S", 0.2)
    with Workers(1) as workers:
        workers.start("deaf", lambda: deaf(tmp_path / "began"), 1.0)
        (done,) = finished(workers).values()
    assert done.failure == "it did not end within 1 s and was stopped"


def test_something_that_holds_a_dead_workers_pipe_does_not_hold_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "CLEAN_UP_S", 0.2)
    note = tmp_path / "pid"

    def leaves_a_child() -> None:
        pid = os.fork()
        if pid == 0:
            time.sleep(300)
        note.write_text(str(pid))
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        with Workers(1) as workers:
            workers.start("gone", leaves_a_child, 0.5)
            (done,) = finished(workers).values()
        assert done.failure is not None
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)


def test_at_the_end_nobody_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CLEAN_UP_S", 0.5)
    began = time.monotonic()
    with Workers(3) as workers:
        for key in "abc":
            workers.start(key, lambda key=key: deaf(tmp_path / key), 300)  # type: ignore[misc]
        while not all((tmp_path / key).exists() for key in "abc"):
            assert time.monotonic() < began + 60
            list(workers.wait(0.05))
    assert not workers.busy


def test_the_bell_ends_a_wait() -> None:
    bell, cord = os.pipe()
    try:
        with Workers(1, bell) as workers:
            workers.start("long", lambda: time.sleep(300), 600)
            os.write(cord, b"!")
            began = time.monotonic()
            assert list(workers.wait(60)) == []
            assert time.monotonic() - began < 30
    finally:
        os.close(bell)
        os.close(cord)


def test_a_signal_in_the_middle_of_a_fork_reaches_the_parent_once_and_the_child_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The handlers of the parent are not the child's; and what a handler raises in the middle of a fork is lost."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(os.getpid()))
    fork = os.fork

    def interrupted() -> int:
        signal.raise_signal(signal.SIGINT)
        pid = fork()
        if pid == 0:
            signal.raise_signal(signal.SIGINT)
        assert heard == []
        return pid

    monkeypatch.setattr(os, "fork", interrupted)
    try:
        with Workers(1) as workers:
            workers.start("a", lambda: list(heard), 60)
            assert heard == [os.getpid()]
            (done,) = finished(workers).values()
        assert done.value == []
    finally:
        signal.signal(signal.SIGINT, before)
