"""What only the first client of all was shown."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from harness.dialect.profile import Profile
from harness.engine.baseline import Lesson
from harness.engine.deadlines import deadlines
from harness.engine.introductions import shown_once
from harness.engine.options import Options
from harness.history import Baseline
from harness.target import command

FIRST = ("+----+", "| HI |", "Who are you?", "Hello, {name}!")


def test_a_banner_that_is_used_up_by_the_first_client_is_seen() -> None:
    assert shown_once(FIRST, [FIRST[2:], FIRST[2:]]) == ("+----+", "| HI |")
    assert shown_once(FIRST, [(), ()]) == FIRST


@pytest.mark.parametrize(
    "others",
    [
        [],
        [FIRST, FIRST[2:]],  # the one who comes to an empty room is shown it again
        [("Who are you?", "Hello, {name}!", "* {name} said: hi")],  # a history instead
        [("You are number #", "Who are you?")],
    ],
)
def test_who_shows_others_something_else_or_the_same_again_is_not_blamed(others: list[tuple[str, ...]]) -> None:
    assert shown_once(FIRST, others) == ()


def test_what_came_late_is_not_blamed() -> None:
    assert shown_once(FIRST, [FIRST[2:]], [("Who are you?", "ana: hi", "+----+", "| HI |")]) == ()


SERVER = """
import asyncio, sys
rules = iter(["No shouting.", "No spam."])
owners = iter(["You are the owner.\\n"])
people = {}
async def serve(reader, writer):
    try:
        if sys.argv[2] == "used-up":
            for rule in rules:
                writer.write((rule + "\\n").encode())
        elif sys.argv[2] == "alone" and not people:
            writer.write(b"Nobody is here yet.\\n")
        writer.write(b"NAME?\\n")
        name = (await reader.readline()).decode().strip()
        if not name or name in people:
            return
        people[name] = writer
        writer.write(f"Hello, {name}!\\n".encode())
        if sys.argv[2] == "owned":
            writer.write(next(owners, "").encode())
        while line := await reader.readline():
            for other in people.values():
                other.write(f"{name}: ".encode() + line)
    except ConnectionError:
        pass
    finally:
        for name in [name for name, one in people.items() if one is writer]:
            del people[name]
        writer.close()
async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()
asyncio.run(main())
"""
SPEAKS = Profile.model_validate({"framing": "line", "login": [{"expect": "NAME?"}, {"send": "{name}"}]})


@pytest.mark.parametrize(
    ("kind", "introduction"),
    [
        ("used-up", ("No shouting.", "No spam.", "NAME?", "Hello, {name}!")),
        ("alone", ("NAME?", "Hello, {name}!")),  # who comes to an empty room is told so again
        ("owned", ("NAME?", "Hello, {name}!")),  # a room may belong to the first one
    ],
)
def test_a_banner_for_the_first_alone_belongs_to_the_introduction(
    tmp_path: Path, kind: str, introduction: tuple[str, ...]
) -> None:
    (tmp_path / "chat.py").write_text(SERVER, encoding="utf-8")
    options = Options(command(f"{sys.executable} chat.py {{port}} {kind}", cwd=tmp_path))
    lesson = Lesson(options, SPEAKS, Baseline(deadlines([]), named=True, login=True), isolated=False)
    asyncio.run(lesson.run())
    learned = lesson.learned()
    assert learned.baseline is not None
    assert learned.baseline.introduction == introduction
