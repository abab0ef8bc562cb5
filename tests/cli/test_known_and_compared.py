"""Runs one after the other, as a user makes them: known failures, comparisons, reports that cannot be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.properties import IDS

from .program import Program

SCENARIOS = ("refused/no-listener", "disconnect/abrupt")
QUICK = ("--confirm", "0", "--seed", "7", "--capture", "off")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_known_failures_pass_fixed_ones_are_named_and_a_regression_fails(program: Program) -> None:
    (program.folder / "any.toml").write_text(f'version = 1\n[known]\n"disconnect/abrupt" = {json.dumps(list(IDS))}\n')
    broken = program("run", *SCENARIOS, "--server", "original", *QUICK, "--baseline", "any.toml",
                     "--write-baseline", "known.toml", "--out", "a")  # fmt: skip
    assert broken.status == 0
    assert "Known failures (any.toml):" in broken.out
    assert '"disconnect/abrupt" = [' in (program.folder / "known.toml").read_text()

    mended = program("run", *SCENARIOS, "--server", "reference", *QUICK, "--baseline", "known.toml", "--compare", "a",
                     "--out", "c")  # fmt: skip
    assert mended.status == 0
    assert "Fixed, to be taken out of it: disconnect/abrupt" in mended.out
    assert "Since the earlier run" in (program.folder / "c" / "index.html").read_text()

    better, worse = program("compare", "a", "c"), program("compare", "c/results.json", "a", "--lang", "pt-BR")
    assert (better.status, worse.status) == (0, 1)
    assert "disconnect/abrupt welcomes: failing → held" in better.out
    assert "disconnect/abrupt welcomes: mantida → falhando" in worse.out


def test_a_report_that_cannot_be_written_is_told_and_made_later(program: Program) -> None:
    (program.folder / "out" / "index.html").mkdir(parents=True)
    run = program("run", SCENARIOS[0], "--server", "reference", *QUICK, "--out", "out")
    assert run.status == 2
    assert "index.html could not be written: there is a folder of that name; the journal is kept" in run.err
    later = program("report", "out", "--report", "html", "--out", "later")
    assert later.status == 0
    assert (program.folder / "later" / "index.html").is_file()


@pytest.mark.parametrize(("words", "told"), [
    (("run", "all", "--baseline", "nowhere.toml"), "nowhere.toml could not be read"),
    (("run", "all", "--compare", "nowhere"), "nowhere"),
    (("compare", "nowhere", "nowhere"), "could not be read: there is no such file or folder"),
])  # fmt: skip
def test_what_is_not_there_is_told(program: Program, words: tuple[str, ...], told: str) -> None:
    done = program(*words, timeout=60)
    assert done.status == 2
    assert told in done.err
    assert "Traceback" not in done.text
    assert len(done.err.strip().splitlines()) <= 2
