"""What the tests hold in their hands: both ends of a connection through a proxy, as plain blocking sockets, and the raw API."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from harness.toxiproxy import Line, Toxiproxy

#: Nothing in these tests takes longer, seconds; on a busy machine neither.
PATIENCE_S = 30.0

End = Literal["end", "reset"]


def real_one() -> str | None:
    """Shopify's program, if there is one here."""
    return shutil.which(os.environ.get("TOXIPROXY_SERVER") or "toxiproxy-server")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def connect(address: tuple[str, int]) -> socket.socket:
    sock = socket.create_connection(address, PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def read(sock: socket.socket, count: int) -> bytes:
    """Exactly so many bytes, or what came before the end."""
    data = bytearray()
    while len(data) < count and (part := sock.recv(min(1 << 20, count - len(data)))):
        data += part
    return bytes(data)


def read_all(sock: socket.socket) -> tuple[bytes, End]:
    """Everything up to the end, and what end that was."""
    data = bytearray()
    try:
        while part := sock.recv(1 << 20):
            data += part
    except ConnectionResetError:
        return bytes(data), "reset"
    return bytes(data), "end"


def silent(sock: socket.socket, seconds: float) -> bool:
    """Whether neither data nor an end comes for so long."""
    sock.settimeout(seconds)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False
    finally:
        sock.settimeout(PATIENCE_S)
    return False


def reset(sock: socket.socket) -> None:
    """Close with an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def eventually(fact: Callable[[], bool]) -> None:
    """Wait for a fact."""
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


@contextlib.contextmanager
def took() -> Iterator[list[float]]:
    """The seconds that a block took, in a list when it is over."""
    result: list[float] = []
    start = time.monotonic()
    yield result
    result.append(time.monotonic() - start)


@dataclass
class Through:
    """A line of the Toxiproxy at hand, and a server (this test) behind it."""

    toxiproxy: Toxiproxy
    line: Line
    listener: socket.socket
    opened: list[socket.socket] = field(default_factory=list)

    @property
    def real(self) -> bool:
        """Whether Shopify's is in between."""
        return self.toxiproxy.kind == "installed"

    @property
    def guarded(self) -> bool:
        """Whether its API listens on the loopback alone, where it may refuse whoever means another host."""
        return guarded(self.toxiproxy.url)

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """A client and its server, joined through the line."""
        client = connect(self.line.address)
        server, _ = self.listener.accept()
        server.settimeout(PATIENCE_S)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.opened += [client, server]
        return client, server

    def api(self, method: str, path: str, body: Any = None, **rest: Any) -> requests.Response:
        """A raw request; a body that is no bytes goes as JSON."""
        return ask(self.toxiproxy.url, method, path, body, **rest)


def api_address(url: str) -> tuple[str, int]:
    """Where the API at `url` listens."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def guarded(url: str) -> bool:
    """Whether an API listens on the loopback alone. One for every interface answers at another address of it too."""
    host, port = api_address(url)
    if host != "localhost" and not ip_address(host).is_loopback:
        return False
    try:
        socket.create_connection(("127.99.99.99", port), timeout=1.0).close()
    except OSError:
        return True
    return False


def ask(url: str, method: str, path: str, body: Any = None, **rest: Any) -> requests.Response:
    """A raw request to the API at `url`."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url + path, data=data, timeout=PATIENCE_S * 3, **rest)
