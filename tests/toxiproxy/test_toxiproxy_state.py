"""Killed, read again and overloaded: what was acknowledged is there, and no socket is left behind."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from test_toxiproxy_process import PROGRAM, program
from through import PATIENCE_S, ask, connect, eventually, free_port, read, read_all

UP = "127.0.0.1:9"
#: So many clients write at the same time.
WRITERS = 8


class Writers:
    """Clients that create, change and delete without end, and remember what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.over = threading.Event()
        #: What each proxy was acknowledged to be, and those with a change on its way, of which nobody can say.
        self.known: dict[str, dict[str, Any]] = {}
        self.unknown = set[str]()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        with contextlib.suppress(requests.ConnectionError):
            for turn in range(10_000):
                if self.over.is_set():
                    return
                self._life(f"p{number}-{turn}", turn)

    def _life(self, name: str, turn: int) -> None:
        self.unknown.add(name)
        body = {"name": name, "upstream": UP, "listen": "127.0.0.1:0"}
        self._done(name, ask(self.url, "POST", "/proxies", body), 201)
        if turn % 2:
            toxic = {"type": "latency", "attributes": {"latency": turn}, "toxicity": 0.5}
            self._change(name, "POST", f"/proxies/{name}/toxics", toxic)
        if turn % 3 == 0:
            self._change(name, "POST", f"/proxies/{name}", {"enabled": False})
        if turn % 5 == 4:
            self.unknown.add(name)
            assert ask(self.url, "DELETE", f"/proxies/{name}").status_code == 204
            del self.known[name]
            self.unknown.discard(name)

    def _change(self, name: str, method: str, path: str, body: dict[str, Any]) -> None:
        self.unknown.add(name)
        assert ask(self.url, method, path, body).status_code == 200
        self._done(name, ask(self.url, "GET", f"/proxies/{name}"), 200)

    def _done(self, name: str, answer: requests.Response, status: int) -> None:
        assert answer.status_code == status
        self.known[name] = answer.json()
        self.unknown.discard(name)


def told(url: str) -> dict[str, dict[str, Any]]:
    answer: dict[str, dict[str, Any]] = ask(url, "GET", "/proxies").json()
    return answer


def check(writers: Writers, there: dict[str, dict[str, Any]]) -> None:
    """What was acknowledged is there as it was, and nothing else is but what was on its way."""
    assert len(writers.known) > WRITERS
    for name, known in writers.known.items():
        if name not in writers.unknown:
            assert there[name] == known
    assert there.keys() <= writers.known.keys() | writers.unknown


def test_killed_in_the_middle_of_changes_it_comes_back_as_it_was_told_to_be(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with program("-state", str(state)) as (process, url):
        writers = Writers(url)
        eventually(lambda: len(writers.known) > 5 * WRITERS)
        process.kill()
        process.wait(PATIENCE_S)
        writers.end()
    for address in (known["listen"] for known in writers.known.values()):
        with pytest.raises(ConnectionRefusedError):
            connect(("127.0.0.1", int(address.rpartition(":")[2])))
    with program("-state", str(state)) as (_, url):
        check(writers, told(url))


def test_killed_with_a_config_it_comes_back_as_the_config_says(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    text = json.dumps([{"name": "a", "upstream": UP, "listen": f"127.0.0.1:{free_port()}"}])
    config.write_text(text)
    with program("-config", str(config)) as (process, url):
        first = told(url)
        writers = Writers(url)
        eventually(lambda: len(writers.known) > WRITERS)
        process.kill()
        process.wait(PATIENCE_S)
        writers.end()
    assert config.read_text() == text
    with program("-config", str(config)) as (_, url):
        assert told(url) == first


def test_read_again_in_the_middle_of_changes_it_loses_none(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps([{"name": "a", "upstream": UP, "listen": f"127.0.0.1:{free_port()}"}]))
    with program("-config", str(config)) as (process, url):
        first = told(url)
        writers = Writers(url)
        for number in range(10):
            eventually(lambda least=number * WRITERS: len(writers.known) > least)  # type: ignore[misc]
            process.send_signal(signal.SIGHUP)
        writers.end()
        assert not writers.unknown
        assert told(url) == first | writers.known


def test_a_state_goes_before_a_config_and_keeps_what_a_hangup_brings(tmp_path: Path) -> None:
    config, state = tmp_path / "config.json", tmp_path / "state.json"
    one = {"name": "one", "upstream": UP, "listen": f"127.0.0.1:{free_port()}"}
    config.write_text(json.dumps([one]))
    flags = ("-config", str(config), "-state", str(state))
    with program(*flags) as (process, url):
        assert list(told(url)) == ["one"]
        ask(url, "POST", "/proxies/one", {"upstream": "127.0.0.1:10"})
        process.kill()
    with program(*flags) as (process, url):
        assert told(url)["one"]["upstream"] == "127.0.0.1:10"
        config.write_text(json.dumps([{**one, "name": "two", "listen": "127.0.0.1:0"}]))
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "two" in told(url) and '"two"' in state.read_text())
        before = told(url)
        process.kill()
    with program(*flags) as (_, url):
        assert told(url) == before


def test_all_that_a_proxy_may_have_comes_back(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with program("-state", str(state)) as (process, url):
        ask(url, "POST", "/proxies", {"name": "ção", "upstream": UP, "listen": "127.0.0.1:0"})
        for toxic in (
            {"type": "limit_data", "name": "down", "attributes": {"bytes": 7}},
            {"type": "bandwidth", "stream": "both", "attributes": {"rate": 9}, "upstream": {"rate": 5}},
            {"type": "timeout", "stream": "UPSTREAM", "toxicity": 0.3, "schedule": {"on": 50, "off": 60}},
        ):
            assert ask(url, "POST", "/proxies/%C3%A7%C3%A3o/toxics", toxic).status_code == 200
        before = told(url)
        process.kill()
    with program("-state", str(state)) as (_, url):
        assert told(url) == before
        order = [one["name"] for one in json.loads(state.read_text())[0]["toxics"]]
    assert order == ["down", "bandwidth_both", "timeout_UPSTREAM"]


@contextlib.contextmanager
def port_taken_meanwhile(state: Path) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """One that started while somebody had the port of its proxy a, and what its proxies a and b were before."""
    with program("-state", str(state)) as (process, url):
        for name in ("a", "b"):
            ask(url, "POST", "/proxies", {"name": name, "upstream": UP, "listen": "127.0.0.1:0"})
        ask(url, "POST", "/proxies/a/toxics", {"type": "noop"})
        before = told(url)
        process.kill()
        process.wait(PATIENCE_S)
    port = int(before["a"]["listen"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), program("-state", str(state)) as (process, url):
        assert told(url) == before | {"a": before["a"] | {"enabled": False}}
        yield url, before
        process.kill()
        process.wait(PATIENCE_S)


def test_a_proxy_whose_port_was_taken_meanwhile_comes_back_when_it_is_free(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.json"
    with port_taken_meanwhile(state) as (url, before):
        listen = before["a"]["listen"]
        assert capfd.readouterr().err == (
            f'toxiproxy: proxy "a" is disabled for now: listen tcp {listen}: bind: address already in use; '
            "free its port and start again, or enable it\n"
        )
        # neither what fails nor what says nothing of it is a word against it
        assert ask(url, "POST", "/proxies/a", {"enabled": True}).status_code == 500
        assert ask(url, "POST", "/reset").status_code == 500
        assert ask(url, "POST", "/proxies/a", {"upstream": "127.0.0.1:10"}).json()["enabled"] is False
        assert ask(url, "DELETE", "/proxies/a/toxics/noop_downstream").status_code == 204
        assert ask(url, "DELETE", "/proxies/b").status_code == 204
    with program("-state", str(state)) as (_, url):
        assert told(url) == {"a": before["a"] | {"upstream": "127.0.0.1:10", "toxics": []}}
        connect(("127.0.0.1", int(listen.rpartition(":")[2]))).close()


def test_a_proxy_whose_port_was_taken_meanwhile_stays_disabled_when_it_is_told_to(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with port_taken_meanwhile(state) as (url, before):
        assert ask(url, "POST", "/proxies/a", {"enabled": False}).status_code == 200
    with program("-state", str(state)) as (_, url):
        assert told(url) == before | {"a": before["a"] | {"enabled": False}}


def test_a_move_to_a_port_that_is_taken_is_no_end_of_a_proxy(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with socket.create_server(("127.0.0.1", 0)) as other, program("-state", str(state)) as (process, url):
        ask(url, "POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        assert ask(url, "POST", "/proxies/a", {"listen": listen}).status_code == 500
        after = told(url)["a"]
        assert (after["enabled"], after["listen"]) == (False, listen)
        process.kill()
        process.wait(PATIENCE_S)
    with program("-state", str(state)) as (_, url):
        assert told(url)["a"] == after | {"enabled": True}


def test_a_change_that_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with program("-state", str(folder / "state.json")) as (_, url):
        (folder / "state.json").unlink()
        folder.rmdir()
        answer = ask(url, "POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
        assert (answer.status_code, answer.json()["error"]) == (500, "done, but not kept: No such file or directory")


@pytest.mark.parametrize("text", ["[1", '{"somebody": "else\'s file"}', "[1]", '[{"name": "without an upstream"}]'])
def test_a_state_that_cannot_be_read_is_not_overwritten(tmp_path: Path, text: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(text)
    done = subprocess.run([*PROGRAM, "-port", "0", "-state", str(state)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "mend it, or take it away" in done.stderr
    assert state.read_text() == text


def test_overloaded_it_leaves_no_socket_behind() -> None:
    with program() as (process, url), socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        listener.settimeout(PATIENCE_S)
        body = {"name": "a", "upstream": f"127.0.0.1:{listener.getsockname()[1]}", "listen": "127.0.0.1:0"}
        address = ("127.0.0.1", int(ask(url, "POST", "/proxies", body).json()["listen"].rpartition(":")[2]))
        ask(url, "GET", "/version")
        descriptors = psutil.Process(process.pid).num_fds

        def change(number: int) -> None:
            with connect(address) as client:
                client.sendall(b"x" * number)
                for enabled in (number % 7 > 0, True):
                    assert ask(url, "POST", "/proxies/a", {"enabled": enabled}).status_code == 200

        def try_to(number: int) -> None:
            with contextlib.suppress(ConnectionError):  # another had just disabled it
                change(number)

        before = descriptors()
        with ThreadPoolExecutor(100) as pool:
            list(pool.map(try_to, range(100)))
        assert told(url)["a"]["enabled"] is True

        def over() -> bool:
            _close_whoever_came(listener)
            return bool(ask(url, "GET", "/proxies/a/traffic").json()["connections"] == 0)

        eventually(over)
        eventually(lambda: descriptors() <= before + 1)


def _close_whoever_came(listener: socket.socket) -> None:
    listener.settimeout(0.05)
    with contextlib.suppress(TimeoutError):
        while True:
            listener.accept()[0].close()


def test_a_sender_of_gigabytes_behind_a_kilobyte_a_second_is_pushed_back() -> None:
    with program() as (process, url), socket.create_server(("127.0.0.1", 0)) as listener:
        body = {"name": "a", "upstream": f"127.0.0.1:{listener.getsockname()[1]}", "listen": "127.0.0.1:0"}
        address = ("127.0.0.1", int(ask(url, "POST", "/proxies", body).json()["listen"].rpartition(":")[2]))
        toxic = {"type": "bandwidth", "stream": "both", "attributes": {"rate": 1}}
        assert ask(url, "POST", "/proxies/a/toxics", toxic).status_code == 200
        before = psutil.Process(process.pid).memory_info().rss
        with connect(address) as client:
            server, _ = listener.accept()
            with server:
                client.settimeout(1.0)
                sent, gigabytes = 0, bytes(1 << 20)
                with contextlib.suppress(TimeoutError):
                    while sent < 1 << 31:
                        sent += client.send(gigabytes)
                assert sent < 64 << 20  # what the kernel's own buffers take, at most
                server.settimeout(PATIENCE_S)
                assert read(server, 100) == bytes(100)
                assert psutil.Process(process.pid).memory_info().rss - before < 4 << 20
                assert ask(url, "DELETE", "/proxies/a").status_code == 204
                assert set(read_all(server)[0]) <= {0}
