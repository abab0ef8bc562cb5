"""The same tests against ours, against Shopify's where there is one, and against any other at TOXIPROXY_URL.

That one should be on this machine, and nobody else's: all its proxies are deleted, before and after.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests
from through import PATIENCE_S, Through, ask, real_one

from harness import toxiproxy
from harness.toxiproxy import Toxiproxy, ToxiproxyError
from harness.toxiproxy.client import Api
from harness.toxiproxy.embedded.poll import LoopPoll

KINDS = ["embedded"]
if real_one():
    KINDS.append(pytest.param("installed", marks=pytest.mark.real_toxiproxy))  # type: ignore[arg-type]
if os.environ.get("TOXIPROXY_URL"):
    KINDS.append(os.environ["TOXIPROXY_URL"])


def start(choice: str) -> Toxiproxy:
    """A Toxiproxy of our own, or the one at an address, which then is ours: embedded or Shopify's, as it says itself."""
    if not toxiproxy.is_remote(choice):
        return toxiproxy.start(choice, seed=1)
    proxy = Toxiproxy("embedded" if toxiproxy.capabilities(choice) else "installed", Api(choice))
    delete_all(proxy)
    return proxy


def delete_all(proxy: Toxiproxy) -> None:
    """Leave no proxy in it, whoever made it."""
    for name in ask(proxy.url, "GET", "/proxies").json():
        ask(proxy.url, "DELETE", f"/proxies/{quote(name, safe='')}")


@pytest.fixture(scope="session", params=KINDS)
def either(request: pytest.FixtureRequest) -> Iterator[Toxiproxy]:
    """A running Toxiproxy of either kind."""
    proxy = start(request.param)
    yield proxy
    proxy.close()


@pytest.fixture(params=KINDS)
def expendable(request: pytest.FixtureRequest) -> Iterator[Through]:
    """A line of a Toxiproxy of either kind that may die of this test."""
    if toxiproxy.is_remote(request.param):
        pytest.skip("what ends a Toxiproxy is not tried on somebody else's")
    proxy = start(request.param)
    yield from _through(proxy)
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
        with contextlib.suppress(requests.ConnectionError, ToxiproxyError):  # where it did not die of the test
            delete_all(proxy)
            line.delete()
