"""What is to be started, or where it listens."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

#: A build may take so long, in seconds.
BUILD_S = 120.0
#: As much of what a server printed as an error quotes, in characters.
TAIL = 1500

Trouble = Literal["exited", "silent", "port-taken", "not-found", "refused", "build", "asks", "no-terminal", "other"]


class TargetError(Exception):
    """The server could not be had: one or two lines for the user. `output` is the end of what it printed."""

    def __init__(self, message: str, *, kind: Trouble = "other", output: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.output = output


@dataclass(frozen=True)
class ServerSpec:
    """One server. `argv` may hold `{port}` and `{host}`; PORT and HOST stand in its environment in any case."""

    kind: Literal["builtin", "command", "remote"]
    name: str
    argv: tuple[str, ...] = ()
    connect: tuple[str, int] | None = None
    cwd: Path = Path()
    env: Mapping[str, str] = field(default_factory=dict)
    build: str | None = None
    ready_log: str | None = None
    stop_signal: int = signal.SIGTERM
    stdin: str | None = None
    text: str = ""
    #: A pseudo-terminal instead of pipes, for a program that insists on one.
    pty: bool = False
    #: The port that is the chat's, of a server that listens on several; None: the one asked for, else the lowest.
    chat_port: int | None = None

    @property
    def command_text(self) -> str | None:
        """The command as the user gave it; None for a remote server."""
        return self.text or shlex.join(self.argv) or None

    @property
    def fixed_port(self) -> bool:
        """Whether the command does not take a port from us as an argument: its port is found by looking."""
        return self.kind == "command" and not any("{port}" in part for part in (*self.argv, self.stdin or ""))


def builtin(name: str) -> ServerSpec:
    """A server of server_under_test, by name."""
    argv = (sys.executable, "-m", f"server_under_test.{name}", "--port", "{port}")
    return ServerSpec("builtin", name, argv, text=f"python -m server_under_test.{name} --port {{port}}")


def command(given: str | Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> ServerSpec:
    """A command, as one string or as words. A string with the shell's own characters runs in `sh`.

    Raises ValueError for an empty command or an open quotation mark.
    """
    text = given if isinstance(given, str) else shlex.join(given)
    try:
        words = tuple(shlex.split(given)) if isinstance(given, str) else tuple(given)
    except ValueError as error:
        raise ValueError(f"--server {text}: {error}") from None
    if not words:
        raise ValueError("--server: give a command, for instance --server 'python3 my_server.py {port}'")
    if isinstance(given, str) and re.search(r"[;|&<>`]|\$\(|\$\w", given):
        words = ("sh", "-c", given)
    return ServerSpec("command", os.path.basename(words[0]), words, cwd=cwd or Path(), env=dict(env or {}), text=text)


def build(spec: ServerSpec) -> None:
    """Run the build command once, if there is one. Raises TargetError with the end of its output."""
    if spec.build is None:
        return
    try:
        done = subprocess.run(
            spec.build, shell=True, cwd=spec.cwd, timeout=BUILD_S, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **spec.env}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TargetError(f"the build `{spec.build}` did not end within {BUILD_S:.0f} s", kind="build") from None
    if done.returncode:
        tail = done.stdout.decode("utf-8", "replace")[-TAIL:]
        raise TargetError(
            f"the build `{spec.build}` failed with exit status {done.returncode}", kind="build", output=tail
        )


def not_found(spec: ServerSpec, error: OSError) -> TargetError:
    """The command cannot be run: which, and what to do."""
    program = spec.argv[0]
    if isinstance(error, PermissionError):
        return TargetError(f"{program} may not be run: make it executable (chmod +x)", kind="not-found")
    if isinstance(error, FileNotFoundError) and not spec.cwd.is_dir():
        return TargetError(f"there is no folder {spec.cwd}", kind="not-found")
    if shutil.which(program) is None:
        return TargetError(f"there is no command {program!r}: check --server, or give its full path", kind="not-found")
    return TargetError(f"{program} could not be run: {error.strerror}", kind="not-found")
