"""SIGINT and SIGTERM, taken where a run can end in good order."""

from __future__ import annotations

import contextlib
import os
import signal
import types


class Interrupted(Exception):
    """SIGINT or SIGTERM reached the run."""


class Signals:
    """SIGINT and SIGTERM ask the run to end, which it does where it looks: between two events, never in the middle of
    a fork or of a report's line. A second one changes nothing."""

    def __init__(self) -> None:
        self._asked = False
        self.bell, self._cord = os.pipe()
        os.set_blocking(self._cord, False)

    def __enter__(self) -> Signals:
        self._before = {n: signal.signal(n, self._ask) for n in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.bell)
        os.close(self._cord)

    def look(self) -> None:
        """Raises Interrupted when the run was asked to end."""
        if self._asked:
            raise Interrupted

    def _ask(self, number: int, frame: types.FrameType | None) -> None:
        self._asked = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._cord, b"!")
