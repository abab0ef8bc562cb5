"""The log: one JSON object a line on stderr, so that whatever a client sends cannot forge an entry.

    {"at": 1731.204, "level": "info", "event": "joined", "client": 3, "name": "user3"}

`at` is seconds of a monotonic clock. A client's misbehaviour is `info`, never an error and never a traceback.
"""

from __future__ import annotations

import json
import logging
import time

_log = logging.getLogger("chat")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {"at": round(time.monotonic(), 3), "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps(entry | getattr(record, "fields", {}))


def start(level: str) -> None:
    """Log from `level` up, for everything in this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.raiseExceptions = False  # a closed stderr must not end the service
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns about each write to a lost connection


def debug(event: str, **fields: object) -> None:
    _write(logging.DEBUG, event, fields)


def info(event: str, **fields: object) -> None:
    _write(logging.INFO, event, fields)


def warning(event: str, **fields: object) -> None:
    _write(logging.WARNING, event, fields)


def error(event: str, **fields: object) -> None:
    _write(logging.ERROR, event, fields)


def _write(level: int, event: str, fields: dict[str, object]) -> None:
    if _log.isEnabledFor(level):
        _log.log(level, event, extra={"fields": fields})
