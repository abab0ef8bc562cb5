"""Load for the proxy's benchmark: a peer behind the proxy, in a process of its own, and clients before it.

All of it is bounded in count and time. The peer speaks three tongues by the first byte of a connection: `e` gives back
what comes, `s` swallows it and says how much that was when it ends, `h` holds the connection and says nothing.
"""

from __future__ import annotations

import contextlib
import heapq
import multiprocessing
import select
import signal
import socket
import statistics
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

Address = tuple[str, int]

#: No single measurement may take longer, in seconds.
LONGEST_S = 60.0
_BLOCK = bytes(1 << 20)


def _serve(listener: socket.socket) -> None:
    """The peer: one epoll loop over all connections."""
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    tongues: dict[int, tuple[socket.socket, bytes, int]] = {}
    room = bytearray(1 << 20)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                _take(listener, poll, tongues)
                continue
            sock, tongue, count = tongues[number]
            try:
                got = sock.recv_into(room)
            except OSError:
                got = 0
            if not got:
                if tongue == b"s":
                    with contextlib.suppress(OSError):
                        sock.sendall(b"%d" % count)
                poll.unregister(number)
                sock.close()
                del tongues[number]
                continue
            tongue = tongue or bytes(room[:1])
            tongues[number] = (sock, tongue, count + got)
            if tongue == b"e":
                with contextlib.suppress(OSError):
                    sock.sendall(memoryview(room)[:got])


def _take(listener: socket.socket, poll: select.epoll, tongues: dict[int, tuple[socket.socket, bytes, int]]) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock, _ = listener.accept()
            sock.setblocking(True)
            tongues[sock.fileno()] = (sock, b"", 0)
            poll.register(sock.fileno(), select.EPOLLIN)


@contextlib.contextmanager
def peer() -> Iterator[Address]:
    """The peer, as long as it is needed; its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts inherits it
    listener.setblocking(False)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener,), daemon=True)
    process.start()
    try:
        yield listener.getsockname()
    finally:
        listener.close()
        process.kill()
        process.join()


def connect(address: Address, tongue: bytes = b"") -> socket.socket:
    """A connection, with its first byte said."""
    sock = socket.create_connection(address, timeout=LONGEST_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tongue:
        sock.sendall(tongue)
    return sock


@dataclass(frozen=True)
class Times:
    """Median and 99th of 100, in seconds."""

    median_s: float
    p99_s: float


def times(samples: list[float]) -> Times:
    """The two figures of many."""
    ordered = sorted(samples)
    return Times(statistics.median(ordered), ordered[int(len(ordered) * 0.99)])


def round_trips(addresses: list[Address], count: int, size: int = 64) -> list[Times]:
    """`count` round trips of `size` bytes over a connection to each, one after the other and in turn: a busy moment hits all."""
    socks = [connect(address, b"e") for address in addresses]
    message, took = b"e" * size, [[0.0] * 0 for _ in socks]
    for sock in socks:
        sock.recv(1)
    for _ in range(count):
        for sock, mine in zip(socks, took, strict=True):
            began = time.perf_counter()
            sock.sendall(message)
            left = size
            while left:
                left -= len(sock.recv(left))
            mine.append(time.perf_counter() - began)
    for sock in socks:
        sock.close()
    return [times(mine[count // 10 :]) for mine in took]


def throughput(address: Address, streams: int, size: int) -> float:
    """Bytes a second that arrive at the peer: `size` bytes, dealt out to so many streams."""
    socks = [connect(address, b"s") for _ in range(streams)]
    each = size // streams
    began = time.perf_counter()
    left = dict.fromkeys(socks, each - 1)
    by_number = {sock.fileno(): sock for sock in socks}
    poll = select.epoll()
    for sock in socks:
        sock.setblocking(False)
        poll.register(sock.fileno(), select.EPOLLOUT)
    while left and time.perf_counter() - began < LONGEST_S:
        for number, _ in poll.poll(1.0):
            sock = by_number[number]
            with contextlib.suppress(BlockingIOError):
                left[sock] -= sock.send(memoryview(_BLOCK)[: left[sock]])
            if not left[sock]:
                del left[sock]
                poll.unregister(number)
                sock.shutdown(socket.SHUT_WR)
    arrived = 0
    for sock in socks:
        with sock:
            sock.setblocking(True)
            sock.settimeout(LONGEST_S)
            # one that turns a half-close into a close cannot bring the count: its end says that all is through
            arrived += int(sock.recv(32) or each)
    took = time.perf_counter() - began
    if arrived != each * streams:
        raise SystemExit(f"{arrived} of {each * streams} bytes arrived")
    return arrived / took


def cycles(address: Address, count: int, window: int = 16) -> float:
    """Connections a second that are opened, used for one byte there and back, and closed; `window` at the same time.

    With as few calls as can be, so that it is the proxy that is measured. Who is not served ends it by an alarm.
    """
    alive: deque[socket.socket] = deque()
    signal.alarm(int(LONGEST_S))
    began = time.perf_counter()
    for begun in range(count + window):
        if begun < count:
            sock = socket.socket()
            sock.connect(address)
            sock.send(b"e")
            alive.append(sock)
        if begun >= window:
            sock = alive.popleft()
            if sock.recv(8) != b"e":
                raise SystemExit("a connection ended before its byte came back")
            sock.close()
    took = time.perf_counter() - began
    signal.alarm(0)
    return count / took


@contextlib.contextmanager
def held(address: Address, count: int) -> Iterator[None]:
    """So many connections, each of which was served, and is idle."""
    socks = []
    try:
        for _ in range(count):
            socks.append(connect(address, b"e"))
            socks[-1].recv(1)
        yield
    finally:
        for sock in socks:
            sock.close()


def paced(connections: dict[Address, int], messages: int, pause_s: float) -> dict[Address, list[float]]:
    """Round trips of 64 bytes over so many connections to each address at the same time, each with its own beat; seconds each."""
    poll, message = select.epoll(), b"e" * 64
    socks: dict[int, tuple[socket.socket, Address]] = {}
    for address, count in connections.items():
        for _ in range(count):
            sock = connect(address, b"e")
            sock.recv(1)
            socks[sock.fileno()] = (sock, address)
            poll.register(sock.fileno(), select.EPOLLIN)
    began = now = time.perf_counter()
    turns = [(now + pause_s * index / len(socks), number) for index, number in enumerate(socks)]
    since: dict[int, float] = {}
    left = dict.fromkeys(socks, messages)
    took: dict[Address, list[float]] = {address: [] for address in connections}
    try:
        while (turns or since) and time.perf_counter() - began < LONGEST_S:
            now = time.perf_counter()
            while turns and turns[0][0] <= now:
                _, number = heapq.heappop(turns)
                since[number] = time.perf_counter()
                socks[number][0].sendall(message)
            soonest = turns[0][0] if turns else now + 1.0
            for number, _ in poll.poll(max(0.0, min(soonest - time.perf_counter(), 1.0))):
                if len(socks[number][0].recv(64)) != 64:
                    raise SystemExit("a message came back in pieces")
                came = time.perf_counter()
                took[socks[number][1]].append(came - since.pop(number))
                left[number] -= 1
                if left[number]:
                    heapq.heappush(turns, (came + pause_s, number))
    finally:
        for sock, _ in socks.values():
            sock.close()
    return took
