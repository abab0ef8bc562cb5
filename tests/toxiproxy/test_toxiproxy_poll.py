"""Looking at sockets: staying awake for an answer, as long as answers come."""

from __future__ import annotations

import asyncio
import resource
import select
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from through import PATIENCE_S

from harness.toxiproxy.embedded import poll as subject
from harness.toxiproxy.embedded.poll import LINGER_TRIED, READ, Poll

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="where there is no epoll the event loop looks")


class Reader:
    """Takes what comes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.heard = b""

    def readable(self) -> None:
        self.heard += self.sock.recv(100)

    def writable(self) -> None:
        raise AssertionError("nobody asked to write")

    def hung_up(self) -> bool:
        return False


def switched(count: int) -> Callable[[int], resource.struct_rusage]:
    """What the system says when the processor was taken away so often."""
    usage = resource.struct_rusage([0.0] * 2 + [0] * 13 + [count])
    return lambda who: usage


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Poll, Reader, socket.socket]]:
    monkeypatch.setattr(resource, "getrusage", switched(0))
    loop = asyncio.new_event_loop()
    here, there = socket.socketpair()
    poll = Poll(loop)
    reader = Reader(here)
    poll.watch(here.fileno(), reader, READ)
    yield poll, reader, there
    poll.close()
    for sock in (here, there):
        sock.close()
    loop.close()


def test_an_answer_that_comes_at_once_is_waited_for_awake(
    watched: tuple[Poll, Reader, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    poll, reader, there = watched
    monkeypatch.setattr(subject, "LINGER_S", PATIENCE_S)
    answer = threading.Timer(0.01, lambda: there.sendall(b"x"))
    answer.start()
    assert poll.linger()
    assert reader.heard == b"x"
    answer.join()


def test_where_no_answers_come_it_sleeps_but_for_a_trial(
    watched: tuple[Poll, Reader, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    poll, reader, there = watched
    monkeypatch.setattr(subject, "LINGER_S", 0.0001)
    for _ in range(30):
        assert not poll.linger()
    there.sendall(b"x")
    monkeypatch.setattr(subject, "LINGER_S", PATIENCE_S)
    asleep = 0
    while not poll.linger():  # the answer is there, and just a trial sees it
        asleep += 1
    assert 0 < asleep < LINGER_TRIED
    assert reader.heard == b"x"


def test_where_the_processor_was_taken_away_it_sleeps(
    watched: tuple[Poll, Reader, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    poll, reader, there = watched
    monkeypatch.setattr(subject, "LINGER_S", 0.0001)
    monkeypatch.setattr(subject, "TAKEN_S", 0.00001)
    monkeypatch.setattr(subject, "BUSY_S", PATIENCE_S)
    monkeypatch.setattr(resource, "getrusage", switched(1))
    assert not poll.linger()
    there.sendall(b"x")
    assert not poll.linger()  # nobody looked
    assert reader.heard == b""
    assert poll.look()
    assert reader.heard == b"x"


def test_behind_the_last_of_what_came_it_stays_awake(
    watched: tuple[Poll, Reader, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    poll, reader, there = watched
    heard: list[bytes] = []

    def linger() -> bool:
        heard.append(reader.heard)
        return False

    monkeypatch.setattr(poll, "linger", linger)
    there.sendall(b"x")
    poll._ready()
    assert heard == [b"x"]
