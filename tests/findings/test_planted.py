"""Servers with one planted fault each, as real processes: what is seen of them leads to that cause and to no other."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.client.clock import Clock
from harness.client.log import Log
from harness.evidence.doing import Witness, as_text
from harness.findings import probable_causes
from harness.findings.clues import clues
from harness.history import Baseline, Deadlines, History, Left, Opened, Sample
from harness.results import Judgement, ScenarioResult
from harness.stage import Plan, Stage
from harness.target import ServerSpec, sources, threads

PLANTED = Path(__file__).with_name("planted.py")
DEADLINES = Deadlines(0.01, 1.0, 1.0, 1.0, 20.0, 5.0, 1.0)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what threads do")


class Play:
    """A server, and people on bare sockets."""

    def __init__(self, stage: Stage, log: Log) -> None:
        self.stage, self.log = stage, log
        self.witness = Witness(stage, log)
        self.people: dict[str, socket.socket] = {}

    async def enter(self, name: str) -> None:
        sock = socket.create_connection(self.stage.address, timeout=10)
        self.people[name] = sock
        await self.hears(name, b"name?")
        await self.say(name, name)
        await self.hears(name, b"welcome")
        number, port = len(self.people), sock.getsockname()[1]
        self.log.add(
            Opened(
                at_s=self.log.now(), conn=number, who=name, name=name, way="direct", role="bystander", local_port=port
            )
        )

    async def say(self, name: str, words: str | bytes) -> None:
        data = words.encode() if isinstance(words, str) else words
        self.people[name].sendall(data + b"\n")

    async def hears(self, name: str, words: bytes, within_s: float = 10.0) -> bool:
        """Whether these words come."""
        sock, got, end = self.people[name], b"", time.monotonic() + within_s
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        while words not in got and time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                got += await asyncio.wait_for(loop.sock_recv(sock, 4096), 0.05)
        sock.setblocking(True)
        return words in got

    def leave(self, name: str, *, reset: bool = False) -> None:
        sock = self.people.pop(name)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        sock.close()
        self.log.add(Left(at_s=self.log.now(), conn=1, how="reset" if reset else "fin"))

    def waits(self) -> set[str]:
        """What the server's threads are waiting in at this moment."""
        pid = self.stage.process.pid
        assert pid is not None
        found, _ = threads.threads([pid])
        return {one.call for one in found}

    async def rests(self) -> None:
        """Wait until each of the server's threads waits for a client or for what one says."""
        end = time.monotonic() + 10
        while self.waits() != {"accept", "recv"}:
            assert time.monotonic() < end, "the server does not come to rest"
            await asyncio.sleep(0.01)

    async def printed(self, words: str) -> None:
        """Wait until the server has printed this."""
        end = time.monotonic() + 10
        while words not in self.stage.process.output()[0]:
            assert time.monotonic() < end, f"{words!r} was not printed"
            await asyncio.sleep(0.01)

    def history(self) -> History:
        return History("disconnect/abrupt", Baseline(DEADLINES, named=True, login=True), tuple(self.log.records))


@contextlib.asynccontextmanager
async def playing(fault: str, server: Path = PLANTED) -> AsyncIterator[Play]:
    spec = ServerSpec("command", "planted", (sys.executable, str(server), "{port}", fault))
    clock = Clock()
    log = Log(clock, lambda: None)
    stage = Stage(Plan(spec, DEADLINES), log)
    play = Play(stage, log)
    clock.start()
    try:
        await stage.start()
        yield play
    finally:
        await play.witness.settled()
        await stage.end()  # before its clients go: what it prints of their end is no part of the play
        for sock in play.people.values():
            sock.close()
        await clock.stop()


async def _lock(play: Play) -> None:
    play.leave("ana")
    assert not await play.hears("bia", b"ana left", 0.3)
    await play.say("bia", "does anybody hear me?")
    assert not await play.hears("caio", b"anybody", 0.3)
    play.witness.missed("reply")
    await play.witness.settled()


async def _reset(play: Play) -> None:
    play.leave("ana", reset=True)
    await play.printed("ConnectionResetError")


async def _iteration(play: Play) -> None:
    """Who goes through the set waits at one who reads nothing, Ana or Caio, while Dina joins; then they read."""
    piece = b"x" * (64 << 10) + b"\n"
    play.people["bia"].setblocking(False)
    full = 0
    for _ in range(2000):
        try:
            play.people["bia"].send(piece)
            full = 0
        except BlockingIOError:  # neither does the server read any more
            full = full + 1 if "send" in play.waits() else 0
        if full == 10:
            break
        await asyncio.sleep(0.01)
    assert full == 10, "the server never waited for its client that does not read"
    await play.enter("dina")
    readers = [asyncio.create_task(_reads(play.people[name])) for name in ("ana", "caio")]
    await play.printed("during iteration")
    await play.rests()  # Dina is announced: nobody is left to be written to when all of them go
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def _reads(sock: socket.socket) -> None:
    sock.setblocking(False)
    while await asyncio.get_running_loop().sock_recv(sock, 1 << 20):
        pass


async def _decode(play: Play) -> None:
    await play.say("ana", b"\xff\xfe")
    await play.printed("UnicodeDecodeError")


async def _kept(play: Play) -> None:
    play.leave("ana")
    assert not await play.hears("bia", b"ana left", 0.2)


@linux
@pytest.mark.parametrize(
    ("fault", "happens", "cause", "place"),
    [
        ("lock", _lock, "lock", "(broadcast) ← planted.py"),
        ("reset", _reset, "read-reset", "(lines)"),
        ("iteration", _iteration, "iteration", "(broadcast)"),
        ("decode", _decode, "decode", "(lines)"),
        ("kept", _kept, "kept", ""),
    ],
)
def test_a_planted_fault_leads_to_its_cause_and_to_no_other(
    fault: str, happens: Callable[[Play], object], cause: str, place: str
) -> None:
    async def play() -> ScenarioResult:
        async with playing(fault) as one:
            for name in ("ana", "bia", "caio"):
                await one.enter(name)
            await happens(one)  # type: ignore[misc]
        found = clues(one.history(), sources.finder(one.stage.plan.spec), one.witness.looks)
        broken = (Judgement("delivers", "fail", "-", shape="after-departure-nobody"),)
        return ScenarioResult(
            "disconnect/abrupt", "disconnect", "essential", {"en": "-"}, "fail", 1.0, 1, 1, broken, clues=found
        )

    result = asyncio.run(play())
    kinds = {clue.kind for clue in result.clues}
    assert kinds == {cause} - {"kept"}
    found = probable_causes([result])
    if cause == "kept":
        assert found == ()  # nothing shows it but the failures themselves: a finding, and no cause
        return
    (one,) = found
    assert one.id == cause
    if place and (fault != "lock" or threads.spy()):
        assert place in one.where
        assert one.source


@linux
def test_a_server_that_serves_everybody_is_not_looked_at() -> None:
    async def play() -> Play:
        async with playing("") as one:
            for name in ("ana", "bia"):
                await one.enter(name)
            one.log.add(one.stage.process.sample("before"))
            await one.say("ana", "hello")
            assert await one.hears("bia", b"hello")
            one.log.add(one.stage.process.sample("after-1"))
            assert await one.stage.stop()
        return one

    one = asyncio.run(play())
    assert one.witness.looks == []


@linux
def test_threads_that_are_left_are_looked_at_before_the_stop() -> None:
    async def play() -> Play:
        async with playing("") as one:
            one.log.add(one.stage.process.sample("before"))
            await one.enter("ana")
            await one.rests()  # the thread of a client that has just been welcomed is on its way back to it
            one.log.add(Sample(at_s=one.log.now(), label="after-1", alive=True, threads=9))
            assert await one.stage.stop()
        return one

    one = asyncio.run(play())
    (look,) = one.witness.looks
    assert {thread.call for thread in look.threads} == {"accept", "recv"}
    text = as_text(one.witness.looks)
    assert "it was to be stopped" in text
    assert "is waiting for newcomers" in text


@linux
def test_a_frozen_server_is_not_looked_at() -> None:
    async def play() -> Play:
        async with playing("") as one:
            one.stage.freeze()
            one.witness.missed("reply")
            one.stage.thaw()
        return one

    assert asyncio.run(play()).witness.looks == []


@linux
def test_a_tool_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "TOOL_S", 0.2)
    slow = [sys.executable, "-c", "import time; time.sleep(60)"]
    began = time.monotonic()
    tool, why = asyncio.run(threads._told("py-spy", slow))
    assert (tool, why) == ("", "py-spy did not answer within 0 s")
    assert time.monotonic() - began < 10


@linux
def test_without_a_tool_the_kernel_tells_who_waits_for_one_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "spy", lambda: None)

    async def play() -> Play:
        async with playing("lock") as one:
            for name in ("ana", "bia", "caio"):
                await one.enter(name)
            await _lock(one)
        return one

    one = asyncio.run(play())
    (clue,) = clues(one.history(), looks=one.witness.looks)
    assert clue.kind == "lock"
    assert re.match(r"2 threads wait for the same lock; the last to leave before was ana, at ", clue.what)
    assert "pip install py-spy" in as_text(one.witness.looks)


@linux
def test_threads_that_idle_in_an_event_wait_for_no_lock() -> None:
    code = "import threading; e = threading.Event(); [threading.Thread(target=e.wait, daemon=True).start() for _ in 'abc']; print(flush=True); e.wait()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            end, found = time.monotonic() + 10, ()
            while time.monotonic() < end:
                found, _ = threads.threads([process.pid])
                if [one.call for one in found] == ["futex"] * 4:
                    break
                time.sleep(0.01)  # between two looks at a process that starts its threads
            assert [(one.call, one.lock) for one in found] == [("futex", False)] * 4
        finally:
            process.kill()
