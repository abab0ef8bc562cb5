"""A pseudo-terminal for a server that insists on one (pty(7)): no echo, and newlines as the server writes them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
from dataclasses import dataclass
from typing import IO

ROWS, COLUMNS = 24, 80


@dataclass
class Line:
    """Both ends: `inner` is the server's, `outer` ours."""

    inner: int
    outer: int

    def handed_over(self) -> tuple[IO[bytes], IO[bytes]]:
        """Our end, as what is written to the server and what it prints; its own end is closed here."""
        os.close(self.inner)
        return os.fdopen(os.dup(self.outer), "wb", 0), os.fdopen(self.outer, "rb", 0)

    def close(self) -> None:
        """Nothing was started: both ends go."""
        for number in (self.inner, self.outer):
            with contextlib.suppress(OSError):
                os.close(number)


def opened() -> Line:
    """A terminal of the usual size. Raises OSError where there is none."""
    outer, inner = os.openpty()
    modes = termios.tcgetattr(inner)
    modes[1] &= ~termios.ONLCR
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(inner, termios.TCSANOW, modes)
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    return Line(inner, outer)


def take() -> None:
    """In the child, between fork and exec: the terminal on standard input becomes the controlling one."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
