"""Log lines: JSON on standard output, one a line, with the keys of toxiproxy-server."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal", "panic", "disabled")


class Log:
    """Writes what is at least as serious as `level` (one of LEVELS; anything else counts as info)."""

    def __init__(self, level: str = "info") -> None:
        self._least = LEVELS.index(level) if level in LEVELS else LEVELS.index("info")

    def say(self, level: str, message: str, **fields: object) -> None:
        """One line. A closed standard output is no reason to stop."""
        if LEVELS.index(level) < self._least:
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"level": level, **fields, "time": time, "message": message})
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self._least = LEVELS.index("disabled")

    def warn(self, text: str) -> None:
        """One line on standard error, for whoever started it, whatever the level."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"toxiproxy: {text}\n")
