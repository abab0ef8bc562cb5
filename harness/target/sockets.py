"""The kernel's table of TCP sockets, over netlink (sock_diag(7)): ports, states, unread bytes, without a connection.

Where there is no netlink, psutil gives the same with less.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
STATES = {
    1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT", 7: "CLOSE",
    8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING", 12: "NEW_SYN_RECV",
}  # fmt: skip
LISTEN = 1 << 10
#: The kernel keeps a port of a connection that the server closed first for a minute; a little more, in seconds.
TIME_WAIT_S = 65.0
ALL = 0xFFF
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI48x")
_MESSAGE = struct.Struct("=BBBB")


@dataclass(frozen=True, slots=True)
class Socket:
    """One TCP socket of this network namespace. For a listening one `unread` is the length of its accept queue."""

    state: str
    address: str
    port: int
    peer_port: int
    unread: int
    inode: int


def tcp(states: int = ALL) -> list[Socket]:
    """All TCP sockets in these states, of both families."""
    try:
        return [found for family in (socket.AF_INET, socket.AF_INET6) for found in _dump(family, states)]
    except (OSError, AttributeError):
        return list(_psutil(states))


def _dump(family: int, states: int) -> Iterator[Socket]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as link:
        link.settimeout(2.0)
        body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, states)
        link.send(_HEADER.pack(16 + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body)
        while True:
            data = link.recv(1 << 18)
            offset = 0
            while offset + 16 <= len(data):
                length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
                if kind in (NLMSG_DONE, NLMSG_ERROR) or length < 16:
                    return
                yield _parse(data, offset + 16, family)
                offset += (length + 3) & ~3


def _parse(data: bytes, at: int, family: int) -> Socket:
    """struct inet_diag_msg: family, state, timer, retrans; ports and addresses; expires, rqueue, wqueue, uid, inode."""
    _, state, _, _ = _MESSAGE.unpack_from(data, at)
    port, peer = struct.unpack_from("!HH", data, at + 4)
    raw = data[at + 8 : at + 24]
    address = socket.inet_ntop(family, raw[:4] if family == socket.AF_INET else raw)
    _, unread, _, _, inode = struct.unpack_from("=IIIII", data, at + 52)
    return Socket(STATES.get(state, str(state)), address, port, peer, unread, inode)


def _psutil(states: int) -> Iterator[Socket]:
    wanted = {name for number, name in STATES.items() if states >> number & 1}
    for found in psutil.net_connections("tcp"):
        if found.status in wanted and found.laddr:
            peer = found.raddr.port if found.raddr else 0
            yield Socket(found.status, found.laddr.ip, found.laddr.port, peer, 0, 0)


def unread(server_port: int, client_port: int) -> int | None:
    """Bytes that the server has not read of the connection from `client_port`; None when there is none."""
    for found in tcp(1 << 1 | 1 << 8 | 1 << 4 | 1 << 5):
        if found.port == server_port and found.peer_port == client_port:
            return found.unread
    return None


def listeners(host: str, port: int) -> list[int]:
    """The processes of this machine that listen at an address, as far as they may be looked at."""
    inodes = {f"socket:[{s.inode}]" for s in tcp(LISTEN) if s.port == port and s.address in (host, "0.0.0.0", "::")}
    found: list[int] = []
    with contextlib.suppress(OSError):
        for pid in (name for name in os.listdir("/proc") if inodes and name.isdigit()):
            with contextlib.suppress(OSError):
                if any(os.readlink(f"/proc/{pid}/fd/{fd}") in inodes for fd in os.listdir(f"/proc/{pid}/fd")):
                    found.append(int(pid))
    return found


def datagram(inodes: set[int]) -> bool:
    """Whether one of these sockets is a UDP one that is bound to a port."""
    for name in ("udp", "udp6"):
        with contextlib.suppress(OSError, IndexError):
            for line in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]:
                if int(line.split()[9]) in inodes:
                    return True
    return False


def await_free(port: int) -> None:
    """Wait while closed connections of an earlier server keep a port (TIME_WAIT), and nobody listens there."""
    end = time.monotonic() + TIME_WAIT_S
    while time.monotonic() < end:
        states = {found.state for found in tcp() if found.port == port}
        if "LISTEN" in states or not states & {"TIME_WAIT", "FIN_WAIT2", "LAST_ACK"}:
            return
        time.sleep(0.2)  # the kernel tells nobody when a port is free again


def reachable(address: str) -> str:
    """The address at which a socket bound to `address` is reached from here."""
    if address in ("0.0.0.0", "::ffff:0.0.0.0"):
        return "127.0.0.1"
    if address == "::":
        return "127.0.0.1"
    return address.removeprefix("::ffff:")


def is_dual(port: int) -> bool:
    """Whether a server that listens on `::` is reached over IPv4 too; found out by the kernel's own rules.

    A socket bound to `::` takes IPv4 unless it is IPV6_V6ONLY: then somebody else could still bind IPv4.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_port(forbidden: Iterable[int] = ()) -> int:
    """A port that nobody listens on, below the range from which clients get theirs. Raises OSError."""
    import random

    taken = set(forbidden)
    for _ in range(200):
        port = random.SystemRandom().randrange(12_000, 31_000)
        if port in taken:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError("no free port was found")
