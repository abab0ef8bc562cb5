"""A process and all its descendants, those included that forked away and were given to us by the kernel.

The worker is a subreaper (prctl(2)): an orphan of the server becomes the worker's child and is recognised by the mark
in its environment. On systems without /proc psutil gives less.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "HARNESS_SERVER"
LINUX = sys.platform.startswith("linux")
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
#: A file of /proc is read in pieces of so many bytes: nearly every one is a single piece.
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process uses now: threads, descriptors, bytes, seconds."""

    threads: int
    descriptors: int
    rss_bytes: int
    cpu_s: float
    wait_s: float


def _read(path: str) -> bytes:
    """A file of /proc, whole. They are read by the thousand: without the layers that a `Path` puts above read(2)."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(handle, _PIECE)
        while more := os.read(handle, _PIECE):
            data += more
    finally:
        os.close(handle)
    return data


def children(pid: int) -> list[int]:
    """The living children of a process."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += [int(word) for word in _read(f"/proc/{pid}/task/{task}/children").split()]
    except OSError:
        if LINUX:
            return found
        with contextlib.suppress(psutil.Error):
            found = [child.pid for child in psutil.Process(pid).children()]
    return found


def family(root: int, mark: str) -> list[int]:
    """The process and its descendants, orphans included; without zombies."""
    found, todo = [], [root, *(pid for pid in children(os.getpid()) if pid != root and marked(pid, mark))]
    while todo:
        pid = todo.pop()
        if pid not in found and is_alive(pid):
            found.append(pid)
            todo += children(pid)
    return found


def zombies(pids: list[int]) -> int:
    """How many children of these have ended and were never waited for: each keeps its number and a row in the table."""
    return sum(not is_alive(child) and Path(f"/proc/{child}").exists() for pid in pids for child in children(pid))


def marked(pid: int, mark: str) -> bool:
    """Whether a process carries the mark of this server in its environment."""
    try:
        return f"{MARK}={mark}".encode() in _read(f"/proc/{pid}/environ").split(b"\0")
    except OSError:
        return False


def is_alive(pid: int) -> bool:
    """Running, sleeping or stopped. A zombie is not alive, unless it is a first thread that only awaits the others."""
    if not LINUX:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        return fields[0] not in (b"Z", b"X") or (fields[0] == b"Z" and int(fields[17]) > 1)
    except (OSError, IndexError):
        return False


def usage(pid: int) -> Usage | None:
    """What a process uses; None when it is gone."""
    if not LINUX:
        return _usage_elsewhere(pid)
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    cpu = (int(fields[11]) + int(fields[12])) / _TICK
    return Usage(int(fields[17]), descriptors, int(fields[21]) * _PAGE, cpu, served(pid)[0])


def served(pid: int) -> tuple[float, float]:
    """How long the threads of a process stood ready without a processor, and how long they ran, in seconds (schedstat)."""
    ran = waited = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError, IndexError):
                fields = _read(f"/proc/{pid}/task/{task}/schedstat").split()
                ran, waited = ran + int(fields[0]), waited + int(fields[1])
    except OSError:
        return 0.0, 0.0
    return waited / 1e9, ran / 1e9


def is_waiting(pid: int) -> bool | None:
    """Whether every thread of a process sleeps: it has nothing to do until something comes. None where unknown."""
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError):
                if _read(f"/proc/{pid}/task/{task}/stat").rpartition(b")")[2].split()[0] in (b"R", b"D"):
                    return False
    except OSError:
        return None
    return True


def reads_input(pid: int) -> bool:
    """Whether a thread of a process stands in read(2) of its standard input; False where the kernel does not tell."""
    read = {"x86_64": "0", "aarch64": "63"}.get(os.uname().machine)
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/task/{task}/syscall").read_text().split()[:2] == [read, "0x0"]:
                    return True
    return False


def _usage_elsewhere(pid: int) -> Usage | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return Usage(
                process.num_threads(), process.num_fds(), process.memory_info().rss, times.user + times.system, 0.0
            )
    except psutil.Error:
        return None


def socket_inodes(pid: int) -> set[int]:
    """The inodes of a process's open sockets."""
    found = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(f"/proc/{pid}/fd/{name}")
                if link.startswith("socket:["):
                    found.add(int(link[8:-1]))
    except OSError:
        return found
    return found


def what_it_does(pid: int) -> str:
    """In a word, what a process is doing: for a server that never listens."""
    names = {
        "R": "it is running (busy)",
        "S": "it is waiting for something",
        "D": "it waits for the disk",
        "T": "it is stopped",
    }
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "it is gone"
    return names.get(state, f"its state is {state}")
