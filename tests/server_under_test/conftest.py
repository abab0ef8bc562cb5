"""Servers for the tests; whatever a test starts, ends with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from running_server import Server

Start = Callable[..., Server]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a server by name, with options: `start("reference", "--idle", "1")`."""
    running: list[Server] = []

    def start_one(name: str, *options: str, port: int = 0) -> Server:
        running.append(Server(name, *options, port=port))
        return running[-1]

    yield start_one
    for server in running:
        server.stop()


@pytest.fixture
def original(start: Start) -> Server:
    return start("original")


@pytest.fixture
def patched(start: Start) -> Server:
    return start("patched")


@pytest.fixture
def reference(start: Start) -> Iterator[Server]:
    """The reference server, which must end well and have logged no fault of its own, whatever the test did to it."""
    server = start("reference", "--log-level", "debug")
    yield server
    assert server.stop() == 0
    levels = {json.loads(line)["level"] for line in server.output}
    assert levels <= {"debug", "info", "warning"}
