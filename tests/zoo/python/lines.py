"""Lines out of TCP's stream of bytes, and what of them may be shown to others. All Python servers of the zoo use it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

#: A line that grows longer than this ends the connection: nobody may fill the server's memory.
LONGEST_LINE = 64 * 1024
#: What may wait for one client that does not read, in bytes. More, and it is dropped.
OUTBOX_LIMIT = 4 * 1024 * 1024
#: How many connections the kernel may keep ready for `accept`: a whole crowd may come at once.
BACKLOG = 1024
#: How long a client that leaves may take to read the last words and to close its side.
FAREWELL_S = 1.0
#: `accept` fails with these when the machine or the process has nothing left. It passes: wait, then try again.
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
ACCEPT_PAUSE_S = 0.1

#: C0 and C1 controls (CR and ESC among them) and Unicode's own line breaks: they let a text pose as another line.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAME = re.compile(r"[\w-]{1,20}")


class LineTooLong(Exception):
    """A client sent more than LONGEST_LINE bytes without a newline."""


class LineBuffer:
    """Keeps what came of an unfinished line until its newline comes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that `data` completes, without newline. Raises LineTooLong after the good ones."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if len(line) > LONGEST_LINE:
                raise LineTooLong
            yield line
        if len(self._rest) > LONGEST_LINE:
            raise LineTooLong


def clean(line: bytes) -> str:
    """The line as text that is safe to show: bad UTF-8 replaced, controls turned into blanks."""
    return _UNSHOWABLE.sub(" ", line.decode("utf-8", "replace")).strip()


def valid_name(name: str) -> bool:
    """Letters, digits, `_` and `-`, at most 20."""
    return _NAME.fullmatch(name) is not None
