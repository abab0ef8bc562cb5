"""Framings, sans-I/O: how messages are cut out of TCP's stream of bytes.

TCP keeps no borders (RFC 9293, section 3.4). A *line* server puts them back with a newline; a *chunk* server hopes
that one `send` is one `recv`; others count, terminate or fill up their messages. `feed` takes what was read and gives the units that are complete; it never rescans
what it has seen, and never keeps more than `limit` bytes of an unfinished unit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal, Protocol

#: An unfinished line longer than this is given out in parts: a hostile server must not fill the harness's memory.
LONGEST_UNIT = 1 << 20
_DECODER = json.JSONDecoder()


class Framing(Protocol):
    """One direction's framing."""

    def encode(self, message: bytes) -> bytes:
        """The bytes that carry one message."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they were read; give the units that they complete, without their borders."""

    @property
    def pending(self) -> bytes:
        """What has come of a unit that is not complete: a prompt without a newline stands here."""


class LineFraming:
    """Units end with a newline; a carriage return before it belongs to the border."""

    def __init__(self, newline: str = "\n", limit: int = LONGEST_UNIT) -> None:
        self._newline = newline.encode("ascii")
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def encode(self, message: bytes) -> bytes:
        """The message and its newline. A newline inside the message is the caller's business (and intent)."""
        return message + self._newline

    def feed(self, data: bytes) -> list[bytes]:
        """Split at LF, strip one CR before it."""
        if b"\n" not in data:
            self._parts.append(data)
            self._size += len(data)
            return [self._take()] if self._size > self._limit else []
        head, *rest = data.split(b"\n")
        self._parts.append(head)
        units = [self._take(), *rest[:-1]]
        if rest[-1]:
            self._parts, self._size = [rest[-1]], len(rest[-1])
        return [unit.removesuffix(b"\r") for unit in units]

    @property
    def pending(self) -> bytes:
        """The unfinished line."""
        return b"".join(self._parts)

    def _take(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts, self._size = [], 0
        return whole


class ChunkFraming:
    """What one read brings is one unit; `newline` is put behind each message that is sent (often nothing)."""

    def __init__(self, newline: str = "") -> None:
        self._newline = newline.encode("ascii")

    def encode(self, message: bytes) -> bytes:
        """The message as it is, with the dialect's terminator if it has one."""
        return message + self._newline

    def feed(self, data: bytes) -> list[bytes]:
        """The chunk itself."""
        return [data] if data else []

    @property
    def pending(self) -> bytes:
        """Nothing is ever unfinished."""
        return b""


class CountedFraming:
    """Frames whose size is told before them (see `head`). A size that cannot be true is no size: from there on all is given out raw.

    That keeps a wrong guess, or a server out of step, from making the harness wait for two gigabytes.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lost = False

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now."""
        if self._lost:
            return [data] if data else []
        self._buffer += data
        units: list[bytes] = []
        start = 0
        while (head := self._head(start)) is not None:
            begin, size = head
            if size < 0 or size > LONGEST_UNIT:
                units.append(bytes(self._buffer[start:]))
                self._buffer.clear()
                self._lost = True
                return units
            if len(self._buffer) < begin + size:
                break
            units.append(bytes(self._buffer[begin : begin + size]))
            start = begin + size
        del self._buffer[:start]
        return units

    @property
    def pending(self) -> bytes:
        """The unfinished frame, its head included."""
        return bytes(self._buffer)

    def head(self, size: int) -> bytes:
        """What stands before a frame of so many bytes; also for a size that is a lie: one below zero, or far too large."""
        raise NotImplementedError

    def _head(self, start: int) -> tuple[int, int] | None:
        """Where the frame's bytes begin and how many they are (-1: that is no size), or None as long as that is open."""
        raise NotImplementedError


class HeaderFraming(CountedFraming):
    """The size in decimal digits, padded with blanks to a fixed width, then the message.

    A server may let a header's blanks stand before the digits or behind them, or fill up with zeros.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self._width = width

    def encode(self, message: bytes) -> bytes:
        """The header and the message."""
        return self.head(len(message)) + message

    def head(self, size: int) -> bytes:
        """The digits (with a minus sign, below zero), blanks behind them; cut at the header's width."""
        return str(size).encode("ascii").ljust(self._width)[: self._width]

    def _head(self, start: int) -> tuple[int, int] | None:
        told = self._buffer[start : start + self._width]
        if told.strip(b" 0123456789\0"):
            return start, -1
        if len(told) < self._width:
            return None
        digits = bytes(told).strip(b" \0")
        return start + self._width, int(digits) if digits.isdigit() and len(digits) < 12 else -1


class LengthFraming(CountedFraming):
    """The size as a binary number of 1, 2, 4 or 8 bytes, then the message."""

    def __init__(self, width: int = 4, order: Literal["big", "little"] = "big") -> None:
        super().__init__()
        self._width, self._order = width, order

    def encode(self, message: bytes) -> bytes:
        """The size and the message; a message that is too long for the size is cut."""
        message = message[: min(256**self._width - 1, LONGEST_UNIT)]
        return self.head(len(message)) + message

    def head(self, size: int) -> bytes:
        """The number; below zero in two's complement; the highest there is where it does not fit."""
        highest: int = 256**self._width - 1
        return (min(size, highest) & highest).to_bytes(self._width, self._order)

    def _head(self, start: int) -> tuple[int, int] | None:
        told = self._buffer[start : start + self._width]
        if len(told) < self._width:
            return None
        return start + self._width, int.from_bytes(told, self._order)


class UtfFraming(LengthFraming):
    """Java's `writeUTF`: a length of 2 bytes, then *modified* UTF-8 (java.io.DataInput).

    There a character beyond U+FFFF is two surrogates of three bytes each, and NUL is C0 80; `readUTF` raises on the four
    bytes that everybody else writes. Units are given out in plain UTF-8; bytes that are no UTF-8 stay as they are.
    """

    def __init__(self) -> None:
        super().__init__(2, "big")

    def encode(self, message: bytes) -> bytes:
        """The length and the message; one that is too long is cut."""
        return super().encode(_FOUR_BYTES.sub(_as_surrogates, message).replace(b"\0", b"\xc0\x80"))

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete."""
        return [_PAIR.sub(_as_one, unit).replace(b"\xc0\x80", b"\0") for unit in super().feed(data)]


_FOUR_BYTES = re.compile(rb"\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}")
_PAIR = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def _as_surrogates(found: re.Match[bytes]) -> bytes:
    pair = found[0].decode("utf-8").encode("utf-16-be")
    return b"".join(
        pair[at : at + 2].decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass") for at in (0, 2)
    )


def _as_one(found: re.Match[bytes]) -> bytes:
    return found[0].decode("utf-8", "surrogatepass").encode("utf-16-be", "surrogatepass").decode("utf-16-be").encode()


class TerminatedFraming:
    """Units end with a terminator that is no newline: a NUL, or a home-made separator. Empty ones are none."""

    def __init__(self, terminator: str = "\0", limit: int = LONGEST_UNIT) -> None:
        self._end = terminator.encode("utf-8")
        self._limit = limit
        self._buffer = bytearray()
        self._seen = 0

    def encode(self, message: bytes) -> bytes:
        """The message and its terminator."""
        return message + self._end

    def feed(self, data: bytes) -> list[bytes]:
        """Split at the terminator; what was searched is not searched again."""
        self._buffer += data
        units, start = [], 0
        while (end := self._buffer.find(self._end, max(start, self._seen))) >= 0:
            units.append(bytes(self._buffer[start:end]))
            start = self._seen = end + len(self._end)
        del self._buffer[:start]
        self._seen = max(0, len(self._buffer) - len(self._end) + 1)
        if len(self._buffer) > self._limit:
            units.append(bytes(self._buffer))
            self._buffer.clear()
            self._seen = 0
        return [unit for unit in units if unit]

    @property
    def pending(self) -> bytes:
        """The unfinished unit."""
        return bytes(self._buffer)


class FixedFraming:
    """Blocks of a fixed size, filled up with zeros: a C struct with a field for the name and one for the message.

    A message holds its fields apart by a NUL (`{name}\\0{text}`); one without a NUL is the last field. A unit is the
    fields without their zeros, a blank between them.
    """

    def __init__(self, fields: tuple[int, ...] = (2048,)) -> None:
        self._fields = fields
        self._size = sum(fields)
        self._buffer = bytearray()

    def encode(self, message: bytes) -> bytes:
        """The fields, each cut or filled up to its size; the last byte of each stays zero, as C wants it."""
        parts = message.split(b"\0")[: len(self._fields)]
        parts = [b""] * (len(self._fields) - len(parts)) + parts
        return b"".join(part[: size - 1].ljust(size, b"\0") for part, size in zip(parts, self._fields, strict=True))

    def feed(self, data: bytes) -> list[bytes]:
        """The blocks that are complete."""
        self._buffer += data
        whole = len(self._buffer) // self._size * self._size
        units = [self._unit(bytes(self._buffer[at : at + self._size])) for at in range(0, whole, self._size)]
        del self._buffer[:whole]
        return [unit for unit in units if unit]

    @property
    def pending(self) -> bytes:
        """The unfinished block."""
        return bytes(self._buffer)

    def _unit(self, block: bytes) -> bytes:
        parts, at = [], 0
        for size in self._fields:
            parts.append(block[at : at + size].split(b"\0", 1)[0])
            at += size
        return b" ".join(part for part in parts if part)


class JsonFraming:
    """JSON values one after the other, a line each or a chunk each (RFC 8259).

    A unit is the text of a value's strings and numbers in their order, unescaped, a blank between them: what people
    read, without the server's key names. What is no JSON is given out as it is, a line at a time.
    """

    def __init__(self, newline: str = "\n", limit: int = LONGEST_UNIT) -> None:
        self._newline = newline.encode("ascii")
        self._limit = limit
        self._buffer = bytearray()
        self._at = self._depth = 0
        self._quoted = self._escaped = False

    def encode(self, message: bytes) -> bytes:
        """The message, which is JSON already, and the newline if there is one."""
        return message + self._newline

    def feed(self, data: bytes) -> list[bytes]:
        """The values that are complete, each as the text in it."""
        self._buffer += data
        units, start = [], 0
        for at in range(self._at, len(self._buffer)):
            if self._over(self._buffer[at]):
                units.append(readable(bytes(self._buffer[start : at + 1])))
                start = at + 1
        del self._buffer[:start]
        self._at = len(self._buffer)
        if self._at > self._limit:
            units.append(bytes(self._buffer))
            self._buffer.clear()
            self._at = self._depth = 0
            self._quoted = self._escaped = False
        return [unit for unit in units if unit.strip()]

    def _over(self, byte: int) -> bool:
        """Whether a value (or a line that is none) ends with this byte."""
        if self._escaped:
            self._escaped = False
        elif self._quoted:
            self._escaped = byte == 0x5C
            self._quoted = byte != 0x22
        elif byte == 0x22 and self._depth:
            self._quoted = True
        elif byte in b"{[":
            self._depth += 1
        elif byte in b"}]" and self._depth:
            self._depth -= 1
            return self._depth == 0
        return byte == 0x0A and not self._depth

    @property
    def pending(self) -> bytes:
        """The unfinished value."""
        return bytes(self._buffer)


class Readable:
    """Another framing, whose units are JSON: given out as the text in them (see `JsonFraming`). Text stays as it is."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing

    def encode(self, message: bytes) -> bytes:
        """As the other framing does it."""
        return self._framing.encode(message)

    def feed(self, data: bytes) -> list[bytes]:
        """The texts of the units that are complete."""
        return [readable(unit) if unit.lstrip()[:1] in (b"{", b"[") else unit for unit in self._framing.feed(data)]

    @property
    def pending(self) -> bytes:
        """As the other framing has it."""
        return self._framing.pending


def readable(value: bytes) -> bytes:
    """The strings and numbers in JSON values that follow each other, in their order; what is no JSON stays as it is."""
    parts, at = list[object](), 0
    try:
        text = value.decode("utf-8").strip()
        while at < len(text):
            part, end = _DECODER.raw_decode(text, at)
            parts.append(part)
            at = end + len(text[end:]) - len(text[end:].lstrip())
    except (ValueError, RecursionError):
        return value.strip()
    return " ".join(_leaves(parts)).encode("utf-8", "surrogatepass")


def _leaves(value: object) -> Iterator[str]:
    """Depth first, without recursion: the nesting is a stranger's."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left.extend(reversed(list(one.values())))
        elif isinstance(one, list):
            left.extend(reversed(one))
        elif isinstance(one, str):
            yield one
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield str(one)
