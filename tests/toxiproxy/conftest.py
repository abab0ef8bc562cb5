"""The same tests against two Toxiproxies: ours, and Shopify's where there is one."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator

import pytest
from through import PATIENCE_S, Through

from harness import toxiproxy
from harness.toxiproxy import Toxiproxy

KINDS = [pytest.param("embedded"), pytest.param("installed", marks=pytest.mark.real_toxiproxy)]


def real_one() -> str | None:
    """Shopify's program, if there is one here."""
    return shutil.which(os.environ.get("TOXIPROXY_SERVER") or "toxiproxy-server")


@pytest.fixture(scope="session", params=KINDS)
def either(request: pytest.FixtureRequest) -> Iterator[Toxiproxy]:
    """A running Toxiproxy of either kind."""
    if request.param == "installed" and real_one() is None:
        pytest.skip("NO REAL TOXIPROXY: set TOXIPROXY_SERVER, or put toxiproxy-server on the PATH, to test against it")
    proxy = toxiproxy.start(request.param, seed=1)
    yield proxy
    proxy.close()


@pytest.fixture(scope="session")
def ours() -> Iterator[Toxiproxy]:
    """A running embedded Toxiproxy."""
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
