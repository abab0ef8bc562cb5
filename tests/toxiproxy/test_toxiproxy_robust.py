"""Requests that are huge, slow, foreign or many, upstreams that hang, descriptors that run out: the traffic goes on."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
import requests
from divergences import expected
from test_toxiproxy_process import PROGRAM, program
from through import PATIENCE_S, Through, api_address, ask, connect, eventually, read, read_all, silent

from harness import toxiproxy as subject
from harness.toxiproxy import Toxiproxy

UP = "127.0.0.1:9"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toxiproxy]:
    """An embedded one that waits a moment where others wait seconds."""
    for limit in ("READ_S", "WRITE_S", "IDLE_S", "LINGER_S"):
        monkeypatch.setattr(f"harness.toxiproxy.embedded.guard.{limit}", 0.3)
    proxy = subject.start("embedded")
    yield proxy
    proxy.close()


def talk(proxy: Toxiproxy, said: bytes) -> tuple[bytes, str]:
    """What the API answers to bare bytes, up to the end that it makes of the connection."""
    with connect(("127.0.0.1", int(proxy.url.rpartition(":")[2]))) as sock:
        sock.sendall(said)
        return read_all(sock)


# -- requests


@pytest.mark.parametrize("path", ["/proxies", "/populate"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_body_is_refused(through_ours: Through, path: str, chunked: bool) -> None:
    client, server = through_ours.pair()
    body = json.dumps([{"name": "x" * 100, "upstream": UP}] * 20_000).encode()
    assert len(body) > 2 << 20
    with requests.Session() as session:
        session.trust_env = False
        data: Any = (body[start : start + 65536] for start in range(0, len(body), 65536)) if chunked else body
        answer = session.post(through_ours.toxiproxy.url + path, data=data, timeout=PATIENCE_S)
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("request body too large")
    client.sendall(b"x")
    assert server.recv(1) == b"x"


def test_a_large_body_may_come_in_chunks(through: Through) -> None:
    def body() -> Iterator[bytes]:
        yield json.dumps({"name": "large", "upstream": UP, "listen": "127.0.0.1:0"})[:-1].encode()
        for number in range(100):
            yield f',"{number}":"{"x" * 5000}"'.encode()
        yield b"}"

    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(through.toxiproxy.url + "/proxies", data=body(), timeout=PATIENCE_S)
    assert answer.status_code == 201
    assert answer.json()["name"] == "large"


def test_a_head_that_stays_half_is_not_waited_for(hasty: Toxiproxy) -> None:
    assert talk(hasty, b"GET /version HTT")[0] == b""
    assert talk(hasty, b"")[0] == b""


def test_a_body_that_stays_half_is_a_bad_one(hasty: Toxiproxy) -> None:
    answer, _ = talk(hasty, b'POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"name"')
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"bad request body: i/o timeout" in answer


def test_an_idle_caller_is_let_go(hasty: Toxiproxy) -> None:
    answer, end = talk(hasty, b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert end == "end"


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT is Linux")
def test_a_caller_who_takes_no_answer_is_let_go(hasty: Toxiproxy) -> None:
    for number in range(12):
        ask(hasty.url, "POST", "/proxies", {"name": f"{number}" + "x" * 900_000, "upstream": UP, "enabled": False})
    assert hasty.pid is not None
    process = psutil.Process(hasty.pid)
    with connect(("127.0.0.1", int(hasty.url.rpartition(":")[2]))) as sock:
        sock.sendall(b"GET /proxies HTTP/1.1\r\nHost: localhost\r\n\r\n")
        own = sock.getsockname()[1]
        eventually(lambda: not [one for one in process.net_connections() if one.raddr and one.raddr.port == own])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://203.0.113.9"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example:8474"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example:8474"},
    ],
)
def test_a_page_of_another_site_is_refused(through: Through, headers: dict[str, str]) -> None:
    answer = through.api("POST", "/reset", headers=headers)
    refused = expected("a page of another site", through.real) == 403 and ("Host" not in headers or through.guarded)
    assert answer.status_code == (403 if refused else 204)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:8474", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://[::1]"},
        {"Sec-Fetch-Site": "none"},
        {"Host": "localhost:8474"},
        {"Host": "[::1]:8474"},
    ],
)
def test_a_page_of_this_machine_is_not_refused(through: Through, headers: dict[str, str]) -> None:
    assert through.api("GET", "/version", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        b"GET /version HTT",
        b'POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"name"',
        b"POST /populate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n[",
        b"\x00\x16\x03\x01 nonsense \r\n\r\n",
    ],
)
def test_requests_that_stay_half_stop_no_traffic_and_no_other_request(through: Through, said: bytes) -> None:
    client, server = through.pair()
    api = api_address(through.toxiproxy.url)
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(connect(api)).sendall(said)
        for _ in range(20):
            client.sendall(b"x")
            assert server.recv(1) == b"x"
        assert through.api("GET", "/proxies/line").status_code == 200
    server.sendall(b"y")
    assert client.recv(1) == b"y"


# -- many at a time


def test_a_hundred_clients_change_one_proxy_while_traffic_flows(through: Through) -> None:
    client, server = through.pair()
    blob = bytes(range(256)) * 4
    over = threading.Event()
    said: list[bytes] = []

    def speak() -> None:
        while not over.is_set():
            said.append(blob)
            server.sendall(blob)
            over.wait(0.001)

    def change(number: int) -> list[int]:
        stream, kind = ("upstream", "downstream")[number % 2], ("noop", "latency", "slicer")[number % 3]
        attributes = {"latency": {"latency": 1}, "slicer": {"average_size": 1000}}.get(kind, {})
        toxic = {"name": f"t{number}", "type": kind, "stream": stream, "attributes": attributes}
        path = f"/proxies/line/toxics/t{number}"
        return [
            through.api("POST", "/proxies/line/toxics", toxic).status_code,
            through.api("PATCH", path, {"toxicity": 0.5}).status_code,
            through.api("POST", "/proxies/line", {"enabled": True}).status_code,
            through.api("GET", "/proxies/line/toxics").status_code,
            through.api("DELETE", path).status_code,
        ]

    heard: list[bytes] = []
    listener = threading.Thread(target=lambda: heard.append(read_all(client)[0]))
    speaker = threading.Thread(target=speak)
    listener.start()
    speaker.start()
    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(change, range(100))) == [[200, 200, 200, 200, 204]] * 100
    over.set()
    speaker.join()
    server.close()
    listener.join(PATIENCE_S)
    assert heard == [b"".join(said)]
    assert through.api("GET", "/proxies/line/toxics").text == "[]"


def test_an_upstream_that_hangs_holds_up_nobody_else(through_ours: Through) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = []
        while True:  # its backlog, until the kernel no longer answers
            filler = socket.socket()
            filler.setblocking(False)
            fillers.append(filler)
            filler.connect_ex(full.getsockname())
            if filler.connect_ex(full.getsockname()):
                break
        body = {"name": "hangs", "upstream": f"127.0.0.1:{full.getsockname()[1]}", "listen": "127.0.0.1:0"}
        port = int(through_ours.api("POST", "/proxies", body).json()["listen"].rpartition(":")[2])
        waiting = [connect(("127.0.0.1", port)) for _ in range(5)]
        client, server = through_ours.pair()
        client.sendall(b"x")
        assert server.recv(1) == b"x"
        assert silent(waiting[0], 0.05)
        assert through_ours.api("POST", "/proxies/hangs", {"enabled": False}).status_code == 200
        for sock in (*waiting, *fillers):
            if sock in waiting:
                assert read_all(sock)[0] == b""
            sock.close()


# -- descriptors


def test_five_thousand_idle_connections_are_held() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 11_000:
        pytest.skip(f"5,000 connections need 10,000 descriptors, and there are {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    proxy = subject.start("embedded")
    pairs: list[tuple[socket.socket, socket.socket]] = []
    try:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            line = proxy.create("line", f"127.0.0.1:{listener.getsockname()[1]}")
            for _ in range(5000):
                client = connect(line.address)
                pairs.append((client, listener.accept()[0]))
        traffic = f"{proxy.url}/proxies/line/traffic"
        assert requests.get(traffic, timeout=PATIENCE_S).json()["connections"] == 5000
        for client, server in pairs[::500]:
            client.sendall(b"still here")
            assert read(server, 10) == b"still here"
        for client, server in pairs:
            client.close()
            server.close()
        eventually(lambda: requests.get(traffic, timeout=PATIENCE_S).json()["connections"] == 0)
    finally:
        for pair in pairs:
            for sock in pair:
                sock.close()
        proxy.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_run_out_and_come_back() -> None:
    limited = [sys.executable, "-c", "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)); "]
    limited[2] += "from harness.toxiproxy.embedded.main import main; sys.exit(main(sys.argv[1:]))"
    assert PROGRAM[0] == limited[0]
    with program(command=limited) as (_, url), socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(PATIENCE_S)
        body = {"name": "a", "upstream": f"127.0.0.1:{listener.getsockname()[1]}", "listen": "127.0.0.1:0"}
        address = ("127.0.0.1", int(ask(url, "POST", "/proxies", body).json()["listen"].rpartition(":")[2]))
        kept = requests.Session()  # its connection is there already: asking costs no descriptor
        kept.get(f"{url}/version", timeout=PATIENCE_S)
        clients = [connect(address) for _ in range(60)]

        def accepted() -> int:
            return int(kept.get(f"{url}/proxies/a/traffic", timeout=PATIENCE_S).json()["accepted"])

        eventually(lambda: accepted() > 10)
        for client in clients:
            client.close()

        def serves() -> bool:
            with connect(address) as client:
                client.sendall(b"q")
                listener.settimeout(0.5)
                try:
                    while True:
                        server, _ = listener.accept()
                        with server:
                            server.settimeout(0.5)
                            if server.recv(1) == b"q":
                                return True
                except (TimeoutError, ConnectionResetError):
                    return False

        eventually(serves)
        kept.close()
