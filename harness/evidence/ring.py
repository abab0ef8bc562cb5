"""A capture of the loopback without a process and without a reader: the kernel writes into memory that we look at later.

An AF_PACKET socket with a ring of fixed frames (packet(7), PACKET_RX_RING, TPACKET_V2; Documentation/networking/
packet_mmap.rst) and a classic BPF filter on the ports that matter. While a scenario runs this costs the kernel some
microseconds a packet and the harness nothing. Frames are filled from the first to the last and never given back, so
that the beginning is kept and what no longer fits is counted. Needs CAP_NET_RAW: root, or a user + network namespace.
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

#: One frame of the ring: its header, the packet's headers and some two hundred bytes of what was said.
FRAME = 320
_BLOCK, _BLOCKS = 1 << 17, 16
#: So many packets are kept of one scenario, 2 MB.
MOST_FRAMES = _BLOCKS * (_BLOCK // FRAME)
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
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except OSError as error:
            raise NoCapture(f"{error.strerror}: {HOW_TO_ALLOW}") from None
        self._ports: list[int] = []
        self._memory: mmap.mmap | None = None
        try:
            self._set_up(interface)
        except OSError as error:
            self.close()
            raise NoCapture(f"no packet ring here: {error.strerror}") from None

    def _set_up(self, interface: str) -> None:
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)  # the loopback shows each packet twice
        ring = struct.pack("IIII", _BLOCK, _BLOCKS, FRAME, MOST_FRAMES)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, ring)
        self._memory = mmap.mmap(self._socket.fileno(), _BLOCKS * _BLOCK)
        self._attach()
        self._socket.bind((interface, _ETH_P_ALL))

    def watch(self, port: int) -> None:
        """Capture what comes from or goes to this TCP port, from now on, besides the others."""
        if port not in self._ports:
            self._ports.append(port)
            with contextlib.suppress(OSError):
                self._attach()

    def _attach(self) -> None:
        program = b"".join(struct.pack("HBBI", *line) for line in port_filter(self._ports))
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

    @staticmethod
    def _frames(memory: mmap.mmap) -> Iterator[Frame]:
        for block in range(0, _BLOCKS * _BLOCK, _BLOCK):
            for at in range(block, block + (_BLOCK // FRAME) * FRAME, FRAME):
                status, length, kept, mac, _, seconds, nanoseconds = _HEADER.unpack_from(memory, at)
                if not status & _TP_STATUS_USER:
                    return
                begin = at + mac
                yield Frame(
                    seconds * 1_000_000_000 + nanoseconds, memory[begin : begin + min(kept, FRAME - mac)], length
                )

    def close(self) -> None:
        """Give everything back, which takes the kernel some tens of milliseconds. Harmless when repeated."""
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

_LD_HALF, _LD_BYTE, _LD_HALF_INDEXED, _LDX_IHL, _JEQ, _RET = 0x28, 0x30, 0x48, 0xB1, 0x15, 0x06
_ETHERTYPE, _IPV4, _IPV6, _TCP = 12, 0x0800, 0x86DD, 6

Line = tuple[int, int, int, int]


def port_filter(ports: Iterable[int]) -> list[Line]:
    """Classic BPF (code, jump if true, jump if false, value) that keeps TCP packets from or to any of these ports."""
    wanted = list(ports)
    if not wanted:
        return [(_RET, 0, 0, 0)]
    four = _either(wanted, (_LD_HALF_INDEXED, 0, 0, 14), (_LD_HALF_INDEXED, 0, 0, 16))
    six = _either(wanted, (_LD_HALF, 0, 0, 54), (_LD_HALF, 0, 0, 56))
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


def _either(ports: list[int], source: Line, destination: Line) -> list[Line]:
    """Say yes (the last line) when one of two loaded values is one of the ports, else no (the line before)."""
    yes = 2 * (len(ports) + 1) + 1
    lines: list[Line] = []
    for load in (source, destination):
        lines.append(load)
        lines += [(_JEQ, yes - place - 1, 0, port) for place, port in enumerate(ports, len(lines))]
    return [*lines, (_RET, 0, 0, 0), (_RET, 0, 0, _KEEP_ALL)]
