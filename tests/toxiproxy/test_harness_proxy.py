"""`harness proxy` as people meet it: on Toxiproxy's port, driven by the published Python client, and by curl."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import pytest
import requests
from through import PATIENCE_S, eventually, free_port
from toxiproxy import Toxiproxy
from toxiproxy.api import APIConsumer, validate_response
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists
from toxiproxy.utils import can_connect_to

#: Where the client looks for a Toxiproxy.
PORT = 8474
SOMEWHERE = "localhost:3306"

Case = Callable[[Toxiproxy], None]
CASES: list[Case] = []


@contextlib.contextmanager
def harness_proxy(*flags: str) -> Iterator[str]:
    """The command, and where its API is."""
    command = [sys.executable, "-m", "harness", "proxy", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told: dict[str, str] = {}
            while "address" not in told:
                told = json.loads(process.stdout.readline())
            yield told["address"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


@contextlib.contextmanager
def a_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"localhost:{listener.getsockname()[1]}"


def case(one: Case) -> Case:
    CASES.append(one)
    return one


def up(listen: str) -> bool:
    host, port = listen.split(":")
    return can_connect_to(host, int(port))


# What the client's own tests assert, in our words. Its fixed ports are free ones here.


@case
def made_disabled_it_tells_what_was_asked(server: Toxiproxy) -> None:
    listen = f"127.0.0.1:{free_port()}"
    proxy = server.create(upstream=SOMEWHERE, name="master", enabled=False, listen=listen)
    assert (proxy.upstream, proxy.name, proxy.enabled, proxy.listen) == (SOMEWHERE, "master", False, listen)


@case
def destroyed_it_is_not_listed(server: Toxiproxy) -> None:
    proxy = server.create(upstream=SOMEWHERE, name="master")
    assert server.destroy("master") is False  # a name is no proxy to it
    assert proxy.destroy()
    assert server.proxies() == {}
    assert server.get_proxy("master") is None


@case
def disabled_and_enabled(server: Toxiproxy) -> None:
    proxy = server.create(upstream=SOMEWHERE, name="master")
    proxy.disable()
    assert proxy.enabled is False
    assert not up(proxy.listen)
    proxy.enable()
    assert proxy.enabled is True
    assert up(proxy.listen)
    with proxy.down():
        assert not up(proxy.listen)
    assert up(proxy.listen)


@case
def found_again(server: Toxiproxy) -> None:
    server.create(upstream=SOMEWHERE, name="master")
    found = server.get_proxy("master")
    assert (found.upstream, found.name) == (SOMEWHERE, "master")


@case
def a_name_is_taken_once(server: Toxiproxy) -> None:
    server.create(upstream=SOMEWHERE, name="master")
    with pytest.raises(ProxyExists):
        server.create(upstream=SOMEWHERE, name="master")
    with pytest.raises(ProxyExists, match="proxy already exists"):
        APIConsumer.post("/proxies", json={"upstream": SOMEWHERE, "name": "master"})


@case
def a_path_that_is_none(_server: Toxiproxy) -> None:
    with pytest.raises(NotFound, match="404 page not found"):
        validate_response(requests.get(f"http://127.0.0.1:{PORT}/not_found", timeout=PATIENCE_S))


@case
def nobody_at_another_address(server: Toxiproxy) -> None:
    server.update_api_consumer("127.0.0.1", free_port())
    try:
        assert server.version() is None
        assert server.running() is False
    finally:
        server.update_api_consumer("127.0.0.1", PORT)


@case
def it_runs_and_has_a_version(server: Toxiproxy) -> None:
    assert server.running() is True
    assert json.loads(server.version()) == {"version": "2.12.0"}


@case
def populated_they_listen_and_move(server: Toxiproxy) -> None:
    first, second, third = (f"localhost:{free_port()}" for _ in range(3))
    made = server.populate(
        [
            {"name": "one", "upstream": SOMEWHERE, "listen": first},
            {"name": "two", "upstream": SOMEWHERE, "listen": second},
        ]
    )
    assert [up(proxy.listen) for proxy in made] == [True, True]
    moved = server.populate([{"name": "one", "upstream": SOMEWHERE, "listen": third}])
    assert [up(proxy.listen) for proxy in moved] == [True]
    assert not up(first)


@case
def a_toxic_outlives_a_pause(server: Toxiproxy) -> None:
    with a_server() as upstream:
        proxy = server.create(upstream=upstream, name="line")
        proxy.add_toxic(type="latency", attributes={"latency": 123})
        proxy.disable()
        assert not up(proxy.listen)
        proxy.enable()
        assert up(proxy.listen)
        assert proxy.get_toxic("latency_downstream").attributes["latency"] == 123
        assert server.get_proxy("line").listen == proxy.listen


@case
def a_toxic_is_taken_off(server: Toxiproxy) -> None:
    with a_server() as upstream:
        proxy = server.create(upstream=upstream, name="line")
        proxy.add_toxic(type="latency", attributes={"latency": 123})
        assert up(proxy.listen)
        assert proxy.destroy_toxic("latency_downstream")
        assert proxy.toxics() == {}
        with pytest.raises(InvalidToxic):
            proxy.add_toxic(type="none")


@case
def reset_enables_and_clears(server: Toxiproxy) -> None:
    with a_server() as upstream:
        proxy = server.create(upstream=upstream, name="line")
        proxy.disable()
        proxy.add_toxic(type="latency", attributes={"latency": 123})
        assert server.reset()
        assert up(proxy.listen)
        assert proxy.toxics() == {}
        assert server.get_proxy("line").listen == proxy.listen


def test_what_the_published_clients_own_tests_assert_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    if can_connect_to("127.0.0.1", PORT):
        pytest.skip(f"PORT {PORT} IS TAKEN: the published client's tests did not run against harness proxy")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    failed: list[str] = []
    with harness_proxy():
        server = Toxiproxy()
        for one in CASES:
            try:
                one(server)
            except Exception:
                failed.append(f"{one.__name__}: {traceback.format_exc()}")
            server.destroy_all()
    assert not failed, "\n".join(failed)


# -- sessions as Toxiproxy's documentation shows them


def curl(address: str, method: str, path: str, body: str | None = None) -> tuple[int, str]:
    """The status and the body that curl shows; without curl, that http.client shows."""
    program = shutil.which("curl")
    if program is None:
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    given = ["-X", method] if body is None else ["-X", method, "-d", body]
    command = [program, "-q", "-s", "-i", "--noproxy", "*", *given, f"http://{address}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    head, _, told = done.stdout.replace("\r\n", "\n").partition("\n\n")
    return int(head.split()[1]), told


def _echo(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            sock, _ = listener.accept()
            with sock:
                while data := sock.recv(100):
                    sock.sendall(data)


def test_the_documented_session_goes_as_documented() -> None:
    with harness_proxy("-port", "0") as address, socket.create_server(("127.0.0.1", 0)) as listener:
        echo = threading.Thread(target=_echo, args=(listener,), daemon=True)
        echo.start()
        port, upstream = free_port(), listener.getsockname()[1]
        body = f'{{"name": "redis", "upstream": "localhost:{upstream}", "listen": "localhost:{port}"}}'
        status, told = curl(address, "POST", "/proxies", body)
        assert status == 201
        assert json.loads(told)["listen"] == f"127.0.0.1:{port}"

        def trip() -> float:
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
                began = time.monotonic()
                client.sendall(b"PING")
                assert client.recv(4) == b"PING"
                return time.monotonic() - began

        trip()
        toxics = "/proxies/redis/toxics"
        status, told = curl(address, "POST", toxics, '{"type":"latency", "attributes" : {"latency":200}}')
        assert status == 200
        assert json.loads(told)["name"] == "latency_downstream"
        assert trip() >= 0.2
        for method, latency in (("POST", 300), ("PATCH", 100)):
            change = f'{{"attributes" : {{"latency":{latency}}}}}'
            status, told = curl(address, method, f"{toxics}/latency_downstream", change)
            assert (status, json.loads(told)["attributes"]) == (200, {"latency": latency, "jitter": 0})
            assert trip() >= latency / 1000
        status, told = curl(address, "GET", toxics)
        assert [toxic["attributes"] for toxic in json.loads(told)] == [{"latency": 100, "jitter": 0}]
        assert curl(address, "DELETE", f"{toxics}/latency_downstream") == (204, "")
        assert json.loads(curl(address, "GET", toxics)[1]) == []
        status, told = curl(address, "POST", "/proxies/redis", '{"enabled": false}')
        assert (status, json.loads(told)["enabled"]) == (200, False)
        with pytest.raises(ConnectionRefusedError):
            trip()
        assert curl(address, "POST", "/reset") == (204, "")
        eventually(lambda: trip() < PATIENCE_S)
        status, told = curl(
            address, "POST", "/populate", f"[{body}, {body.replace('redis', 'web').replace(str(port), '0')}]"
        )
        assert (status, [proxy["name"] for proxy in json.loads(told)["proxies"]]) == (201, ["redis", "web"])
        assert sorted(json.loads(curl(address, "GET", "/proxies")[1])) == ["redis", "web"]
        for name in ("redis", "web"):
            assert curl(address, "DELETE", f"/proxies/{name}") == (204, "")
        assert curl(address, "GET", "/proxies") == (200, "{}")
        with pytest.raises(ConnectionRefusedError):
            trip()
