"""A server in a process of its own, and clients that talk to it with plain blocking sockets.

Nothing here sleeps for a fixed time: what should come is awaited up to DEADLINE_S, and that something does *not* come is
shown by a line that was sent after it and has come (a fence).
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
DEADLINE_S = 5.0


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until `condition()` is true; polled, for processes do not announce it."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.01)


def _with_its_own_signals() -> None:
    """A shell's job in the background ignores SIGINT, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Server:
    """A running server. `output` grows while it runs: the lines of its stderr after the one that tells the port."""

    def __init__(self, name: str, *options: str, port: int = 0) -> None:
        command = [sys.executable, "-m", f"server_under_test.{name}", "--port", str(port), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=_with_its_own_signals
        )
        assert self.process.stderr is not None
        self.announcement = self.process.stderr.readline()
        assert self.announcement.startswith("listening on "), self.announcement
        self.port = int(self.announcement.rsplit(":", 1)[1])
        self.output: list[str] = []
        self._clients: list[Client] = []
        self._drain = threading.Thread(target=lambda: self.output.extend(self.process.stderr or ()), daemon=True)
        self._drain.start()

    def client(self, name: str = "", *, receive_buffer: int = 0) -> Client:
        """A client that was introduced, and renamed when `name` is given.

        The server is done with it: it has also answered a line that came after those.
        """
        client = self.stranger(receive_buffer=receive_buffer)
        client.introduction = client.until("Token:" if "reference" in str(self.process.args) else "Comandos:")
        if name:
            client.send(f"/nick {name}")
            client.until(f"* Agora voce e {name}")
        client.send("/nick")
        client.until("* Uso")
        return client

    def stranger(self, *, receive_buffer: int = 0) -> Client:
        """A client that has only connected."""
        client = Client(self.port, receive_buffer)
        self._clients.append(client)
        return client

    def threads(self) -> int:
        return psutil.Process(self.process.pid).num_threads()

    def sockets(self) -> list[str]:
        """The states of the TCP connections that the process holds, its listening socket left out."""
        held = psutil.Process(self.process.pid).net_connections("tcp")
        return [each.status for each in held if each.status != psutil.CONN_LISTEN]

    def printed(self, text: str) -> int:
        """How many lines of its stderr contain `text`."""
        return sum(text in line for line in self.output)

    def events(self, event: str) -> list[dict[str, object]]:
        """The entries of a JSON log with this event."""
        return [entry for entry in map(json.loads, list(self.output)) if entry["event"] == event]

    def stop(self) -> int:
        """End the process, and return its exit status."""
        for client in self._clients:
            client.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            return self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self._drain.join(DEADLINE_S)
            assert self.process.stderr is not None
            self.process.stderr.close()


class Client:
    """One connection; lines are read one by one."""

    introduction: list[str]

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(DEADLINE_S)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._buffer = b""
        try:
            self.sock.connect(("127.0.0.1", port))
        except OSError:
            self.sock.close()
            raise

    def send(self, *lines: str) -> None:
        """All lines in one segment."""
        self.raw("".join(f"{line}\n" for line in lines).encode())

    def raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def line(self) -> str | None:
        """The next line; None at the end of the stream. Raises TimeoutError after the deadline."""
        while b"\n" not in self._buffer:
            data = self.sock.recv(65536)
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def until(self, text: str) -> list[str]:
        """The lines up to the first that contains `text`, that one included."""
        seen: list[str] = []
        while not seen or text not in seen[-1]:
            line = self.line()
            assert line is not None, f"the end instead of {text!r}, after {seen}"
            seen.append(line)
        return seen

    def rest(self) -> list[str]:
        """All lines up to the end of the stream."""
        return list(iter(self.line, None))  # type: ignore[arg-type]

    def hears(self, speaker: Client, text: str) -> list[str]:
        """`speaker` says `text`; the lines that this client reads up to it."""
        speaker.send(text)
        return self.until(text)

    def hears_nothing_for(self, seconds: float) -> bool:
        """For a server where no fence can pass any more."""
        if self._buffer:
            return False
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(DEADLINE_S)
        return False

    def reset(self) -> None:
        """Cut the connection with an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()
