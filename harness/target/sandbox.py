"""The worker's own world: a session, a reaper of orphans, death with its parent, and where the system allows a network
namespace, so that ports, packets and the kernel's counters are this server's alone.

Linux (prctl(2), unshare(2), user_namespaces(7)). Elsewhere a session is all there is; see docs/processes.md.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import time
import uuid
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, -1
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
RTM_NEWROUTE, RT_TABLE_LOCAL, RTPROT_BOOT, RT_SCOPE_HOST, RTN_LOCAL, RTA_OIF = 24, 255, 3, 254, 2, 4
NLM_F_CREATE_AND_TELL = 0x1 | 0x4 | 0x200 | 0x400  # REQUEST, ACK, EXCL, CREATE
COUNTERS = ("ListenOverflows", "ListenDrops", "SyncookiesSent", "TCPReqQFullDoCookies")
#: Buckets for connections in a network of our own: a storm's thousands still find their place.
TABLE_ENTRIES = 4096
#: The variable by which everything that a worker started is known, whatever became of its parents.
RUN_MARK = "HARNESS_RUN"
_LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None
_guard: tuple[int, int] | None = None


def enter(*, namespaces: bool) -> bool:
    """Make a freshly forked, single-threaded process the worker. True when it has a network namespace of its own."""
    with contextlib.suppress(OSError):
        os.setsid()
    if _libc is None:
        return False
    die_with_parent()
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ[RUN_MARK] = uuid.uuid4().hex
    _start_guard(os.environ[RUN_MARK])
    return namespaces and _unshare_network() is None


def leave() -> None:
    """End the guard: nothing is left that it would have to look for. Harmless when there is none."""
    global _guard
    if _guard is not None:
        pid, pipe = _guard
        _guard = None
        os.close(pipe)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def die_with_parent() -> None:
    """SIGKILL for this process when its parent dies. To be called right after a fork, or before an exec."""
    if _libc is not None:
        parent = os.getppid()
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # it died in between


def allow_looking() -> None:
    """Let a tool of the same user read this process's stacks, where the Yama security module would forbid it."""
    if _libc is not None:
        _libc.prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)


def _start_guard(mark: str) -> None:
    """A process that outlives a killed worker just long enough to kill what the worker had started."""
    global _guard
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            _watch(read_end, mark)
        os._exit(0)
    os.close(read_end)
    _guard = (pid, write_end)


def _watch(read_end: int, mark: str) -> None:
    """Wait for the end of the worker's pipe, then end everything that bears its mark."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)
    os.setsid()
    low, high = (0, 1, 2), os.sysconf("SC_OPEN_MAX")
    os.closerange(max(low) + 1, read_end)
    os.closerange(read_end + 1, min(high, 4096))
    while os.read(read_end, 1):
        pass
    for _ in range(50):
        if not _kill_marked(mark):
            return
        time.sleep(0.02)  # until the kernel has taken them away


def _kill_marked(mark: str) -> bool:
    """SIGKILL every other process that bears the mark; whether there was one."""
    wanted, found = f"{RUN_MARK}={mark}".encode(), False
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    os.kill(int(name), signal.SIGKILL)
                    found = True
            except OSError:
                continue
    return found


def _unshare_network() -> str | None:
    """A network namespace of our own with the loopback up; None, or why it is not to be had."""
    assert _libc is not None
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWNET) != 0:
        if _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            return os.strerror(ctypes.get_errno())
        try:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        except OSError as error:
            return str(error.strerror)
    _with_a_small_table()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
            flags = fcntl.ioctl(handle, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
            (number,) = struct.unpack_from("h", flags, 16)
            fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", number | IFF_UP))
    except OSError as error:
        return f"the loopback interface cannot be brought up: {error.strerror}"
    with contextlib.suppress(OSError):
        _every_address_is_here()
    with contextlib.suppress(OSError):
        Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")
    return None


def _with_a_small_table() -> None:
    """Exchange this network namespace for one with few buckets for its connections, where the kernel can (Linux 6.1).

    Each look at the sockets walks through all of them, and the machine's table has hundreds of thousands.
    """
    assert _libc is not None
    with contextlib.suppress(OSError):
        Path("/proc/sys/net/ipv4/tcp_child_ehash_entries").write_text(str(TABLE_ENTRIES))
        _libc.unshare(CLONE_NEWNET)


def _every_address_is_here() -> None:
    """Route all of IPv4 to the loopback of this namespace (`ip route add local 0.0.0.0/0 dev lo`; rtnetlink(7)).

    A server that listens on its machine's own address, or on one that its author wrote down at home, finds it here.
    """
    route = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, RT_TABLE_LOCAL, RTPROT_BOOT, RT_SCOPE_HOST, RTN_LOCAL, 0)
    body = route + struct.pack("=HHI", 8, RTA_OIF, socket.if_nametoindex("lo"))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.settimeout(2.0)
        link.send(struct.pack("=IHHII", 16 + len(body), RTM_NEWROUTE, NLM_F_CREATE_AND_TELL, 1, 0) + body)
        link.recv(4096)


def renew_network() -> None:
    """Another empty network namespace for whatever is opened from now on: no TIME_WAIT of an earlier server is in it.

    Only for a worker whose `enter` gave it one; what is open already stays in the old one.
    """
    _unshare_network()


def namespaces_allowed() -> tuple[bool, str]:
    """Whether a worker gets a network namespace; if not, why, and how to allow it."""
    if _libc is None:
        return False, "network namespaces exist on Linux only"
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write_end, (_unshare_network() or "").encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        why = answer.read()
    os.waitpid(pid, 0)
    if not why:
        return True, ""
    return False, (
        f"{why}; allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0), or run as root"
    )


def kernel_counters() -> dict[str, int]:
    """The kernel's counters of dropped handshakes in this network namespace; empty where there are none."""
    try:
        lines = Path("/proc/net/netstat").read_text().splitlines()
    except OSError:
        return {}
    found = {}
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        for key, value in zip(names.split()[1:], values.split()[1:], strict=False):
            if key in COUNTERS:
                found[key] = int(value)
    return found
