"""A byte stream cut into lines, in bounded memory, however TCP cut or joined the bytes.

A line longer than allowed is noticed as soon as it is, reported once as TOO_LONG, and swallowed up to its newline; so
an endless line costs nothing. What stands after the last newline when the input ends is no line, and is dropped: only
a newline tells that the sender had finished.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

TOO_LONG: Final = None
"""Stands in the place of a line that was longer than allowed."""


class LineBuffer:
    """Bytes go in with `feed`, lines come out of `ready`, without newline and one trailing CR."""

    def __init__(self, max_line: int) -> None:
        self.ready: deque[bytes | Literal[None]] = deque()
        self._max_line = max_line
        self._tail = b""
        self._swallowing = False

    def feed(self, data: bytes) -> None:
        """Take in what was received; empty lines are left out here, so that a flood of them stays cheap."""
        if self._swallowing:
            _, newline, data = data.partition(b"\n")
            if not newline:
                return
            self._swallowing = False
        *whole, tail = (self._tail + data).split(b"\n")
        for line in whole:
            if line and line != b"\r":
                self.ready.append(self._checked(line.removesuffix(b"\r")))
        if len(tail) > self._max_line + 1:  # 1: its last byte may be the CR
            self.ready.append(TOO_LONG)
            self._swallowing, tail = True, b""
        self._tail = tail

    def _checked(self, line: bytes) -> bytes | Literal[None]:
        return line if len(line) <= self._max_line else TOO_LONG
