"""Somebody else's server: how its address is given, looked up and knocked at."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from harness.cli.target_words import UserError, remote
from harness.sentences import in_portuguese
from harness.target import RemoteServer, TargetError, sockets, tree


@pytest.mark.parametrize(
    ("given", "connect", "name"),
    [
        ("127.0.0.1:5000", ("127.0.0.1", 5000), "127.0.0.1:5000"),
        ("localhost:5000", ("localhost", 5000), "localhost:5000"),
        ("5000", ("127.0.0.1", 5000), "127.0.0.1:5000"),
        (":5000", ("127.0.0.1", 5000), "127.0.0.1:5000"),
        ("[::1]:5000", ("::1", 5000), "[::1]:5000"),
        ("::1:5000", ("::1", 5000), "[::1]:5000"),
        ("tcp://chat.example:5000", ("chat.example", 5000), "chat.example:5000"),
    ],
)
def test_the_forms_of_an_address(given: str, connect: tuple[str, int], name: str) -> None:
    spec = remote(given)
    assert (spec.kind, spec.connect, spec.name) == ("remote", connect, name)


@pytest.mark.parametrize(
    "given",
    ["127.0.0.1", "host:", "host:0", "host:70000", "host:٣٤", "a b:5000", "host/path:5000", "http://host:5000", ""],
)
def test_what_is_no_address_is_told(given: str) -> None:
    with pytest.raises(UserError, match="HOST:PORT"):
        remote(given)


def test_nobody_there_is_told_in_the_systems_words() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, not listening: refused
        spec = remote(f"127.0.0.1:{sock.getsockname()[1]}")
        with pytest.raises(TargetError, match=r"nothing answers at 127\.0\.0\.1:\d+ \(connection refused\)") as told:
            asyncio.run(RemoteServer(spec).wait_until_listening(0.0))
    assert in_portuguese(str(told.value)) != str(told.value)


def test_a_name_that_nobody_knows_is_told_at_once() -> None:
    with pytest.raises(TargetError, match=r"there is no machine 'nobody\.invalid'") as told:
        asyncio.run(RemoteServer(remote("nobody.invalid:5000")).wait_until_listening(30.0))
    assert in_portuguese(str(told.value)) != str(told.value)


def test_localhost_is_found_where_it_listens() -> None:
    """On IPv6 alone: both addresses of the name are tried."""
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        there = RemoteServer(remote(f"localhost:{server.getsockname()[1]}"))
        asyncio.run(there.wait_until_listening(5.0))
        assert there.address[0] == "::1"


def test_the_knock_is_no_reset_although_a_greeting_was_not_awaited() -> None:
    """Unread bytes would turn the close into RST, which alone ends many a server."""

    async def knock() -> bytes:
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"Name: ")
            try:
                ended.set_result(await reader.read())
            except ConnectionError as error:
                ended.set_exception(error)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            address = server.sockets[0].getsockname()
            await RemoteServer(remote(f"127.0.0.1:{address[1]}")).wait_until_listening(5.0)
            return await asyncio.wait_for(ended, 5.0)

    assert asyncio.run(knock()) == b""


def test_a_server_on_this_machine_is_known_to_be_served_by_the_processors() -> None:
    """So that --connect to one's own machine is as patient as --server."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = RemoteServer(remote(f"127.0.0.1:{server.getsockname()[1]}"))
        served = there.served_s()
        assert sockets.listeners(*there.address) == [os.getpid()]
    assert served is None if not tree.LINUX else served is not None and served[1] > 0


def test_a_server_elsewhere_is_not_looked_at() -> None:
    assert RemoteServer(remote("192.0.2.1:9")).served_s() is None
