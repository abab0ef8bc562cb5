"""TCP segments: what of a captured packet says who spoke to whom, and how (RFC 9293, section 3.1).

Every scenario's packets are looked at, those that pass too, so this takes a microsecond or two a packet where a
dissector's library takes fifty. What is kept as a file is read back with the library (`packets`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from harness.evidence.ring import Frame

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_NAMES = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (PSH, "PSH"), (ACK, "ACK"))
_TCP = struct.Struct("!HHIIBB")
#: What nearly every packet is: Ethernet, IPv4 without options, TCP; from the Ethernet type on.
_USUAL = struct.Struct("!2sBxH5xB2x4s4sHHIIBB")
_NO_OPTIONS, _PROTOCOL_TCP = 0x45, 6
_ETHERNET = 14
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"

Endpoint = tuple[bytes, int]


class Segment(NamedTuple):
    """One TCP segment; `frame` is its number in the capture, `length` that of what it carries."""

    frame: int
    at_ns: int
    source: Endpoint
    target: Endpoint
    flags: int
    seq: int
    ack: int
    length: int


def segments(frames: Iterable[Frame]) -> Iterator[Segment]:
    """The TCP segments among these packets; what is none, or cut within its headers, is left out."""
    for number, frame in enumerate(frames):
        found = _segment(number, frame)
        if found is not None:
            yield found


def _segment(number: int, frame: Frame) -> Segment | None:
    data = frame.data
    if len(data) >= 12 + _USUAL.size:
        kind, ihl, whole, protocol, a, b, source, target, seq, ack, offset, flags = _USUAL.unpack_from(data, 12)
        if kind == _IPV4 and ihl == _NO_OPTIONS and protocol == _PROTOCOL_TCP and whole:
            length = whole - 20 - 4 * (offset >> 4)
            return Segment(number, frame.at_ns, (a, source), (b, target), flags, seq, ack, max(0, length))
    return _unusual(number, frame)


def _unusual(number: int, frame: Frame) -> Segment | None:
    """IPv6, options, a length that the kernel left open (large segments on the loopback)."""
    data = frame.data
    kind = data[12:14]
    try:
        if kind == _IPV4:
            start = _ETHERNET + 4 * (data[14] & 0x0F)
            whole = _ETHERNET + int.from_bytes(data[16:18], "big") if data[16:18] != b"\0\0" else frame.length
            ends = data[26:30], data[30:34]
        elif kind == _IPV6:
            start, whole = _ETHERNET + 40, frame.length
            ends = data[22:38], data[38:54]
        else:
            return None
        source, target, seq, ack, offset, flags = _TCP.unpack_from(data, start)
    except (IndexError, struct.error):
        return None
    length = max(0, whole - start - 4 * (offset >> 4))
    return Segment(number, frame.at_ns, (ends[0], source), (ends[1], target), flags, seq, ack, length)


def flag_names(flags: int) -> str:
    """`SYN-ACK`, `FIN-ACK`, `RST`, `PSH-ACK` …; a dot for none."""
    return "-".join(name for bit, name in _NAMES if flags & bit) or "."
