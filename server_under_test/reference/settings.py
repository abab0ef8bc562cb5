"""What the command line can change. Bounds that nobody needs to change stand as constants where they are used."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds, lengths bytes."""

    host: str = "127.0.0.1"
    port: int = 5000
    idle_s: float = 300.0
    """A client that says nothing for so long is told and closed."""
    heartbeat_s: float = 60.0
    """A client that says nothing for so long is sent `PING`."""
    resume_s: float = 300.0
    """For so long after a client was lost can its session be resumed."""
    max_clients: int = 1000
    max_line: int = 8192
    log_level: str = "info"


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0 seconds")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return value


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """The settings of a command line; a wrong one ends the program with a usage message (status 2)."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="server_under_test.reference", description="A chat server that survives its clients and their network."
    )
    add = parser.add_argument
    add("--host", default=default.host, help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=default.port, help="0: any free port (default: %(default)s)")
    add("--idle", dest="idle_s", type=_seconds, default=default.idle_s, metavar="SECONDS")
    add("--heartbeat", dest="heartbeat_s", type=_seconds, default=default.heartbeat_s, metavar="SECONDS")
    add("--resume", dest="resume_s", type=_seconds, default=default.resume_s, metavar="SECONDS")
    add("--max-clients", type=_count, default=default.max_clients, metavar="N")
    add("--max-line", type=_count, default=default.max_line, metavar="BYTES")
    add("--log-level", choices=LOG_LEVELS, default=default.log_level)
    return Settings(**vars(parser.parse_args(arguments)))
