"""Calls that come while another one looks up an address: nothing is left behind, nothing comes back. Made-up look-ups, real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from harness.toxiproxy.embedded import address
from harness.toxiproxy.embedded.log import Log
from harness.toxiproxy.embedded.proxies import Proxies
from harness.toxiproxy.embedded.proxy import House, Proxy
from harness.toxiproxy.embedded.reactor import Reactor

BODY = {"name": "a", "upstream": "127.0.0.1:9", "listen": "slow.example:0"}


class LookUps:
    """Look-ups that all end at once, when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answered = asyncio.Event()
        self.asked = asyncio.Semaphore(0)
        monkeypatch.setattr(address, "resolve", self._resolve)

    async def _resolve(self, text: str) -> address.Address:
        self.asked.release()
        await self.answered.wait()
        return address.Address("127.0.0.1", int(text.rpartition(":")[2]))

    async def begun(self, count: int) -> None:
        """Until so many wait."""
        for _ in range(count):
            await self.asked.acquire()


@contextlib.asynccontextmanager
async def proxies_and_started(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Proxies, list[Proxy]]]:
    started: list[Proxy] = []
    start = Proxy.start

    def noted(proxy: Proxy, resolved: address.Address) -> None:
        started.append(proxy)
        start(proxy, resolved)

    monkeypatch.setattr(Proxy, "start", noted)
    reactor = Reactor(asyncio.get_running_loop())
    proxies = Proxies(House(reactor, Log("disabled"), 0))
    try:
        yield proxies, started
    finally:
        proxies.close()
        reactor.close()


def run(act: Callable[[Proxies, list[Proxy], LookUps], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> None:
    async def all_of_it() -> None:
        async with proxies_and_started(monkeypatch) as (proxies, started):
            await act(proxies, started, LookUps(monkeypatch))

    asyncio.run(all_of_it())


def test_populates_of_one_name_leave_one_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(proxies: Proxies, started: list[Proxy], look_ups: LookUps) -> None:
        calls = [asyncio.create_task(proxies.populate([BODY])) for _ in range(8)]
        await look_ups.begun(8)
        look_ups.answered.set()
        await asyncio.gather(*calls)
        assert [proxy for proxy in started if proxy.enabled] == proxies.all()

    run(act, monkeypatch)


def test_a_proxy_deleted_during_a_reset_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(proxies: Proxies, started: list[Proxy], look_ups: LookUps) -> None:
        await proxies.create({**BODY, "enabled": False})
        call = asyncio.create_task(proxies.reset())
        await look_ups.begun(1)
        proxies.delete("a")
        look_ups.answered.set()
        await call
        assert started == []

    run(act, monkeypatch)


@pytest.mark.parametrize(("first", "wanted"), [({"enabled": False}, False), ({"upstream": "127.0.0.1:10"}, True)])
def test_an_update_sees_what_another_did_meanwhile(
    monkeypatch: pytest.MonkeyPatch, first: dict[str, Any], wanted: bool
) -> None:
    async def act(proxies: Proxies, started: list[Proxy], look_ups: LookUps) -> None:
        look_ups.answered.set()
        proxy = await proxies.create(BODY)
        look_ups.answered.clear()
        await look_ups.begun(1)
        calls = [asyncio.create_task(proxies.update("a", first)), asyncio.create_task(proxies.update("a", {}))]
        await look_ups.begun(2)
        look_ups.answered.set()
        await asyncio.gather(*calls)
        assert proxy.enabled == wanted
        assert proxy.upstream == first.get("upstream", BODY["upstream"])

    run(act, monkeypatch)


def test_a_populate_gives_the_traffic_its_turn_between_two_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(proxies: Proxies, started: list[Proxy], look_ups: LookUps) -> None:
        look_ups.answered.set()
        call = asyncio.create_task(proxies.populate([{**BODY, "name": f"p{n}", "enabled": False} for n in range(50)]))
        turns = 0
        while not call.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns >= 100  # each is read, and each is made

    run(act, monkeypatch)
