"""A capture of the loopback without a process and without a reader: the kernel writes into memory that we look at later.

An AF_PACKET socket with a ring of fixed frames (packet(7), PACKET_RX_RING, TPACKET_V2; Documentation/networking/
packet_mmap.rst) and a classic BPF filter on the ports that matter. While a scenario runs this costs the kernel some
microseconds a packet and the harness nothing. Frames are filled from the first to the last and never given back, so
that the beginning is kept and what no longer fits is counted. What opens and ends connections (SYN, FIN, RST) has a ring
of its own, so that no talk, however loud, takes its place. Needs CAP_NET_RAW: root, or a user + network namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_SOL_PACKET = 263
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION, _PACKET_IGNORE_OUTGOING = 5, 6, 10, 23
_TPACKET_V2, _TP_STATUS_USER = 1, 1
_ETH_P_ALL = 0x0003
_SO_ATTACH_FILTER = 26

_BLOCK = 1 << 17


class Shape(NamedTuple):
    """The size of a ring: bytes of a frame (its header, the packet's headers, some of what was said), and its blocks."""

    frame: int
    blocks: int

    @property
    def most(self) -> int:
        """So many packets fit."""
        return self.blocks * (_BLOCK // self.frame)


#: For what was said and acknowledged, with some two hundred bytes of it, 2 MB; for SYN, FIN and RST, 1.5 MB: a thousand
#: clients that come and go twice.
TALK, TURNS = Shape(320, 16), Shape(192, 12)
#: As much of a packet as any ring keeps.
FRAME = TALK.frame
_HEADER = struct.Struct("=IIIHHII")  # status, length, kept, mac, net, seconds, nanoseconds
_KEEP_ALL = 0x40000  # a filter's answer: as much of the packet as there is


class NoCapture(Exception):
    """Packets cannot be captured here; the message is the reason, with what to do about it."""


class Frame(NamedTuple):
    """One packet: when (nanoseconds since the epoch), its bytes as far as kept, its whole length."""

    at_ns: int
    data: bytes
    length: int


class Ring:
    """A capture that is running. Raises NoCapture when the system does not allow it. To be closed."""

    def __init__(self, interface: str = "lo") -> None:
        if not sys.platform.startswith("linux"):
            raise NoCapture("packets are captured on Linux only")
        self._ports: list[int] = []
        self._halves: list[_Half] = []
        try:
            for shape, turns in ((TURNS, True), (TALK, False)):
                self._halves.append(_Half(interface, shape, turns=turns))
        except NoCapture:
            self.close()
            raise

    def watch(self, port: int) -> None:
        """Capture what comes from or goes to this TCP port, from now on, besides the others."""
        if port not in self._ports:
            self._ports.append(port)
            for half in self._halves:
                with contextlib.suppress(OSError):
                    half.attach(self._ports)

    def read(self) -> tuple[list[Frame], int]:
        """The packets so far, in order, and how many came after there was no more room."""
        found = [half.read() for half in self._halves]
        return sorted((frame for frames, _ in found for frame in frames), key=lambda f: f.at_ns), sum(
            n for _, n in found
        )

    def close(self) -> None:
        """Give everything back, which takes the kernel some tens of milliseconds. Harmless when repeated."""
        for half in self._halves:
            half.close()
        self._halves = []


class _Half:
    """One ring with its socket: for the turns of connections, or for all the rest."""

    def __init__(self, interface: str, shape: Shape, *, turns: bool) -> None:
        self._shape, self._turns = shape, turns
        self._memory: mmap.mmap | None = None
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except OSError as error:
            raise NoCapture(f"{error.strerror}: {HOW_TO_ALLOW}") from None
        try:
            self._set_up(interface)
        except OSError as error:
            self.close()
            raise NoCapture(f"no packet ring here: {error.strerror}") from None

    def _set_up(self, interface: str) -> None:
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)  # the loopback shows each packet twice
        ring = struct.pack("IIII", _BLOCK, self._shape.blocks, self._shape.frame, self._shape.most)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, ring)
        self._memory = mmap.mmap(self._socket.fileno(), self._shape.blocks * _BLOCK)
        self.attach([])
        self._socket.bind((interface, _ETH_P_ALL))

    def attach(self, ports: Iterable[int]) -> None:
        """Keep what comes from or goes to these ports from now on. Raises OSError."""
        program = b"".join(struct.pack("HBBI", *line) for line in port_filter(ports, turns=self._turns))
        code = ctypes.create_string_buffer(program)
        self._socket.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program) // 8, ctypes.addressof(code))
        )

    def read(self) -> tuple[list[Frame], int]:
        """The packets so far, in order, and how many came after the ring was full."""
        if self._memory is None:
            return [], 0
        frames = list(self._frames(self._memory))
        counted = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        _, dropped = struct.unpack("II", counted)
        return frames, dropped

    def _frames(self, memory: mmap.mmap) -> Iterator[Frame]:
        size = self._shape.frame
        for block in range(0, self._shape.blocks * _BLOCK, _BLOCK):
            for at in range(block, block + (_BLOCK // size) * size, size):
                status, length, kept, mac, _, seconds, nanoseconds = _HEADER.unpack_from(memory, at)
                if not status & _TP_STATUS_USER:
                    return
                begin = at + mac
                yield Frame(
                    seconds * 1_000_000_000 + nanoseconds, memory[begin : begin + min(kept, size - mac)], length
                )

    def close(self) -> None:
        """Give it back. Harmless when repeated."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        self._socket.close()


#: What to do where packets may not be captured.
HOW_TO_ALLOW = (
    "capturing needs root, CAP_NET_RAW (sudo setcap cap_net_raw+ep on the Python interpreter), or unprivileged user "
    "namespaces (sudo sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0)"
)


def why_no_capture() -> str | None:
    """Why this process may not capture, with what to do about it; None when it may."""
    try:
        Ring().close()
    except NoCapture as error:
        return str(error)
    return None


# -- the filter --------------------------------------------------------------------------------------------------

_LD_HALF, _LD_BYTE, _LD_HALF_INDEXED, _LD_BYTE_INDEXED, _LDX_IHL = 0x28, 0x30, 0x48, 0x50, 0xB1
_JA, _JEQ, _JSET, _RET = 0x05, 0x15, 0x45, 0x06
_ETHERTYPE, _IPV4, _IPV6, _TCP = 12, 0x0800, 0x86DD, 6
_SYN_FIN_RST = 0x07

Line = tuple[int, int, int, int]


def port_filter(ports: Iterable[int], *, turns: bool | None = None) -> list[Line]:
    """Classic BPF (code, jump if true, jump if false, value) that keeps TCP packets from or to any of these ports.

    `turns` True: of them only those with SYN, FIN or RST; False: only those without; None: all.
    """
    wanted = list(ports)
    if not wanted:
        return [(_RET, 0, 0, 0)]
    four = _either(
        wanted, (_LD_HALF_INDEXED, 0, 0, 14), (_LD_HALF_INDEXED, 0, 0, 16), (_LD_BYTE_INDEXED, 0, 0, 27), turns
    )
    six = _either(wanted, (_LD_HALF, 0, 0, 54), (_LD_HALF, 0, 0, 56), (_LD_BYTE, 0, 0, 67), turns)
    no = len(four) - 2  # in either block, the line that says no
    return [
        (_LD_HALF, 0, 0, _ETHERTYPE),
        (_JEQ, 0, 3 + len(four), _IPV4),
        (_LD_BYTE, 0, 0, 23),
        (_JEQ, 0, 1 + no, _TCP),
        (_LDX_IHL, 0, 0, 14),
        *four,
        (_JEQ, 0, 2 + no, _IPV6),
        (_LD_BYTE, 0, 0, 20),
        (_JEQ, 0, no, _TCP),
        *six,
    ]


def _either(ports: list[int], source: Line, destination: Line, flags: Line, turns: bool | None) -> list[Line]:
    """Say yes (the last line) when one of two loaded values is one of the ports and the flags fit, else no (before it)."""
    look: list[Line] = []
    if turns is not None:
        yes, no = (1, 0) if turns else (0, 1)
        look = [(_JA, 0, 0, 2), flags, (_JSET, yes, no, _SYN_FIN_RST)]  # whose port is not wanted jumps to the no
    found = 2 * (len(ports) + 1) + 1
    lines: list[Line] = []
    for load in (source, destination):
        lines.append(load)
        lines += [(_JEQ, found - place - 1, 0, port) for place, port in enumerate(ports, len(lines))]
    return [*lines, *look, (_RET, 0, 0, 0), (_RET, 0, 0, _KEEP_ALL)]
