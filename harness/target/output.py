"""What a server prints: always drained, never more kept than its beginning and its end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

#: Kept of the beginning, and of the end, in bytes.
KEPT = 64 << 10
#: Taken at one turn of the loop, in bytes: a flood must not starve the rest.
AT_ONCE = 256 << 10
#: Moments remembered, of the first lines: what comes later is told with the last of them.
MOMENTS = 400
#: Lines that follow one another so closely were printed together, as long as that is not longer than this; what goes on
#: with what stands before it (the lines of a traceback) has longer. Seconds.
CLOSE_S, TOGETHER_S, GOES_ON_S = 0.02, 0.05, 0.5


class Drain:
    """Reads a pipe on the event loop until its end."""

    def __init__(self, pipe: BinaryIO, log_path: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moments: list[tuple[float, int]] = []  # when a line began to come, and at which byte
        self._line_ended = True
        self._last_s = float("-inf")  # when something came last
        self._pipe: BinaryIO | None = pipe
        self._log_path = log_path
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0
        os.set_blocking(pipe.fileno(), False)
        asyncio.get_running_loop().add_reader(pipe.fileno(), self._readable)

    def _readable(self) -> None:
        if self._pipe is None:
            return
        taken = 0
        while taken < AT_ONCE:
            try:
                data = os.read(self._pipe.fileno(), 1 << 16)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                return
            taken += len(data)
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        now = self._clock()
        if self._line_ended and len(self._moments) < MOMENTS and not self._together(now, data):
            self._moments.append((now, self.total))
        self._line_ended, self._last_s = data.endswith(b"\n"), now
        self.total += len(data)
        room = KEPT - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if len(self._tail) > 2 * KEPT:
            del self._tail[:-KEPT]

    def _together(self, now: float, data: bytes) -> bool:
        """Whether this was printed in one go with what came before: a program may write each line by itself."""
        if not self._moments:
            return False
        since_s, last = (
            now - self._moments[-1][0],
            bytes((self._tail or self._head)[-300:]).rstrip(b"\n").rpartition(b"\n")[2],
        )
        goes_on = data[:1].isspace() or last[:1].isspace() or last.startswith(b"Traceback")
        if goes_on:
            return since_s <= GOES_ON_S
        return now - self._last_s <= CLOSE_S and since_s <= TOGETHER_S

    def text(self) -> tuple[str, int]:
        """What was printed, and how many bytes between its beginning and its end were dropped."""
        self._readable()
        tail = bytes(self._tail[-KEPT:])
        return (bytes(self._head) + tail).decode("utf-8", "replace"), self.total - len(self._head) - len(tail)

    def printed(self) -> list[tuple[float, str]]:
        """What `text` gives, in whole lines, each part with the moment at which it came, in the clock's seconds."""
        self._readable()
        head, tail = bytes(self._head), bytes(self._tail[-KEPT:])
        moments = [(at_s, start) for at_s, start in self._moments if start < len(head)]
        ends = [*(start for _, start in moments[1:]), len(head)]
        parts = [(at_s, head[start:end]) for (at_s, start), end in zip(moments, ends, strict=False)]
        if tail:
            parts.append((self._clock(), tail))
        return [(at_s, part.decode("utf-8", "replace")) for at_s, part in parts]

    def close(self) -> None:
        """Stop reading, and write the log if one was wanted. May be called again."""
        if self._pipe is None:
            return
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        self._pipe.close()
        self._pipe = None
        self._write_log()

    def _write_log(self) -> None:
        if self._log_path is None:
            return
        dropped = self.total - len(self._head) - len(self._tail[-KEPT:])
        middle = f"\n[… {dropped} bytes left out …]\n".encode() if dropped else b""
        try:
            with self._log_path.open("ab") as log:
                log.write(bytes(self._head) + middle + bytes(self._tail[-KEPT:]))
        except OSError:
            return  # the log is a convenience; the history has the output too
