"""What selfcheck.py needs: a zoo server as a process, and a plain blocking client that can misbehave."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUILD = HERE / ".build"
#: A server may take so long to listen: a virtual machine on a busy computer.
START_S = 20.0
#: What should come comes within this.
HEAR_S = 3.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Entry = dict[str, Any]


def entries() -> tuple[list[Entry], dict[str, Entry]]:
    """The servers of the zoo, and its dialects."""
    zoo = tomllib.loads((HERE / "zoo.toml").read_text(encoding="utf-8"))
    return zoo["server"], zoo["dialects"]


def fill(command: str, port: int = 0) -> str:
    """A command of zoo.toml with its places filled."""
    places = {"port": port, "dir": HERE, "build": BUILD, "python": sys.executable}
    return re.sub(r"\{(\w+)\}", lambda m: str(places[m[1]]), command)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class Server:
    """One running server of the zoo. Use it as a context manager."""

    def __init__(self, entry: Entry, dialect: Entry) -> None:
        self.entry = entry
        self.dialect = {**dialect, **entry.get("dialect", {})}
        self.port = free_port()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        self.start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def start(self) -> None:
        """Start it (again, on the same port) and wait until it listens."""
        self.process = subprocess.Popen(
            shlex.split(fill(self.entry["command"], self.port)),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S
        while not self.listening():
            assert self.process.poll() is None, f"it does not start: {self.output()}"
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.02)

    def listening(self) -> bool:
        """Whether the kernel has a listening socket on our port. Connecting would be a fault already."""
        wanted = f":{self.port:04X}"
        tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
        rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
        return any(row[1].endswith(wanted) and row[3] == "0A" for row in rows)

    def output(self) -> str:
        """All that it printed."""
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def ends_in(self, seconds: float) -> bool:
        """Whether the process ends within the time."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return not self.alive()

    def status(self, field: str) -> int:
        """A number of /proc/PID/status: Threads, VmRSS (KiB)."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split(f"{field}:")[1].split()[0])

    def descriptors(self) -> int:
        """How many files it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_s(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def talker(self, name: str) -> Talker:
        """A client that is in the room."""
        talker = Talker(self.port, name, self.dialect)
        talker.log_in()
        return talker

    def room(self, *names: str) -> list[Talker]:
        """Several clients that all hear one another."""
        talkers = [self.talker(name) for name in names]
        settle(*talkers)
        return talkers


class Talker:
    """One client. `heard` is all that came."""

    _count = 0

    def __init__(self, port: int, name: str = "", dialect: Entry | None = None, buffer: int = 0) -> None:
        self.name = name
        self.dialect = dialect or {}
        self.heard = b""
        self.sock = socket.socket()
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.settimeout(HEAR_S)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_in(self) -> None:
        """Follow the dialect's steps."""
        if "login" not in self.dialect:
            time.sleep(0.05)  # nothing is said to newcomers: nothing tells that the server has accepted us
        seen = 0
        for step in self.dialect.get("login", []):
            if "send" in step:
                seen = len(self.heard)
                self.send(step["send"].replace("{name}", self.name) + "\n")
            elif not self.hears(step["expect"], after=seen):
                raise AssertionError(f"{self.name} could not log in: no {step['expect']!r} in {self.heard[-200:]!r}")

    def send(self, text: str | bytes) -> None:
        """Send as it is."""
        self.sock.sendall(text.encode() if isinstance(text, str) else text)

    def line(self, text: str) -> str:
        """What must be sent to say `text`."""
        return str(self.dialect.get("say", "{text}")).replace("{name}", self.name).replace("{text}", text) + "\n"

    def say(self, text: str = "") -> str:
        """Say a text, or a fresh token; returns it."""
        Talker._count += 1
        text = text or f"tok{Talker._count:06d}x"
        self.send(self.line(text))
        return text

    def take(self, timeout_s: float) -> bool:
        """Take what comes within the time. False at the end of the stream; a reset raises."""
        self.sock.settimeout(max(timeout_s, 0.001))
        try:
            data = self.sock.recv(1 << 20)
        except TimeoutError:
            return True
        self.heard += data
        return bool(data)

    def hears(self, text: str, timeout_s: float = HEAR_S, after: int = 0) -> bool:
        """Whether `text` comes (case aside), behind the first `after` bytes."""
        wanted = text.lower().encode()
        deadline = time.monotonic() + timeout_s
        while wanted not in self.heard[after:].lower():
            left = deadline - time.monotonic()
            try:
                if left <= 0 or not self.take(left):
                    return False
            except OSError:
                return False
        return True

    def line_with(self, text: str) -> str:
        """The line in which `text` stands."""
        assert self.hears(text), f"{self.name} does not hear {text!r}"
        return next(line for line in self.heard.decode("utf-8", "replace").split("\n") if text in line)

    def end(self, timeout_s: float = HEAR_S) -> str:
        """How the connection ends: FIN, RST or "still open"."""
        deadline = time.monotonic() + timeout_s
        try:
            while time.monotonic() < deadline:
                if not self.take(deadline - time.monotonic()):
                    return "FIN"
        except OSError:
            return "RST"
        return "still open"

    def close(self) -> None:
        """Read what is there, then close: a FIN."""
        with suppress(OSError):
            self.take(0.02)
        self.sock.close()

    def reset(self) -> None:
        """Close with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.sock.close()


def settle(*talkers: Talker) -> None:
    """Each says a token and all the others hear it."""
    for speaker in talkers:
        token = speaker.say()
        for other in talkers:
            assert other is speaker or other.hears(token), f"{other.name} does not hear {speaker.name}"
