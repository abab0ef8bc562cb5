"""What the threads of a process are doing at this moment, by the kernel's word, and their stacks where a tool gives them.

`/proc/PID/task/*/{stat,syscall,wchan}` (proc(5), Linux only) says of each thread in which system call it waits, and for
what: which lock (futex(2)), which socket. The stacks of a Python process come from py-spy, which reads its memory and
never stops it; those of a Java process from jstack. Both are optional, and have a second at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import getpass
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.target import sockets

#: Threads looked at one by one; of more only the number is told.
MOST = 96
#: A tool has so long, in seconds, and may say so much, in bytes.
TOOL_S, TOOL_BYTES = 1.0, 48 << 10

#: System calls by what a thread waits for in them (unistd.h of each architecture).
_CALLS: Mapping[str, Mapping[str, frozenset[int]]] = {
    "x86_64": {
        "futex": frozenset({202}), "recv": frozenset({0, 17, 19, 45, 47, 295, 299}), "send": frozenset({1, 18, 20, 44, 46, 296, 307}),
        "accept": frozenset({43, 288}), "poll": frozenset({7, 23, 232, 270, 271, 281, 441}), "sleep": frozenset({35, 230}),
        "child": frozenset({61, 247}),
    },
    "aarch64": {
        "futex": frozenset({98}), "recv": frozenset({63, 65, 67, 207, 212, 243}), "send": frozenset({64, 66, 68, 206, 211, 269}),
        "accept": frozenset({202, 242}), "poll": frozenset({22, 72, 73, 441}), "sleep": frozenset({101, 115}),
        "child": frozenset({95, 260}),
    },
}  # fmt: skip
#: FUTEX_WAIT and FUTEX_WAIT_BITSET without their flags; what glibc and Rust write into a mutex that is waited for.
_FUTEX_COMMAND, _FUTEX_WAITS, _CONTENDED = 0x7F & ~0x80, frozenset({0, 9}), 2


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread. `call` is what it waits in (futex, recv, send, accept, poll, sleep, child), `running`, or "".

    `address` is that of the futex, `lock` whether it looks like a lock's, `peer_port` that of the socket's other end;
    `wchan` the function of the kernel that it sleeps in.
    """

    pid: int
    tid: int
    name: str
    state: str
    call: str = ""
    number: int | None = None
    address: int = 0
    lock: bool = False
    timed: bool = False
    peer_port: int = 0
    wchan: str = ""
    python: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """The threads at one moment. `stuck` are those that were in the same place a moment later.

    `names` are clients by the port of their connection; `departed` is who left last before, and when.
    """

    at_s: float
    why: str
    threads: tuple[Thread, ...]
    stuck: tuple[Thread, ...] = ()
    more: int = 0
    runtime: str = ""
    first: int = 0  # the process that listens
    tool: str = ""
    stacks: str = ""
    note: str = ""
    names: Mapping[int, str] | None = None
    departed: tuple[str, float] | None = None


def runtime(pid: int) -> str:
    """`python`, `java`, or "" for a process that no tool here can read."""
    try:
        name = Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""
    return next((kind for kind in ("python", "java") if name.startswith(kind)), "")


def threads(pids: Sequence[int]) -> tuple[tuple[Thread, ...], int]:
    """The threads of these processes, and how many more there are that were not looked at. Empty where there is no /proc."""
    found: list[Thread] = []
    more = 0
    peers = {one.inode: one.peer_port for one in sockets.tcp() if one.inode} if sys.platform.startswith("linux") else {}
    for pid in pids:
        try:
            tids = sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue
        python = runtime(pid) == "python"
        for tid in tids:
            if len(found) >= MOST:
                more += 1
                continue
            with contextlib.suppress(OSError, ValueError, IndexError):
                found.append(_thread(pid, tid, peers, python))
    return tuple(_shared(found)), more


def _shared(found: Sequence[Thread]) -> list[Thread]:
    """What several threads wait for at one address is a lock.

    In Python a thread that idles (an Event, a Condition, a Queue) waits as one does for a lock, but each at an address of
    its own: one alone proves nothing.
    """
    waiting = Counter((one.pid, one.address) for one in found if one.call == "futex" and not one.timed)
    return [
        replace(one, lock=True) if one.python and one.call == "futex" and not one.timed and waiting[one.pid, one.address] > 1
        else one
        for one in found
    ]  # fmt: skip


def _thread(pid: int, tid: int, peers: Mapping[int, int], python: bool) -> Thread:
    task = f"/proc/{pid}/task/{tid}"
    head, _, tail = Path(f"{task}/stat").read_text(errors="replace").rpartition(")")
    name, state = head.partition("(")[2], tail.split()[0]
    words = _read(f"{task}/syscall").split()
    wchan = _read(f"{task}/wchan").strip()
    if not words or not words[0].isdigit():
        return Thread(pid, tid, name, state, "running" if state == "R" else "", wchan=wchan if wchan != "0" else "")
    number, arguments = int(words[0]), [int(word, 16) for word in words[1:7]]
    call = next((call for call, numbers in _calls().items() if number in numbers), "")
    made = Thread(pid, tid, name, state, call, number, wchan=wchan if wchan != "0" else "")
    if call == "futex" and len(arguments) > 3:
        return _on_futex(made, arguments, python)
    if call in ("recv", "send") and arguments:
        return _on_socket(made, arguments[0], peers)
    return made


def _on_futex(made: Thread, arguments: Sequence[int], python: bool) -> Thread:
    address, operation, value, timeout = arguments[:4]
    waits = operation & _FUTEX_COMMAND in _FUTEX_WAITS
    # A mutex is told from a condition by its value; in Python both are semaphores (see `_shared`).
    lock = waits and not timeout and not python and value == _CONTENDED
    return replace(made, address=address, lock=lock, timed=bool(timeout), python=python)


def _on_socket(made: Thread, descriptor: int, peers: Mapping[int, int]) -> Thread:
    """A read or write that is not of a connected socket waits for something else."""
    link = os.readlink(f"/proc/{made.pid}/fd/{descriptor}")
    port = peers.get(int(link[8:-1]), 0) if link.startswith("socket:[") else 0
    call = made.call if port else ""
    return Thread(
        made.pid, made.tid, made.name, made.state, call, made.number, peer_port=port, wchan=made.wchan
    )  # fmt: skip


@functools.cache
def _calls() -> Mapping[str, frozenset[int]]:
    return _CALLS.get(platform.machine(), {})


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


# -- stacks ----------------------------------------------------------------------------------------------------------


def spy() -> str | None:
    """The path of py-spy: beside this Python, or on the PATH."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.is_file() else shutil.which("py-spy")


def jstack() -> str | None:
    """The path of jstack, of a JDK."""
    home = os.environ.get("JAVA_HOME")
    beside = Path(home, "bin", "jstack") if home else None
    return str(beside) if beside and beside.is_file() else shutil.which("jstack")


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal: it will not end by it."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


async def stacks(pid: int) -> tuple[str, str]:
    """(tool, what it says) of a Python or Java process; ("", why there is none) else. Takes `TOOL_S` at most."""
    kind = runtime(pid)
    if kind == "python":
        path = spy()
        if path is None:
            return "", "for stacks: pip install py-spy"
        return await _told("py-spy", [path, "dump", "--nonblocking", "--pid", str(pid)])
    if kind == "java":
        path = jstack()
        if path is None or not catches(pid, signal.SIGQUIT):
            return "", "for stacks: install a JDK (jstack)" if path is None else ""
        return await _told("jstack", [path, "-l", str(pid)])
    return "", ""


def sweep(pid: int) -> None:
    """What a virtual machine of Java that was killed has left in the system's folder: the socket by which it was asked
    for its stacks, and its counters. (It takes no TMPDIR for them.)"""
    for left in (f"/tmp/.java_pid{pid}", f"/tmp/hsperfdata_{getpass.getuser()}/{pid}"):
        with contextlib.suppress(OSError):
            os.unlink(left)


async def _told(tool: str, argv: Sequence[str]) -> tuple[str, str]:
    try:
        status, text = await _output(argv, TOOL_S)
    except OSError as error:
        return "", f"{tool} could not be run: {error.strerror}"
    if status is None:
        return "", f"{tool} did not answer within {TOOL_S:.0f} s"
    if status:
        return "", f"{tool} could not read the process: {text.strip().splitlines()[0][:200] if text.strip() else ''}"
    return tool, text


async def _output(argv: Sequence[str], deadline_s: float) -> tuple[int | None, str]:
    """(exit status, output); the status is None where it had to be killed. Raises OSError when it cannot be started."""
    process = subprocess.Popen(  # noqa: ASYNC220 - it only starts it; what it says is awaited
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert process.stdout is not None
    pipe, loop, over = process.stdout, asyncio.get_running_loop(), asyncio.Event()
    said = bytearray()
    os.set_blocking(pipe.fileno(), False)

    def readable() -> None:
        try:
            data = os.read(pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return
        if not data:
            loop.remove_reader(pipe.fileno())
            over.set()
        said.extend(data[: max(0, TOOL_BYTES - len(said))])

    loop.add_reader(pipe.fileno(), readable)
    try:
        async with asyncio.timeout(deadline_s):
            await over.wait()
        status = process.wait(0.1)
    except (TimeoutError, subprocess.TimeoutExpired):
        return None, ""
    finally:
        loop.remove_reader(pipe.fileno())
        pipe.close()
        process.kill()
        process.wait()
    return status, said.decode("utf-8", "replace")
