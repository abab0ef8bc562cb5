"""The same tests against two Toxiproxies: ours, and Shopify's where there is one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from through import PATIENCE_S, Through, real_one

from harness import toxiproxy
from harness.toxiproxy import Toxiproxy
from harness.toxiproxy.embedded.poll import LoopPoll

KINDS = ["embedded"]
if real_one():
    KINDS.append(pytest.param("installed", marks=pytest.mark.real_toxiproxy))  # type: ignore[arg-type]


@pytest.fixture(scope="session", params=KINDS)
def either(request: pytest.FixtureRequest) -> Iterator[Toxiproxy]:
    """A running Toxiproxy of either kind."""
    proxy = toxiproxy.start(request.param, seed=1)
    yield proxy
    proxy.close()


@pytest.fixture(scope="session", params=["uvloop", "asyncio"])
def ours(request: pytest.FixtureRequest) -> Iterator[Toxiproxy]:
    """A running embedded Toxiproxy, on either event loop; with asyncio's also without an epoll, as on systems that have none."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "asyncio":
            patch.setattr("harness.toxiproxy.child.new_event_loop", asyncio.new_event_loop)
            patch.setattr("harness.toxiproxy.embedded.reactor.poll_of", LoopPoll)
        proxy = toxiproxy.start("embedded", seed=1)
    yield proxy
    proxy.close()


@pytest.fixture
def through(either: Toxiproxy) -> Iterator[Through]:
    """A line of either Toxiproxy with a server behind it."""
    yield from _through(either)


@pytest.fixture
def through_ours(ours: Toxiproxy) -> Iterator[Through]:
    """A line of the embedded Toxiproxy with a server behind it."""
    yield from _through(ours)


def _through(proxy: Toxiproxy) -> Iterator[Through]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        line = proxy.create("line", f"127.0.0.1:{listener.getsockname()[1]}")
        one = Through(proxy, line, listener)
        yield one
        for sock in one.opened:
            sock.close()
        for name in one.api("GET", "/proxies").json():
            one.api("DELETE", f"/proxies/{name}")
        line.delete()
