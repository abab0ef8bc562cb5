"""What this proxy can do that Toxiproxy cannot, through real sockets and the real API."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from through import Through, ask, connect, eventually, read, read_all, silent, took

from harness import toxiproxy
from harness.toxiproxy import Toxiproxy
from harness.toxiproxy.embedded.toxics import OWN


def add(through: Through, kind: str, stream: str = "downstream", **rest: Any) -> dict[str, Any]:
    """Put a toxic on the line; what the API tells of it."""
    schedule = rest.pop("schedule", None)
    body = {"type": kind, "stream": stream, "attributes": rest, "schedule": schedule}
    answer = through.api("POST", "/proxies/line/toxics", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(through: Through) -> bool:
    try:
        connect(through.line.address).close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it was in the backlog just then
        return True
    return False


def changes(outcomes: list[bool]) -> int:
    return sum(a != b for a, b in pairwise(outcomes))


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_a_reset_comes_behind_exactly_the_bytes_that_were_asked_for(through_ours: Through, stream: str) -> None:
    add(through_ours, "reset_after", stream, bytes=70_001)
    client, server = through_ours.pair()
    source, sink = (client, server) if stream == "upstream" else (server, client)
    source.sendall(bytes(100_000))
    assert read_all(sink) == (bytes(70_001), "reset")
    assert read_all(source) == (b"", "reset")


def test_a_receiver_that_does_not_read_delays_a_reset_for_a_moment_at_most(through_ours: Through) -> None:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(through_ours.line.address)
    server, _ = through_ours.listener.accept()
    through_ours.opened += [client, server]
    add(through_ours, "reset_after", bytes=200_000)
    server.sendall(bytes(200_000))
    server.settimeout(20)
    assert read_all(server) == (b"", "reset")


def test_an_end_of_one_direction_closes_both_where_that_is_wanted(through_ours: Through) -> None:
    client, server = through_ours.pair()
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert read_all(server) == (b"last words", "end")
    server.sendall(b"answer")  # a half-close is carried through as one
    assert read(client, 6) == b"answer"
    add(through_ours, "full_close", "upstream")
    client, server = through_ours.pair()
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert read_all(server) == (b"last words", "end")
    assert read_all(client)[0] == b""


def test_bits_flip_and_the_same_seed_flips_the_same_ones() -> None:
    results = []
    for seed in (7, 7, 8):
        proxy = toxiproxy.start("embedded", seed=seed)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            line = proxy.create("line", f"127.0.0.1:{listener.getsockname()[1]}")
            line.add_toxic("corrupt", stream="upstream", per_million=10_000)
            with connect(line.address) as client:
                server, _ = listener.accept()
                client.sendall(bytes(20_000))
                with server:
                    results.append(read(server, 20_000))
        proxy.close()
    assert results[0] == results[1] != results[2]
    assert all(100 < sum(map(bool, result)) < 300 for result in results)


def test_chunks_are_joined_doubled_and_overtaken(through_ours: Through) -> None:
    client, server = through_ours.pair()
    add(through_ours, "coalesce", size=4, wait=20_000)
    server.sendall(b"ab")
    assert silent(client, 0.05)
    server.sendall(b"cd")
    assert client.recv(100) == b"abcd"
    add(through_ours, "duplicate", "upstream")
    client.sendall(b"x")
    assert read(server, 2) == b"xx"
    through_ours.line.clear()
    add(through_ours, "reorder", "upstream", wait=20_000)
    client.sendall(b"1")
    eventually(lambda: through_ours.line.traffic().upstream_received >= 2)  # type: ignore[union-attr]
    client.sendall(b"2")
    assert read(server, 2) == b"21"


def test_a_stall_ends_and_nothing_is_lost(through_ours: Through) -> None:
    add(through_ours, "stall", bytes=2, duration=300)
    client, server = through_ours.pair()
    with took() as seconds:
        server.sendall(b"abcd")
        assert read(client, 2) == b"ab"
        assert read(client, 2) == b"cd"
    assert seconds[0] >= 0.298


def test_a_blackhole_keeps_the_connection_open_and_its_removal_closes_it(through_ours: Through) -> None:
    client, server = through_ours.pair()
    add(through_ours, "blackhole", "upstream", bytes=3)
    client.sendall(b"abcdef")
    assert read(server, 3) == b"abc"
    client.shutdown(socket.SHUT_WR)
    assert silent(server, 0.1)
    server.sendall(b"still here")
    assert read(client, 10) == b"still here"
    through_ours.line.clear()
    assert read_all(server) == (b"", "end")
    assert read_all(client)[0] == b""


def test_new_connections_are_refused_while_the_old_ones_live(through_ours: Through) -> None:
    client, server = through_ours.pair()
    add(through_ours, "refuse")
    assert refused(through_ours)
    client.sendall(b"x")
    assert read(server, 1) == b"x"
    assert through_ours.api("GET", "/proxies/line").json()["listen"].endswith(str(through_ours.line.address[1]))
    through_ours.line.clear()
    client, server = through_ours.pair()
    client.sendall(b"y")
    assert read(server, 1) == b"y"


def test_a_refusal_survives_disabling_and_is_gone_when_it_is_removed_meanwhile(through_ours: Through) -> None:
    add(through_ours, "refuse")
    through_ours.line.disable()
    through_ours.line.enable()
    assert refused(through_ours)
    through_ours.line.disable()
    through_ours.line.clear()
    assert refused(through_ours)
    through_ours.line.enable()
    assert not refused(through_ours)


def test_a_refusal_of_some_resets_them_at_once(through_ours: Through) -> None:
    answer = through_ours.api("POST", "/proxies/line/toxics", {"type": "refuse", "toxicity": 0.5})
    assert answer.json()["toxicity"] == 0.5
    clients = []
    for _ in range(40):
        with contextlib.suppress(ConnectionResetError):  # of the connect itself, where the proxy was quicker
            clients.append(connect(through_ours.line.address))
    through_ours.opened += clients

    def told() -> dict[str, int]:
        return dict(through_ours.api("GET", "/proxies/line/traffic").json())

    eventually(lambda: told()["accepted"] == 40)
    assert 5 <= told()["connections"] <= 35


def test_a_schedule_lets_the_line_flap(through_ours: Through) -> None:
    told = add(through_ours, "refuse", schedule={"on": 150, "off": 150})
    assert told["schedule"] == {"on": 150, "off": 150, "after": 0}
    outcomes, until = [], time.monotonic() + 20
    while time.monotonic() < until and changes(outcomes) < 3:
        outcomes.append(refused(through_ours))
        time.sleep(0.01)
    assert changes(outcomes) >= 3


def test_a_scheduled_toxic_lets_go_of_what_it_held_and_a_change_ends_the_schedule(through_ours: Through) -> None:
    client, server = through_ours.pair()
    add(through_ours, "bandwidth", rate=0, schedule={"on": 300, "off": 60_000})
    server.sendall(b"x")
    assert read(client, 1) == b"x"
    changed = through_ours.api("PATCH", "/proxies/line/toxics/bandwidth_downstream", {"attributes": {}})
    assert changed.json()["schedule"] == {"on": 300, "off": 60_000, "after": 0}
    changed = through_ours.api("PATCH", "/proxies/line/toxics/bandwidth_downstream", {"schedule": {}})
    assert "schedule" not in changed.json()
    server.sendall(b"y")
    assert silent(client, 0.05)


def test_one_toxic_in_both_streams_may_be_another_in_each(through_ours: Through) -> None:
    client, server = through_ours.pair()
    body = {"type": "stall", "stream": "Both", "attributes": {"bytes": 3, "duration": 1}, "upstream": {"bytes": 1}}
    told = through_ours.api("POST", "/proxies/line/toxics", body).json()
    assert (told["name"], told["stream"], told["upstream"]) == ("stall_Both", "Both", {"bytes": 1})
    refused = through_ours.api("PATCH", "/proxies/line/toxics/stall_Both", {"downstream": {"duration": 0}})
    assert refused.status_code == 400
    change = {"attributes": {"duration": 60_000}, "downstream": {"bytes": 2}}
    told = through_ours.api("PATCH", "/proxies/line/toxics/stall_Both", change).json()
    assert told["attributes"] == {"bytes": 3, "duration": 60_000}
    assert (told["upstream"], told["downstream"]) == ({"bytes": 1}, {"bytes": 2})
    for source, sink, passes in ((client, server, 1), (server, client, 2)):
        source.sendall(b"abcdef")
        assert read(sink, passes) == b"abcdef"[:passes]
        assert silent(sink, 0.02)
    assert len(through_ours.api("GET", "/proxies/line/toxics").json()) == 1
    through_ours.line.clear()
    assert read(server, 5) == b"bcdef"
    assert read(client, 4) == b"cdef"


def test_what_makes_no_sense_is_refused_with_the_reason(through_ours: Through) -> None:
    for kind, attributes, schedule, word in (
        ("corrupt", {}, None, "corrupt needs a per_million or an offset"),
        ("corrupt", {"per_million": 1_000_001}, None, "per_million must be between"),
        ("duplicate", {"percent": 0}, None, "percent must be between"),
        ("reorder", {"wait": 0}, None, "wait must be 1 or more"),
        ("coalesce", {"size": 2**30}, None, "size must be between"),
        ("stall", {}, None, "duration must be 1 or more"),
        ("blackhole", {"bytes": -1}, None, "bytes must be 0 or more"),
        ("latency_normal", {"mean": -1}, None, "mean must be 0 or more"),
        ("latency_pareto", {"least": 10, "p99": 9}, None, "p99 must not be less than least"),
        ("latency", {}, {"on": 1}, "schedule on must be 10 or more"),
        ("latency", {}, {"off": 100}, "schedule on must be 10 or more"),
        ("latency", {}, {"on": "x"}, "bad request body"),
        ("latency", {}, 3, "bad request body"),
    ):
        body = {"type": kind, "attributes": attributes, "schedule": schedule}
        answer = ask(through_ours.toxiproxy.url, "POST", "/proxies/line/toxics", body)
        assert answer.status_code == 400
        assert word in answer.json()["error"]
    assert through_ours.api("GET", "/proxies/line/toxics").json() == []


def test_the_toxics_of_a_create_body_may_have_schedules(through_ours: Through) -> None:
    toxics = [{"type": "refuse", "schedule": {"on": 60_000, "off": 10}}]
    body = {"name": "other", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", "toxics": toxics}
    host, port = through_ours.api("POST", "/proxies", body).json()["listen"].split(":")
    with pytest.raises(ConnectionRefusedError):
        connect((host, int(port)))


def test_the_examples_of_the_documentation_are_accepted(ours: Toxiproxy) -> None:
    page = (Path(__file__).parents[2] / "docs" / "toxiproxy.md").read_text(encoding="utf-8")
    shown = re.findall(r"^curl -d '(.*)' localhost:8474(/\S+)$", page, re.MULTILINE)
    assert {json.loads(body).get("type") for body, _ in shown} >= OWN
    for number, (body, path) in enumerate(shown):
        given = json.loads(body)
        given |= {"listen": "127.0.0.1:0"} if path == "/proxies" else {"name": f"{number}"}
        answer = ask(ours.url, "POST", path, given)
        assert answer.ok, (body, answer.text)
    assert ask(ours.url, "GET", "/proxies/chat/traffic").ok
    assert ask(ours.url, "DELETE", "/proxies/chat").ok
