"""What a server printed before it ended is read for the usual reasons; each reading says what to do, in both languages."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine.options import Options
from harness.engine.starting import Way, answer_to, way
from harness.engine.workers import Workers
from harness.sentences import in_portuguese
from harness.target import Server, TargetError, command, sandbox, sockets
from harness.target.trouble import declined, foreign_address, reading

PRINTED = {
    "  File \"s.py\", line 5\n    print \"up\"\nSyntaxError: Missing parentheses in call to 'print'. Did you mean": "Python 2",
    "ModuleNotFoundError: No module named 'SocketServer'": "Python 2",
    "NameError: name 'raw_input' is not defined": "Python 2",
    "  File \"chat.py\", line 12\n    def f(:\nSyntaxError: invalid syntax": "an error in chat.py, line 12",
    "/home/x/chat.js:7\nlet = =;\n\nSyntaxError: Unexpected token '='": "an error in chat.js, line 7",
    "Chat.java:3: error: ';' expected": "an error in Chat.java, line 3",
    "./main.go:9:2: undefined: x": "an error in main.go, line 9",
    "error[E0425]: cannot find value\n  --> src/main.rs:4:5": "an error in main.rs, line 4",
    "ModuleNotFoundError: No module named 'websockets'": "the Python module websockets is not installed",
    "Error: Cannot find module 'ws'\nRequire stack:": "the Node package ws is not installed",
    "Error: Cannot find module '/home/x/srv.js'": "there is no file /home/x/srv.js",
    "python3: can't open file '/home/x/srv.py': [Errno 2] No such file or directory": "there is no file /home/x/srv.py",
    "Error: Unable to access jarfile chat.jar": "there is no file chat.jar",
    "Error: Could not find or load main class chat.Server": "did not find the class chat.Server",
    "java.lang.UnsupportedClassVersionError: Chat has been compiled": "newer Java",
    "OSError: [Errno 99] Cannot assign requested address": "an address that this machine does not have",
    "Error: listen EADDRNOTAVAIL: address not available 192.168.0.7:5000": "does not have (192.168.0.7)",
    "PermissionError: [Errno 13] Permission denied": "ports below 1024",
    "socket.gaierror: [Errno -2] Name or service not known": "0.0.0.0",
    "    int(sys.argv[1])\nIndexError: list index out of range": "{port} where the port stands",
    "Usage: ./server <port>": "{port} where the port stands",
    "npm error Missing script: \"start\"": "`cwd` of [server]",
    "ConnectionRefusedError: [Errno 111] Connection refused": "a database?",
    "sh: 1: gradle: not found": "there is no command gradle",
}  # fmt: skip


@pytest.mark.parametrize("printed", PRINTED)
def test_the_usual_reasons_are_read(printed: str, tmp_path: Path) -> None:
    told = reading(printed, command("python3 nothing.py", cwd=tmp_path), 1)
    assert told is not None
    assert PRINTED[printed] in told
    assert in_portuguese(told) != told


def test_what_is_not_recognised_gets_no_reading(tmp_path: Path) -> None:
    assert reading("segmentation of the market: fine\n", command("./server", cwd=tmp_path), 3) is None


def test_silence_and_compilers_are_told_apart(tmp_path: Path) -> None:
    assert "main function" in str(reading("", command("python3 s.py", cwd=tmp_path), 0))
    assert "compiler" in str(reading("", command("gcc s.c", cwd=tmp_path), 0))


def test_a_class_that_was_never_compiled_is_told_with_the_line_that_helps(tmp_path: Path) -> None:
    (tmp_path / "Chat.java").write_text("class Chat {}")
    told = str(reading("Error: Could not find or load main class Chat", command("java Chat", cwd=tmp_path), 1))
    assert 'build = "javac Chat.java"' in told
    assert in_portuguese(told) != told


def test_the_address_of_another_machine_is_found_in_the_source(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("LOCAL = '127.0.0.1'\nVERSION = '1.2.3.400'\nHOST = '192.168.1.50'\n")
    assert foreign_address(command("python3 s.py", cwd=tmp_path)) == "192.168.1.50, in s.py"


@pytest.mark.parametrize(
    "words", ["docker compose up", "docker-compose up -d", "podman run chat", "/usr/bin/docker run x"]
)
def test_containers_are_declined_politely(words: str) -> None:
    with pytest.raises(TargetError, match="--connect HOST:PORT") as told:
        declined(command(words))
    assert in_portuguese(str(told.value)) != str(told.value)


@pytest.mark.parametrize(
    ("question", "answer"),
    [("Port:", "{port}"), ("Digite a porta do servidor", "{port}"), ("", "{port}"), ("Enter IP address", "{host}"),
     ("Endereço:", "{host}"), ("Press ENTER to start", ""), ("How many clients?", None), ("Password:", None)],
)  # fmt: skip
def test_what_a_server_is_told_that_asks(question: str, answer: str | None) -> None:
    assert answer_to(question) == answer


# -- real servers ----------------------------------------------------------------------------------------------------

LISTEN = "import socket, sys, time\ns = socket.create_server(({host}, {port}))\ntime.sleep(300)\n"
WEB = """
import http.server, socket, threading, time
web = http.server.ThreadingHTTPServer(("127.0.0.1", 14_998), http.server.BaseHTTPRequestHandler)
threading.Thread(target=web.serve_forever, daemon=True).start()
s = socket.create_server(("127.0.0.1", 14_999))
time.sleep(300)
"""


def how(text: str, tmp_path: Path, *words: str, **more: Any) -> Way:
    """How this program is started, found out in a worker as the engine does it."""
    path = tmp_path / "server.py"
    path.write_text(text, encoding="utf-8")
    spec = replace(command([sys.executable, str(path), *words], cwd=tmp_path), **more)
    with Workers(1) as workers:
        workers.start("way", lambda: way(Options(spec=spec)), 60)
        while True:
            for done in workers.wait():
                assert done.failure is None, done.failure
                assert isinstance(done.value, Way)
                return done.value


def started(found: Way, act: Callable[[Server], Awaitable[Any]] | None = None) -> int:
    """Start it so, here; the port on which it is reached."""

    async def once() -> int:
        server = await Server.start(found.specs[0], deadline_s=30, clock=time.monotonic)
        try:
            return server.port
        finally:
            await server.kill()

    return asyncio.run(once())


def test_a_port_that_it_asks_for_is_told_unasked(tmp_path: Path) -> None:
    found = how(LISTEN.format(host="input('Host: ')", port="int(input('Port: '))"), tmp_path)
    assert (found.learned, found.specs[0].stdin) == (None, "{host}\n{port}\n")
    assert len(found.told) == 2
    assert all(in_portuguese(told) != told for told in found.told)


def test_a_question_that_nobody_can_answer_is_told(tmp_path: Path) -> None:
    found = how("input('How many? ')\n", tmp_path)
    assert found.learned is not None
    assert "stdin" in str(found.learned.failure)
    assert "How many?" in found.learned.transcript


def test_one_that_wants_a_terminal_gets_one(tmp_path: Path) -> None:
    text = "import sys\nif not sys.stdin.isatty(): sys.exit('this needs a terminal')\n"
    found = how(text + LISTEN.format(host="'127.0.0.1'", port="int(sys.argv[1])"), tmp_path, "{port}")
    assert (found.learned, found.specs[0].pty) == (None, True)
    assert started(found) > 0


def test_of_two_ports_the_one_that_is_no_web_server_is_tried_first(tmp_path: Path) -> None:
    if not sandbox.namespaces_allowed()[0]:
        pytest.skip("the ports of this test may be taken here")
    found = how(WEB, tmp_path)
    assert [spec.chat_port for spec in found.specs] == [14_999, 14_998]


def test_the_address_of_its_authors_home_is_found_here_and_told(tmp_path: Path) -> None:
    if not sandbox.namespaces_allowed()[0]:
        pytest.skip("no network namespace here")
    found = how(LISTEN.format(host="'192.168.77.50'", port="14_997"), tmp_path)
    assert found.learned is None
    assert "192.168.77.50" in found.told[0]


def test_a_udp_socket_is_known_as_such() -> None:
    import os
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.0.1", 0))
        assert sockets.datagram({os.fstat(udp.fileno()).st_ino})
        assert not sockets.datagram({os.fstat(tcp.fileno()).st_ino})
