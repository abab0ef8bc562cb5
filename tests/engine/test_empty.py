"""A server that ends when its last client has left: learned, told, and judged where all of them leave, nowhere else."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from cli.program import Program

from harness.dialect.profile import Profile
from harness.engine.baseline import ENDS_WHEN_EMPTY, Lesson
from harness.engine.deadlines import deadlines
from harness.engine.options import Options
from harness.history import Baseline
from harness.target import command

STUDENTS = Path(__file__).resolve().parents[1] / "zoo" / "students" / "python"
RAW = Profile(framing="chunk", pause=0.03, say="{name}: {text}", attributes="client")


@pytest.mark.parametrize(("file", "ends"), [("closes_shop.py", True), ("relay.py", False)])
def test_whether_it_ends_is_learned(file: str, ends: bool) -> None:
    spec = command(f"{sys.executable} {STUDENTS / file} {{port}}")
    lesson = Lesson(Options(spec), RAW, Baseline(deadlines([]), named=False, login=False), isolated=False)
    asyncio.run(lesson.run())
    learned = lesson.learned()
    assert learned.baseline is not None
    assert learned.baseline.ends_when_empty is ends
    assert (ENDS_WHEN_EMPTY in learned.told) is ends


def test_it_is_judged_where_all_of_them_leave_and_nowhere_else(program: Program) -> None:
    (program.folder / "harness.toml").write_text(
        '[dialect]\nframing = "chunk"\npause = 0.03\nattributes = "client"\nsay = "{name}: {text}"\n', encoding="utf-8"
    )
    server = f"{sys.executable} {STUDENTS / 'closes_shop.py'} {{port}}"
    done = program.run("chat/two-talk", "lifecycle/many-rooms", "--server", server, "--confirm", "0", "--lang", "en")
    assert done.status == 1, done.text
    assert ENDS_WHEN_EMPTY in done.out
    failed = {
        one["id"]: [p["id"] for p in one["properties"] if p["outcome"] == "fail"]
        for one in program.results()["scenarios"]
    }
    assert failed == {"chat/two-talk": [], "lifecycle/many-rooms": ["survives"]}
