"""Two quiet runs, one after the other, of a server whose port is fixed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.dialect.profile import Profile
from harness.engine.baseline import Learned, learn
from harness.engine.options import Options
from harness.engine.workers import Workers
from harness.target import command, sandbox

#: Without SO_REUSEADDR, as `java.nio` and many a C server; who says `bye` is hung up upon, so that TIME_WAIT is its own.
NO_REUSE = """
import socket, threading
server = socket.socket()
server.bind(("127.0.0.1", 7373))
server.listen(64)
people = []
def serve(conn):
    people.append(conn)
    for line in conn.makefile("rb"):
        if line.strip() == b"bye":
            break
        for other in list(people):
            if other is not conn:
                other.sendall(line)
    people.remove(conn)
    conn.shutdown(socket.SHUT_RDWR)
    conn.close()
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


@pytest.mark.skipif(not sandbox.namespaces_allowed()[0], reason="no network namespace here")
def test_a_server_that_hangs_up_first_and_does_not_reuse_its_port_is_not_blamed(tmp_path: Path) -> None:
    """Apache MINA's chat: its second start found the port held by connections that it had itself ended."""
    (tmp_path / "chat.py").write_text(NO_REUSE, encoding="utf-8")
    speaks = Profile(leave="bye", say="{name}: {text}", attributes="client")
    options = Options(command(f"{sys.executable} chat.py", cwd=tmp_path))
    with Workers(1) as workers:
        workers.start("quiet", lambda: learn(options, speaks), 90.0)
        done = next(one for _ in range(90) for one in workers.wait(1.0))  # a look may find no more than a part of it
    assert done.failure is None
    learned: Learned = done.value
    assert learned.failure is None, learned.transcript
    assert learned.isolated
