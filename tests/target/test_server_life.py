"""The server as a process: its port found, its tree watched, and nothing of it left."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.target import Server, ServerSpec, TargetError, command
from harness.target import tree as process_tree

LISTENER = """
import os, socket, sys, time
sock = socket.socket({family}); sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(({host!r}, int({port}))); sock.listen()
{then}
"""


def program(tmp_path: Path, text: str, *words: str) -> ServerSpec:
    """A little Python server written to a file, and how it is started."""
    path = tmp_path / "server.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return command([sys.executable, str(path), *words], cwd=tmp_path)


def listener(tmp_path: Path, *, port: str = "sys.argv[1]", host: str = "127.0.0.1", family: str = "socket.AF_INET",
             then: str = "time.sleep(60)", words: tuple[str, ...] = ("{port}",)) -> ServerSpec:  # fmt: skip
    """A server that listens and then does `then`."""
    return program(tmp_path, LISTENER.format(port=port, host=host, family=family, then=then), *words)


@asynccontextmanager
async def running(spec: ServerSpec, **more: Any) -> AsyncIterator[Server]:
    server = await Server.start(spec, deadline_s=20, clock=time.monotonic, **more)
    try:
        yield server
    finally:
        await server.kill()
        assert not process_tree.is_alive(server.pid)


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    def run(tmp_path: Path) -> None:
        asyncio.run(test(tmp_path))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def until(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.01)


@on_a_loop
async def test_a_port_in_the_command_is_filled_in(tmp_path: Path) -> None:
    async with running(listener(tmp_path)) as server:
        with socket.create_connection(server.address, 5):
            assert server.is_alive()


@on_a_loop
async def test_the_environment_has_the_port_too(tmp_path: Path) -> None:
    async with running(listener(tmp_path, port='os.environ["PORT"]', words=())) as server:
        with socket.create_connection(server.address, 5):
            pass


@on_a_loop
async def test_a_port_that_nobody_named_is_found(tmp_path: Path) -> None:
    async with running(listener(tmp_path, port="0", words=())) as server:
        assert server.spec.fixed_port
        with socket.create_connection(server.address, 5):
            pass


@on_a_loop
async def test_a_server_on_ipv6_alone_is_reached(tmp_path: Path) -> None:
    async with running(listener(tmp_path, family="socket.AF_INET6", host="::1")) as server:
        assert server.address[0] == "::1"


@on_a_loop
async def test_the_wildcard_is_reached_on_loopback(tmp_path: Path) -> None:
    async with running(listener(tmp_path, host="0.0.0.0")) as server:
        assert server.address[0] == "127.0.0.1"


@on_a_loop
async def test_a_shell_around_the_server_is_not_the_one_that_gets_the_signal(tmp_path: Path) -> None:
    listener(tmp_path)
    spec = command(f"{sys.executable} {tmp_path}/server.py $PORT & wait", cwd=tmp_path)
    async with running(spec) as server:
        assert server.listener_pid != server.pid
        server.signal(signal.SIGTERM)
        await until(lambda: not process_tree.is_alive(server.listener_pid))


@on_a_loop
async def test_one_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="exit status 3") as told:
        await Server.start(
            program(tmp_path, "print('no disk today'); raise SystemExit(3)"), deadline_s=20, clock=time.monotonic
        )
    assert (told.value.kind, "no disk today" in told.value.output) == ("exited", True)


@on_a_loop
async def test_one_that_never_listens_is_told(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="did not listen") as told:
        await Server.start(program(tmp_path, "import time; time.sleep(60)"), deadline_s=0.5, clock=time.monotonic)
    assert told.value.kind == "silent"


@on_a_loop
async def test_a_flood_of_output_is_drained_and_bounded(tmp_path: Path) -> None:
    async with running(listener(tmp_path, then="while True: sys.stdout.write('x' * 65536)")) as server:
        await until(lambda: server._drain.total > 8 << 20)
        text, dropped = server.output()
        assert len(text) <= 2 * (64 << 10)
        assert dropped > 0


@on_a_loop
async def test_what_forked_away_into_a_session_of_its_own_is_gone_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    then = f"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({str(note)!r}, "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
time.sleep(60)
"""
    async with running(listener(tmp_path, then=then)) as server:
        await until(lambda: note.exists() and note.read_text().isdigit())
        orphan = int(note.read_text())
        assert process_tree.marked(orphan, server._mark)
    os.kill(orphan, signal.SIGKILL) if _adopted_elsewhere(orphan) else None
    await until(lambda: not process_tree.is_alive(orphan))


def _adopted_elsewhere(pid: int) -> bool:
    """Outside a worker nobody is the subreaper, and init adopts orphans: only the mark is looked at then."""
    return process_tree.is_alive(pid) and pid not in process_tree.children(os.getpid())


@on_a_loop
async def test_a_connection_that_the_server_never_closes_is_seen_in_close_wait(tmp_path: Path) -> None:
    then = "kept = [sock.accept()]\ntime.sleep(60)"
    async with running(listener(tmp_path, then=then)) as server:
        client = socket.create_connection(server.address, 5)
        port = client.getsockname()[1]
        client.sendall(b"unread")
        await until(lambda: server.unread(port) == 6)
        client.close()
        await until(lambda: ("CLOSE_WAIT", port) in server.sample("now").peers)


@on_a_loop
async def test_a_busy_loop_shows_in_the_processor_time(tmp_path: Path) -> None:
    async with running(listener(tmp_path, then="while True: pass")) as server:
        first = server.sample("first").cpu_s
        await until(lambda: server.sample("now").cpu_s > first + 0.1, 30)


@on_a_loop
async def test_a_frozen_server_accepts_nothing_and_runs_on(tmp_path: Path) -> None:
    then = "while True: sock.accept()[0].sendall(b'hello')"
    async with running(listener(tmp_path, then=then)) as server:
        server.freeze()
        with socket.create_connection(server.address, 5) as client:
            client.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.recv(5)
            server.thaw()
            client.settimeout(10)
            assert client.recv(5) == b"hello"


@on_a_loop
async def test_the_limit_of_descriptors_is_lowered_on_the_live_process(tmp_path: Path) -> None:
    async with running(listener(tmp_path)) as server:
        before = server.limit_descriptors(9)
        assert server.limit_descriptors(before) == 9


@on_a_loop
async def test_a_first_thread_that_ended_before_the_others_is_not_blamed(tmp_path: Path) -> None:
    """The first thread of a dying process is a zombie while the others still hold the port: it has not ended yet."""
    then = (
        "import threading\n[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(40)]\ntime.sleep(60)"
    )
    for _ in range(5):
        async with running(listener(tmp_path, then=then)) as server:
            server.signal(signal.SIGTERM)
            assert await server.wait_exit(10)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(server.address, 5)


@on_a_loop
async def test_children_that_nobody_waited_for_are_counted(tmp_path: Path) -> None:
    then = """
    for _ in range(3):
        if os.fork() == 0:
            os._exit(0)
    print("forked", flush=True)
    time.sleep(60)
    """
    spec = listener(tmp_path, then=textwrap.dedent(then))
    async with running(spec) as server:
        await until(lambda: server.sample("rest").processes >= 4)
        assert server.sample("rest").processes == 4
        assert server.sample("rest").threads == 1


@on_a_loop
async def test_what_a_java_machine_leaves_when_it_is_killed_goes_with_it(tmp_path: Path) -> None:
    """The socket over which it was asked for its stacks: it takes it away only where it ends by itself."""
    async with running(listener(tmp_path)) as server:
        left = Path(f"/tmp/.java_pid{server.listener_pid}")
        await asyncio.to_thread(left.touch)
    assert not await asyncio.to_thread(left.exists)
