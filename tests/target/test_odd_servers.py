"""Servers that are odd to start, in a worker as the engine starts them: a session, a network, orphans of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine.workers import Done, Workers
from harness.target import Server, ServerSpec, TargetError, command, sandbox
from harness.target import tree as process_tree
from harness.target.output import KEPT

RELAY = Path(__file__).resolve().parents[1] / "servers" / "relay.py"
Act = Callable[[Server], Awaitable[Any]]


def relay(*options: str, port: str = "{port}") -> ServerSpec:
    """The stand-in server."""
    return command([sys.executable, str(RELAY), port, *options])


async def started(spec: ServerSpec, act: Act, **more: Any) -> Any:
    """Start it, do `act`, and leave nothing of it."""
    server = await Server.start(spec, deadline_s=30, clock=time.monotonic, **more)
    try:
        return await act(server)
    finally:
        await server.kill()


async def reached(server: Server) -> tuple[str, bytes]:
    """Where it is, and what it says to one who comes."""
    reader, writer = await asyncio.open_connection(*server.address)
    line = await reader.readline()
    writer.close()
    return server.address[0], line


def in_workers(*works: Callable[[], Any], timeout_s: float = 60) -> list[Any]:
    """Each in a worker, all side by side; their values in their order. What broke fails the test."""
    done: dict[str, Done] = {}
    with Workers(len(works)) as workers:
        for number, work in enumerate(works):
            workers.start(str(number), work, timeout_s)
        while workers.busy:
            done.update({one.key: one for one in workers.wait()})
    assert [one.failure for one in done.values() if one.failure] == []
    return [done[str(number)].value for number in range(len(works))]


async def until(condition: Callable[[], bool], deadline_s: float = 20.0) -> None:
    """Look until it is so."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.01)


def test_two_servers_insist_on_one_port_at_once(tmp_path: Path) -> None:
    """Each in a network of its own, while somebody outside has that port too. They wait for each other."""
    if not sandbox.namespaces_allowed()[0]:
        pytest.skip("no network namespace here: " + sandbox.namespaces_allowed()[1])

    def work(mine: Path, other: Path) -> tuple[str, bytes]:
        assert sandbox.enter(namespaces=True)

        async def act(server: Server) -> tuple[str, bytes]:
            assert server.port == port
            here()
            await until(other.exists)
            return await reached(server)

        here = mine.touch
        return asyncio.run(started(relay(port=str(port)), act))

    one, two = tmp_path / "one", tmp_path / "two"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = in_workers(lambda: work(one, two), lambda: work(two, one))
    assert found == [("127.0.0.1", b"welcome\n")] * 2


@pytest.mark.parametrize(
    ("bound", "reached_at"),
    [("0.0.0.0", "127.0.0.1"), ("::1", "::1"), ("::", None), ("127.0.0.2", "127.0.0.2")],
)
def test_wherever_it_listens_it_is_reached(bound: str, reached_at: str | None) -> None:
    def work() -> tuple[str, bytes]:
        sandbox.enter(namespaces=True)
        return asyncio.run(started(relay("--host", bound), reached))

    if ":" in bound and not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    ((host, line),) = in_workers(work)
    assert line == b"welcome\n"
    assert host in ((reached_at,) if reached_at else ("::1", "127.0.0.1"))


@pytest.mark.timeout(120)
def test_one_that_listens_after_twelve_seconds_is_waited_for() -> None:
    async def act(server: Server) -> tuple[str, bytes]:
        assert server.startup_s >= 12
        return await reached(server)

    assert asyncio.run(started(relay("--late", "12"), act)) == ("127.0.0.1", b"welcome\n")


def test_it_is_ready_when_it_says_so_where_that_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "server.py"
    path.write_text(
        "import socket, sys, time\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\ntime.sleep(0.5)\n"
        "print('all is loaded', flush=True)\ntime.sleep(300)\n",
        encoding="utf-8",
    )
    spec = command([sys.executable, str(path), "{port}"])

    async def act(server: Server) -> str:
        return server.output()[0]

    assert "all is loaded" in asyncio.run(started(replace(spec, ready_log="all is load"), act))


def test_a_port_that_it_asks_for_on_its_input(tmp_path: Path) -> None:
    path = tmp_path / "server.py"
    path.write_text(
        "import socket, time\nport = int(input('Port: '))\ns = socket.create_server(('127.0.0.1', port))\n"
        "c = s.accept()[0]\nc.sendall(b'welcome\\n')\nassert input() is None\n",
        encoding="utf-8",
    )
    spec = replace(command([sys.executable, str(path)]), stdin="{port}\n")
    assert asyncio.run(started(spec, reached)) == ("127.0.0.1", b"welcome\n")


def daemonised(server: Server) -> bool:
    """The second fork is over: the server, and its daemon, which this worker has adopted; nobody between them."""
    family = process_tree.family(server.pid, server._mark)
    return len(family) == 2 and not any(map(process_tree.is_alive, process_tree.children(server.pid)))


def test_what_daemonised_itself_is_watched_and_gone() -> None:
    """Forked twice, in a session of its own: the worker is its new parent."""

    def work() -> list[int]:
        sandbox.enter(namespaces=False)

        async def act(server: Server) -> list[int]:
            await until(lambda: daemonised(server))
            assert server.sample("now").processes == 2
            return process_tree.family(server.pid, server._mark)

        return asyncio.run(started(relay("--daemon"), act))

    (family,) = in_workers(work)
    assert len(family) == 2
    assert [pid for pid in family if process_tree.is_alive(pid)] == []


def test_what_a_killed_worker_started_ends_with_it(tmp_path: Path) -> None:
    """SIGKILL for the worker itself: nobody is left to clean up but its guard."""
    note = tmp_path / "family"

    def work() -> None:
        sandbox.enter(namespaces=False)

        async def act(server: Server) -> None:
            await until(lambda: daemonised(server))
            family = process_tree.family(server.pid, server._mark)
            note.with_suffix(".new").write_text(" ".join(map(str, family)), encoding="utf-8")
            note.with_suffix(".new").rename(note)
            os.kill(os.getpid(), 9)

        asyncio.run(started(relay("--daemon"), act))

    with Workers(1) as workers:
        workers.start("killed", work, 60)
        while workers.busy:
            list(workers.wait())
    family = [int(word) for word in note.read_text(encoding="utf-8").split()]
    assert len(family) == 2
    asyncio.run(until(lambda: not any(process_tree.is_alive(pid) for pid in family), 5))


def test_the_log_of_a_flood_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "server.log"

    async def act(server: Server) -> None:
        await until(lambda: server.output()[1] > 0)

    asyncio.run(started(relay("--flood"), act, log_path=log))
    assert log.stat().st_size < 2 * KEPT + 100
    assert "bytes left out" in log.read_text(encoding="utf-8", errors="replace")


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    async def nothing(server: Server) -> None:
        return None

    with socket.create_server(("127.0.0.1", 0)) as taken:
        spec = relay(port=str(taken.getsockname()[1]))
        with pytest.raises(TargetError, match="already in use") as told:
            asyncio.run(started(spec, nothing))
    assert (told.value.kind, "address already in use" in told.value.output) == ("port-taken", True)
