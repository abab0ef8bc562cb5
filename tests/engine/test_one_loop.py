"""What one loop for all must not do: wait for the rest of somebody's line, and go round while nobody says anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli.program import Program

SERVER = Path(__file__).with_name("one_loop.py")


@pytest.mark.parametrize(
    ("mode", "scenario", "prop"),
    [
        ("waits", "malformed/slow-drip", "responsive"), ("", "malformed/slow-drip", "responsive"),
        ("spins", "chat/silence-then-talk", "idles"), ("", "chat/silence-then-talk", "idles"),
    ],
)  # fmt: skip
def test_one_loop_serves_everybody_and_sleeps(program: Program, mode: str, scenario: str, prop: str) -> None:
    (program.folder / "harness.toml").write_text(
        '[dialect]\nattributes = "client"\nsay = "{name}: {text}"\n', encoding="utf-8"
    )
    done = program.run(
        scenario, "--server", f"{sys.executable} {SERVER} {{port}} {mode}", "--confirm", "0", "--lang", "en"
    )
    (told,) = program.results()["scenarios"]
    failed = {p["id"] for p in told["properties"] if p["outcome"] == "fail"}
    assert done.status == bool(mode), done.text
    assert (prop in failed) is bool(mode), done.text
