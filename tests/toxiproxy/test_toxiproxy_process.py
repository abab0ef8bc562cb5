"""Starting, finding and ending Toxiproxies: no process, no socket, no traceback is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import toxiproxy.api
from divergences import expected
from through import PATIENCE_S, Through, ask, connect, eventually, free_port, read, read_all, real_one

from harness import toxiproxy as subject
from harness.toxiproxy import Toxiproxy, ToxiproxyError

PROGRAM = [sys.executable, "-m", "harness.toxiproxy.embedded"]
#: The same program on a machine without uvloop.
WITHOUT_UVLOOP = [
    sys.executable,
    "-c",
    "import sys; sys.modules['uvloop'] = None; from harness.toxiproxy.embedded.main import main; sys.exit(main(sys.argv[1:]))",
]


@contextlib.contextmanager
def program(*arguments: str, command: list[str] = PROGRAM) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The embedded proxy as a program, and its URL; what it logged before that is its `before`."""
    with subprocess.Popen([*command, "-port", "0", *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.before = []  # type: ignore[attr-defined]
            told = json.loads(process.stdout.readline())
            while "address" not in told:
                process.before.append(told)  # type: ignore[attr-defined]
                told = json.loads(process.stdout.readline())
            yield process, f"http://{told['address']}"
        finally:
            process.kill()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_starts_quickly_and_closing_leaves_nothing() -> None:
    began = time.monotonic()
    proxy = subject.start("embedded")
    assert time.monotonic() - began < 2
    assert proxy.kind == "embedded"
    assert proxy.capabilities == {"reset", "half-close", "own-toxics"}
    assert proxy.version == "2.12.0"
    line = proxy.create("line", "127.0.0.1:9")
    pid = proxy.pid
    assert pid is not None
    proxy.close()
    proxy.close()
    assert not psutil.pid_exists(pid)
    for address in (line.address, ("127.0.0.1", int(proxy.url.rpartition(":")[2]))):
        with pytest.raises(ConnectionRefusedError):
            connect(address)


def test_closing_ends_connections_too() -> None:
    proxy = subject.start("embedded")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = proxy.create("line", f"127.0.0.1:{listener.getsockname()[1]}")
        with connect(line.address) as client:
            server, _ = listener.accept()
            with server:
                proxy.close()
                assert read_all(client)[0] == b""
                server.settimeout(PATIENCE_S)
                assert read_all(server)[0] == b""


def test_the_child_inherits_no_descriptor() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        proxy = subject.start("embedded")
        try:
            assert proxy.pid is not None
            ports = {one.laddr.port for one in psutil.Process(proxy.pid).net_connections() if one.laddr}
            assert mine.getsockname()[1] not in ports
        finally:
            proxy.close()


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux")
def test_it_dies_with_a_parent_that_is_killed() -> None:
    code = "from harness import toxiproxy; p = toxiproxy.start('embedded'); print(p.pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    eventually(lambda: gone(pid))


def test_it_outlives_an_interrupt_from_the_terminal() -> None:
    proxy = subject.start("embedded")
    try:
        assert proxy.pid is not None
        os.kill(proxy.pid, signal.SIGINT)
        proxy.create("line", "127.0.0.1:9").delete()
    finally:
        proxy.close()


@pytest.mark.real_toxiproxy
def test_the_installed_one_is_started_and_ended() -> None:
    if not real_one():
        pytest.skip(
            "NO REAL TOXIPROXY: the conformance tests ran against the embedded one alone. "
            "Set TOXIPROXY_SERVER, or put toxiproxy-server on the PATH"
        )
    proxy = subject.start("installed")
    pid = proxy.pid
    assert proxy.capabilities == frozenset()
    proxy.close()
    assert pid is not None
    assert not psutil.pid_exists(pid)


# -- a remote one


def test_a_remote_one_keeps_what_is_not_ours(ours: Toxiproxy) -> None:
    theirs = ours.create("theirs", "127.0.0.1:9")
    theirs.add_toxic("latency", latency=1)
    remote = subject.start(ours.url)
    assert (remote.kind, remote.pid) == ("remote", None)
    assert remote.capabilities == ours.capabilities
    mine = remote.create("theirs", "127.0.0.1:9")
    mine.add_toxic("noop")
    remote.reset()
    proxies = ask(ours.url, "GET", "/proxies").json()
    assert {name: len(proxy["toxics"]) for name, proxy in proxies.items()} == {mine.name: 0, "theirs": 1}
    assert mine.called == "theirs"
    remote.close()
    assert list(ask(ours.url, "GET", "/proxies").json()) == ["theirs"]
    theirs.delete()


def test_what_a_remote_one_can_do_is_asked_of_it(ours: Toxiproxy) -> None:
    everything = subject.capabilities("embedded")
    assert subject.capabilities(ours.url) == ours.capabilities == everything
    assert subject.capabilities("installed") == frozenset()
    assert subject.capabilities(f"http://127.0.0.1:{free_port()}") == everything  # the scenarios will say what is wrong


@pytest.mark.parametrize("choice", ["nonsense", "http://", "https://127.0.0.1:1", "http://127.0.0.1:99999"])
def test_a_choice_that_is_none_is_told_in_a_line(choice: str) -> None:
    with pytest.raises(ToxiproxyError) as caught:
        subject.start(choice)
    assert "\n" not in str(caught.value)


def test_nobody_at_the_address_is_told_in_a_line() -> None:
    with pytest.raises(ToxiproxyError, match=r"no Toxiproxy at http://127\.0\.0\.1:\d+: is it running"):
        subject.start(f"http://127.0.0.1:{free_port()}")


def test_a_program_that_is_not_there_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOXIPROXY_SERVER", "/no/such/program")
    with pytest.raises(ToxiproxyError, match="TOXIPROXY_SERVER=/no/such/program is no program"):
        subject.start("installed")


def test_a_program_that_is_no_toxiproxy_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOXIPROXY_SERVER", "false")
    with pytest.raises(ToxiproxyError, match="did not start"):
        subject.start("installed")


# -- the client


def test_the_library_is_left_as_it_was(ours: Toxiproxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    before = (toxiproxy.api.APIConsumer.host, toxiproxy.api.APIConsumer.port, toxiproxy.api.requests)
    ours.create("line", "127.0.0.1:9").delete()
    assert before == (toxiproxy.api.APIConsumer.host, toxiproxy.api.APIConsumer.port, toxiproxy.api.requests)


def test_names_need_no_care(through: Through) -> None:
    line = through.toxiproxy.create("a b?#%ção", "127.0.0.1:9")
    line.add_toxic("latency", name="50% slow?", latency=1)
    line.update_toxic("50% slow?", latency=2, toxicity=0.5)
    path = "/proxies/a%20b%3F%23%25%C3%A7%C3%A3o/toxics/50%25%20slow%3F"
    told = through.api("GET", path).json()
    assert (told["attributes"]["latency"], told["toxicity"]) == (2, 0.5)
    line.clear()
    assert through.api("GET", path).status_code == 404
    line.delete()


@pytest.mark.parametrize(
    "act",
    [
        lambda t: t.toxiproxy.create("line", "127.0.0.1:9"),
        lambda t: t.toxiproxy.create("other", "127.0.0.1:9", listen=f"127.0.0.1:{t.listener.getsockname()[1]}"),
        lambda t: t.line.add_toxic("no such toxic"),
        lambda t: t.line.update_toxic("nobody", latency=1),
        lambda t: t.line.remove_toxic("nobody"),
        lambda t: t.line.add_toxic("slicer"),
        lambda t: t.line.add_toxic("bandwidth", rate=-1),
    ],
    ids=["name", "port", "type", "update", "remove", "slicer", "bandwidth"],
)
def test_what_fails_is_told_in_a_line(through: Through, act: Any) -> None:
    with pytest.raises(ToxiproxyError) as caught:
        act(through)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert through.api("GET", "/version").ok


def test_a_line_that_cannot_be_enabled_says_so(through: Through) -> None:
    through.line.disable()
    with (
        socket.create_server(through.line.address),
        pytest.raises(ToxiproxyError, match="address already in use"),
    ):
        through.line.enable()


# -- the program


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [PROGRAM, WITHOUT_UVLOOP], ids=["uvloop", "asyncio"])
def test_signals_end_it_in_order(number: signal.Signals, command: list[str]) -> None:
    with program(command=command) as (process, url), socket.create_server(("127.0.0.1", 0)) as listener:
        body = {"name": "a", "upstream": f"127.0.0.1:{listener.getsockname()[1]}", "listen": "127.0.0.1:0"}
        listen = ask(url, "POST", "/proxies", body).json()["listen"]
        ask(url, "POST", "/proxies/a/toxics", {"type": "latency", "attributes": {"latency": 20}})
        with connect(("127.0.0.1", int(listen.rpartition(":")[2]))) as client:
            server, _ = listener.accept()
            with server:
                began = time.monotonic()
                server.sendall(b"x")
                assert client.recv(1) == b"x"
                assert time.monotonic() - began >= 0.02
                process.send_signal(number)
                assert process.wait(PATIENCE_S) == 0
                assert read_all(client)[0] == b""


def test_a_port_that_is_taken_is_told_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run([*PROGRAM, "-port", port], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}: bind: address already in use" in done.stderr


@pytest.mark.parametrize(
    ("content", "message", "error"),
    [
        (None, "Error reading config file", "No such file"),
        ("[1", "Failed to populate proxies from file", "bad request body: unexpected EOF"),
        (
            '[{"name":"a","upstream":"b:1","listen":"127.0.0.1:0"},{"name":"b","upstream":"b:1","listen":"x"}]',
            "Failed to populate proxies from file",
            "listen tcp: address x: missing port in address",
        ),
    ],
)
def test_a_bad_config_is_logged_and_it_carries_on(
    tmp_path: Path, content: str | None, message: str, error: str
) -> None:
    config = tmp_path / "config.json"
    if content is not None:
        config.write_text(content)
    with program("-config", str(config)) as (process, url):
        assert list(ask(url, "GET", "/proxies").json()) == (["a"] if "listen" in (content or "") else [])
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    told = [one for one in process.before if one["level"] == "error"]  # type: ignore[attr-defined]
    assert [one["message"] for one in told] == [message]
    assert error in told[0]["error"]


def test_a_hangup_reads_the_config_again_and_loses_nothing(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    first = {"name": "first", "upstream": "127.0.0.1:9", "listen": f"127.0.0.1:{free_port()}"}
    config.write_text(json.dumps([first]))
    with program("-config", str(config)) as (process, url):
        ask(url, "POST", "/proxies/first/toxics", {"type": "latency"})
        ask(url, "POST", "/proxies", {"name": "by-hand", "upstream": "127.0.0.1:9", "listen": "127.0.0.1:0"})
        before = ask(url, "GET", "/proxies").json()
        second = {"name": "second", "upstream": "127.0.0.1:9", "listen": "127.0.0.1:0"}
        config.write_text(json.dumps([first, second]))
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "second" in ask(url, "GET", "/proxies").json())
        after = ask(url, "GET", "/proxies").json()
        assert {name: after[name] for name in before} == before
        config.write_text("nonsense")
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        while "Failed to populate" not in process.stdout.readline():
            pass
        assert ask(url, "GET", "/proxies").json() == after


def test_killed_it_leaves_no_socket() -> None:
    proxy = subject.start("embedded")
    pid = proxy.pid
    assert pid is not None
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            line = proxy.create("line", f"127.0.0.1:{listener.getsockname()[1]}")
            with connect(line.address) as client:
                server, _ = listener.accept()
                with server:
                    server.settimeout(PATIENCE_S)
                    os.kill(pid, signal.SIGKILL)
                    assert read_all(client)[0] == read_all(server)[0] == b""
            eventually(lambda: gone(pid))
            with pytest.raises(ConnectionRefusedError):
                connect(line.address)
    finally:
        proxy.close()


def test_a_config_makes_proxies_and_the_counters_are_served(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    toxics = [{"type": "limit_data", "attributes": {"bytes": 3}}]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = f"127.0.0.1:{listener.getsockname()[1]}"
        config.write_text(json.dumps([{"name": "a", "upstream": upstream, "listen": "127.0.0.1:0", "toxics": toxics}]))
        with program("-config", str(config), "-proxy-metrics", "-runtime-metrics") as (_, url):
            listen = ask(url, "GET", "/proxies/a").json()["listen"]
            with connect(("127.0.0.1", int(listen.rpartition(":")[2]))) as client:
                server, _ = listener.accept()
                with server:
                    server.sendall(b"12345")
                    assert read_all(client) == (b"123", "end")
            text = ask(url, "GET", "/metrics").text
    labels = f'{{direction="downstream",listener="{listen}",proxy="a",upstream="{upstream}"}}'
    assert f"toxiproxy_proxy_received_bytes_total{labels} 5\n" in text
    assert f"toxiproxy_proxy_sent_bytes_total{labels} 3\n" in text


def labelled(text: str, which: str, direction: str) -> int:
    """One of the byte counters in the text of /metrics; 0 where it is not told yet."""
    found = re.search(
        rf'toxiproxy_proxy_{which}_bytes_total{{direction="{direction}",[^}}]*proxy="a"[^}}]*}} (\S+)', text
    )
    return int(float(found[1])) if found else 0


@contextlib.contextmanager
def with_metrics(kind: str, flag: str = "-proxy-metrics") -> Iterator[str]:
    """The URL of a Toxiproxy that serves its counters."""
    if kind == "embedded":
        with program(flag) as (_, url):
            yield url
        return
    program_ = real_one()
    if program_ is None:
        pytest.skip("there is no real Toxiproxy here")
    port = free_port()
    command = [program_, "-port", str(port), flag]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: can_connect(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def can_connect(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("kind", ["embedded", pytest.param("installed", marks=pytest.mark.real_toxiproxy)])
def test_the_counters_are_served_to_any_method(kind: str) -> None:
    at_once = expected("the counters", real=kind == "installed") == "at once"
    with with_metrics(kind) as url, socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = f"127.0.0.1:{listener.getsockname()[1]}"
        made = ask(url, "POST", "/proxies", {"name": "a", "upstream": upstream, "listen": "127.0.0.1:0"}).json()
        with connect(("127.0.0.1", int(made["listen"].rpartition(":")[2]))) as client:
            server, _ = listener.accept()
            with server:
                client.sendall(b"12345")
                assert read(server, 5) == b"12345"

                def counted() -> int:
                    return labelled(ask(url, "GET", "/metrics").text, "received", "upstream")

                assert counted() == (5 if at_once else 0)
        eventually(lambda: counted() == 5)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
            answer = ask(url, method, "/metrics")
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4; charset=utf-8")
        assert ask(url, "GET", "/metrics", headers={"User-Agent": "Mozilla/5.0"}).status_code == 403


@pytest.mark.parametrize("kind", ["embedded", pytest.param("installed", marks=pytest.mark.real_toxiproxy)])
def test_the_process_tells_of_itself_under_the_usual_names(kind: str) -> None:
    before = time.time()
    with with_metrics(kind, "-runtime-metrics") as url:
        lines = ask(url, "GET", "/metrics").text.splitlines()
    types = dict(line.split()[2:] for line in lines if line.startswith("# TYPE "))
    values = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}
    assert types["process_cpu_seconds_total"] == "counter"
    for gauge in ("max_fds", "open_fds", "resident_memory_bytes", "start_time_seconds", "virtual_memory_bytes"):
        assert types[f"process_{gauge}"] == "gauge"
    assert 3 <= values["process_open_fds"] < values["process_max_fds"]
    assert 1 << 20 < values["process_resident_memory_bytes"] < values["process_virtual_memory_bytes"]
    assert abs(values["process_start_time_seconds"] - before) < PATIENCE_S
    told = any(name.startswith("go_") for name in values)
    assert told == (expected("Go's own metrics", real=kind == "installed") == "told")


def test_the_same_seed_hits_the_same_connections() -> None:
    def hits(seed: str) -> list[bool]:
        result = []
        with program("-seed", seed) as (_, url), socket.create_server(("127.0.0.1", 0)) as listener:
            body = {"name": "a", "upstream": f"127.0.0.1:{listener.getsockname()[1]}", "listen": "127.0.0.1:0"}
            port = int(ask(url, "POST", "/proxies", body).json()["listen"].rpartition(":")[2])
            toxic = {"type": "limit_data", "toxicity": 0.5, "attributes": {"bytes": 1}}
            ask(url, "POST", "/proxies/a/toxics", toxic)
            for _ in range(24):
                with connect(("127.0.0.1", port)) as client:
                    server, _ = listener.accept()
                    with server:
                        server.sendall(b"xy")
                        server.shutdown(socket.SHUT_WR)
                        result.append(read_all(client)[0] == b"x")
        return result

    first = hits("7")
    assert first == hits("7")
    assert first != hits("8")


def test_the_version_is_told() -> None:
    done = subprocess.run([*PROGRAM, "-version"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (0, "toxiproxy-server version 2.12.0\n")


def test_the_public_names_are_these() -> None:
    assert sorted(subject.__all__) == [
        "Line",
        "Passage",
        "Toxiproxy",
        "ToxiproxyError",
        "Traffic",
        "capabilities",
        "is_remote",
        "start",
    ]
