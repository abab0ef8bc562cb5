"""Framings, sans-I/O: how messages are cut out of TCP's stream of bytes.

TCP keeps no borders (RFC 9293, section 3.4). A *line* server puts them back with a newline; a *chunk* server hopes
that one `send` is one `recv`. `feed` takes what was read and gives the units that are complete; it never rescans
what it has seen, and never keeps more than `limit` bytes of an unfinished unit.
"""

from __future__ import annotations

from typing import Protocol

#: An unfinished line longer than this is given out in parts: a hostile server must not fill the harness's memory.
LONGEST_UNIT = 1 << 20


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
