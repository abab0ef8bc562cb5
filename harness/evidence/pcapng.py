"""A capture as a file that Wireshark opens: pcapng, as draft-ietf-opsawg-pcapng describes it.

Three interfaces tell the legs apart: clients and the server without a proxy between, clients and the Toxiproxy, the
Toxiproxy and the server. Comments on packets tell the story beside them: each step of the scenario stands on the first
packet that came after it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from harness.evidence.ring import FRAME, Frame
from harness.history import Leg

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_ETHERNET_LINK = 1
_END, _COMMENT = 0, 1
_OS, _PROGRAM = 3, 4
_NAME, _DESCRIPTION, _RESOLUTION = 2, 3, 9
_NANOSECONDS = b"\x09"
#: What one comment may take, in characters.
_COMMENT_MOST = 500

#: The interfaces of a file, in their order: leg → name, description.
INTERFACES: Mapping[Leg, tuple[str, str]] = {
    "direct": ("client-server", "clients and the server, no proxy between them"),
    "client-proxy": ("client-proxy", "clients and the Toxiproxy"),
    "proxy-server": ("proxy-server", "the Toxiproxy and the server"),
}


def write(
    frames: Sequence[Frame], legs: Mapping[int, Leg], comments: Mapping[int, Sequence[str]], about: str, program: str
) -> bytes:
    """The file. `legs` and `comments` by the frame's number; `about` is the comment of the whole."""
    blocks = [_section(about, program)]
    blocks += [_interface(name, description) for name, description in INTERFACES.values()]
    numbers = {leg: number for number, leg in enumerate(INTERFACES)}
    blocks += [
        _packet(numbers[legs.get(number, "direct")], frame, comments.get(number, ()))
        for number, frame in enumerate(frames)
    ]
    return b"".join(blocks)


def _section(about: str, program: str) -> bytes:
    body = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    return _block(_SECTION, body + _options([(_COMMENT, _text(about)), (_OS, b"Linux"), (_PROGRAM, _text(program))]))


def _interface(name: str, description: str) -> bytes:
    body = struct.pack("<HHI", _ETHERNET_LINK, 0, FRAME)
    told = [(_NAME, name.encode()), (_DESCRIPTION, description.encode()), (_RESOLUTION, _NANOSECONDS)]
    return _block(_INTERFACE, body + _options(told))


def _packet(interface: int, frame: Frame, comments: Iterable[str]) -> bytes:
    head = struct.pack(
        "<IIIII", interface, frame.at_ns >> 32, frame.at_ns & 0xFFFFFFFF, len(frame.data), max(frame.length, len(frame.data))
    )  # fmt: skip
    return _block(_PACKET, head + _padded(frame.data) + _options([(_COMMENT, _text(one)) for one in comments]))


def _block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _options(options: Sequence[tuple[int, bytes]]) -> bytes:
    if not options:
        return b""
    written = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return written + struct.pack("<HH", _END, 0)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _text(text: str) -> bytes:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_COMMENT_MOST])
    return shown.encode("utf-8", "replace")
