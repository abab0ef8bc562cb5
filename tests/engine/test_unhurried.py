"""A server that sleeps between its words has not said its last one: its notices are learned all the same."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from harness.dialect.profile import Profile
from harness.engine import confirming, guests
from harness.engine.baseline import Learned, Lesson
from harness.engine.confirming import Confirmation
from harness.engine.conversation import Conversation
from harness.engine.deadlines import deadlines
from harness.engine.guests import opened
from harness.engine.options import Options
from harness.engine.reading import PATIENT_GREETING_S, Guess, Reading
from harness.engine.rest import longest_answer_s
from harness.engine.run import Run
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

#: The same, and it answers: a word for leaving that ends the connection, and what it says of any other word come as late.
ANSWERS_LATE = """
import asyncio, sys
people, waiting = {}, []
async def serve(reader, writer):
    name = (await reader.readline()).strip()
    people[writer] = name
    while text := (await reader.readline()).strip():
        if text == b"/exit":
            break
        if text.startswith((b"/", b".", b"!")):
            waiting.append((writer, b"? what"))
        else:
            waiting.extend((one, name + b": " + text) for one in people if one is not writer)
    del people[writer]
    await asyncio.sleep(0.6)
    writer.close()
async def main():
    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    while True:
        await asyncio.sleep(0.6)
        for one, text in waiting:
            one.write(text + b"\\n")
        waiting.clear()
asyncio.run(main())
"""

#: Its greeting comes in parts, with pauses between them, and asks for the name at the very end.
IN_PARTS = """
import asyncio, sys
people = {}
async def serve(reader, writer):
    for part in (b"-----\\n", b"| o |\\n", b"-----\\n", b"Your name? "):
        writer.write(part)
        await asyncio.sleep(float(sys.argv[2]))
    name = (await reader.readline()).strip()
    writer.write(b"hello " + name + b"\\n")
    people[writer] = name
    while text := (await reader.readline()).strip():
        for one in people:
            if one is not writer:
                one.write(name + b": " + text + b"\\n")
    del people[writer]
    writer.close()
async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()
asyncio.run(main())
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


def test_what_is_answered_late_is_not_taken_for_the_answer_to_the_next_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end that `/exit` brings came when the probe had gone on to the next word, which was then said for leaving."""
    monkeypatch.setattr(confirming, "CROWD", 1)
    (tmp_path / "chat.py").write_text(ANSWERS_LATE, encoding="utf-8")
    speaks = Profile.model_validate(
        {"login": [{"send": "{name}"}], "list": "x", "whisper": "x", "names": {"max": 9}, "max_clients": 3}
    )
    spec = command(f"{sys.executable} chat.py {{port}}", cwd=tmp_path)

    async def leave() -> object:
        async with opened(Options(spec), False, [], 0) as house:
            confirmed = await Confirmation(house, speaks).hold()
            assert confirmed.profile is not None, confirmed.why_not
            return confirmed.profile.leave

    assert asyncio.run(leave()) == "/exit"


def test_what_comes_late_while_the_silence_is_still_listened_to_is_known_to_come_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine silence is believed late, so that the words came in time; later on they did not."""
    monkeypatch.setattr(confirming, "CROWD", 1)
    monkeypatch.setattr(guests, "MOMENT_S", 1.0)
    (tmp_path / "chat.py").write_text(BATCHES, encoding="utf-8")
    speaks = Profile.model_validate(
        {
            "login": [{"send": "{name}"}],
            "list": "x",
            "whisper": "x",
            "names": {"max": 9},
            "max_clients": 3,
            "leave": "x",
        }
    )
    spec = command(f"{sys.executable} chat.py {{port}}", cwd=tmp_path)

    async def unhurried() -> float:
        async with opened(Options(spec), False, [], 0) as house:
            await Confirmation(house, speaks).hold()
            return house.unhurried_s

    assert asyncio.run(unhurried()) > 0.2


def test_a_word_that_ends_no_connection_in_the_quiet_runs_is_no_word_for_leaving(tmp_path: Path) -> None:
    (tmp_path / "chat.py").write_text(BATCHES, encoding="utf-8")
    spec = command(f"{sys.executable} chat.py {{port}}", cwd=tmp_path)
    found = Learned(profile=Profile.model_validate({"login": [{"send": "{name}"}], "leave": "so long"}))
    options = Options(spec, cache=False, namespaces=False)
    run = Run(options, [], lambda event: None, lambda options: found)
    run.perform()
    assert run.learned is not None
    assert run.learned.profile is not None
    assert run.learned.profile.leave is None
    assert run.learned.baseline is not None
    assert run.learned.baseline.leave_notice == "* {name} went"


@pytest.mark.parametrize("pause_s", [0.15, 0.4])
def test_the_question_at_the_end_of_a_greeting_in_parts_is_waited_for(tmp_path: Path, pause_s: float) -> None:
    """Else the name is sent into the greeting. Where the pauses are long that is seen too late: it is begun anew."""
    (tmp_path / "chat.py").write_text(IN_PARTS, encoding="utf-8")
    spec = command(f"{sys.executable} chat.py {{port}} {pause_s}", cwd=tmp_path)

    async def talk(guess: Guess) -> Reading:
        async with opened(Options(spec), False, [], 0) as house:
            return await Conversation(house, guess).hold()

    reading = asyncio.run(talk(Guess("whatever it asks for")))
    if reading.asked_late:
        assert reading.asked is None
        assert not reading.works
        reading = asyncio.run(talk(Guess("late", greeting_s=PATIENT_GREETING_S)))
    assert reading.works
    assert reading.asked is not None
    assert reading.asked.want == "name"


def test_the_longest_answer_is_a_login_s_or_a_word_s() -> None:
    records = [
        Joined(at_s=1.5, conn=1, name="ana", asked_at_s=1.25),
        Said(at_s=2.0, op=1, conn=1, token="xq1", text=b"hi xq1"),
        Heard(at_s=2.5, conn=2, token="xq1", unit=b"hi xq1"),
    ]
    assert longest_answer_s([]) == 0
    assert longest_answer_s(records[:2]) == 0.25
    assert longest_answer_s(records) == 0.5
