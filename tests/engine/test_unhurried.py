"""A server that sleeps between its words has not said its last one: its notices are learned all the same."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from harness.dialect.profile import Profile
from harness.engine.baseline import Lesson
from harness.engine.deadlines import deadlines
from harness.engine.options import Options
from harness.engine.rest import longest_answer_s
from harness.history import Baseline, Heard, Joined, Said
from harness.target import command

#: Lines; what is to be said goes out every 0.2 s, and meanwhile the server sleeps.
BATCHES = """
import socket, sys, threading, time
people, waiting, lock = [], [], threading.Lock()
def serve(conn):
    lines = conn.makefile("rb")
    name = lines.readline().strip()
    with lock:
        people.append(conn)
        waiting.append((conn, b"* " + name + b" came"))
    for line in lines:
        with lock:
            waiting.append((conn, name + b": " + line.strip()))
    with lock:
        people.remove(conn)
        waiting.append((conn, b"* " + name + b" went"))
    conn.close()
def deliver():
    while True:
        time.sleep(0.2)
        with lock:
            for sender, text in waiting:
                for one in people:
                    if one is not sender:
                        one.sendall(text + b"\\n")
            waiting.clear()
threading.Thread(target=deliver, daemon=True).start()
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


def test_the_notices_of_a_server_that_batches_its_words_are_learned(tmp_path: Path) -> None:
    (tmp_path / "chat.py").write_text(BATCHES, encoding="utf-8")
    speaks = Profile.model_validate({"login": [{"send": "{name}"}]})
    spec = command(f"{sys.executable} chat.py {{port}}", cwd=tmp_path)
    lesson = Lesson(Options(spec), speaks, Baseline(deadlines([]), named=True, login=True), isolated=False)
    asyncio.run(lesson.run())
    learned = lesson.learned()
    assert learned.baseline is not None, learned.transcript
    assert learned.baseline.join_notice == "* {name} came"
    assert learned.baseline.leave_notice == "* {name} went"


def test_the_longest_answer_is_a_login_s_or_a_word_s() -> None:
    records = [
        Joined(at_s=1.5, conn=1, name="ana", asked_at_s=1.25),
        Said(at_s=2.0, op=1, conn=1, token="xq1", text=b"hi xq1"),
        Heard(at_s=2.5, conn=2, token="xq1", unit=b"hi xq1"),
    ]
    assert longest_answer_s([]) == 0
    assert longest_answer_s(records[:2]) == 0.25
    assert longest_answer_s(records) == 0.5
