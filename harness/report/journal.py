"""`events.jsonl`: the run as it happens, an event a line, written as it happens.

It is what a killed run leaves. Each line goes to the system in one write, so that a reader finds whole lines and, after
a crash or on a full disk, at most torn ones, which it passes over. `harness report` makes every other report of it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from harness import events
from harness.events import Event
from harness.language import Language
from harness.report.codec import from_plain, to_plain
from harness.report.files import JOURNAL, not_read, not_written

NAME = JOURNAL

#: Every kind of event, by the name that it has in the journal.
KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}


def encode(event: Event) -> bytes:
    """The journal's line for `event`, in ASCII, with its line break."""
    return json.dumps({"event": type(event).__name__, **to_plain(event)}, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Event | None:
    """The event of a journal's line; None for a torn line, or a kind of event that this version does not know."""
    try:
        value = json.loads(line)
        kind = KINDS.get(value.pop("event"))
        return from_plain(kind, value) if kind else None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None


def write_event(stream: BinaryIO, event: Event) -> None:
    """Write one event to an unbuffered binary stream. Raises OSError, also when only a part could be written."""
    line = encode(event)
    while line:
        line = line[stream.write(line) :]


def read_events(path: Path, say: Language | None = None) -> Iterator[Event]:
    """The events of a journal, in order; `path` is the file or its folder. Raises ReportError."""
    file_path = path / NAME if path.is_dir() else path
    try:
        with file_path.open("rb") as file:
            for line in file:
                event = decode(line)
                if event is not None:
                    yield event
    except OSError as error:
        raise not_read(file_path, error, say or Language("en")) from error


class JournalReport:
    """Writes the journal. A line that could not be written raises ReportError once; later lines are tried again."""

    name = "journal"

    def __init__(self, folder: Path, say: Language) -> None:
        self.path = folder / NAME
        self._say = say
        self._file: BinaryIO | None = None
        self._torn = False

    def handle(self, event: Event) -> None:
        """Write the event's line. Raises ReportError."""
        try:
            stream = self._stream()
            if self._torn:
                stream.write(b"\n")
            self._torn = True
            write_event(stream, event)
            self._torn = False
        except OSError as error:
            raise not_written(self.path, error, self._say) from error

    def close(self) -> None:
        """Bring the journal to the disk."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())
        self._file.close()
        self._file = None

    def _stream(self) -> BinaryIO:
        if self._file is None:
            self._file = self.path.open("wb", buffering=0)
        return self._file
