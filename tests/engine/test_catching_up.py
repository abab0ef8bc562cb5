"""One reads nothing for a while, then all of it: what waited in the server comes whole, and before what was said later."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli.program import Program

SERVER = Path(__file__).with_name("overtakes.py")


@pytest.mark.parametrize("overtakes", [True, False], ids=["overtakes", "waits its turn"])
def test_what_waits_is_not_to_be_overtaken(program: Program, overtakes: bool) -> None:
    (program.folder / "harness.toml").write_text(
        '[dialect]\nattributes = "client"\nsay = "{name}: {text}"\n', encoding="utf-8"
    )
    server = f"{sys.executable} {SERVER} {{port}}" + " overtakes" * overtakes
    done = program.run("latency/catching-up", "--server", server, "--confirm", "0", "--lang", "en")
    (told,) = program.results()["scenarios"]
    failed = {p["id"] for p in told["properties"] if p["outcome"] == "fail"}
    assert done.status == int(overtakes), done.text
    assert bool(failed & {"ordered", "intact"}) is overtakes, done.text
