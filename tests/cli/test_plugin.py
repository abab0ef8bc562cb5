"""`pytest FOLDER --harness-server …`: a folder of scenarios as tests, with the judges' reasons."""

from __future__ import annotations

import re
import sys

import pytest

from cli.program import Done, Program

pytestmark = pytest.mark.timeout(120)

SCENARIOS = '''
"""Scenarios of a user."""

from harness import Room, scenario


@scenario("disconnect", title="A client vanishes with a reset", level="essential", aims=["delivers"], name="gone")
async def reset(room: Room) -> None:
    """RST in the middle of a conversation."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    bia.reset()
    await room.talk(ana, caio)
    await room.talk()


@scenario("chat", title="Somebody asks who is there", level="hardened", needs=["list"])
async def who_is_there(room: Room) -> None:
    """Only where there is a list."""
    await room.join("ana", "bia")
'''


@pytest.fixture
def pytest_on(program: Program) -> Program:
    """A folder with one file of scenarios, and files that look like one."""
    folder = program.folder / "mine"
    folder.mkdir()
    (folder / "odd.py").write_text(SCENARIOS, encoding="utf-8")
    (folder / "_helper.py").write_text("raise RuntimeError('a scenario is not looked for here')\n", encoding="utf-8")
    (folder / "other.py").write_text("VALUE = 1\n", encoding="utf-8")
    return program


def run(program: Program, *words: str) -> Done:
    """pytest in the user's folder, without anything of this project's own settings."""
    command = [sys.executable, "-m", "pytest", "mine", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", *words]
    return program.to_the_end(program.start_command(command))


def counts(done: Done) -> dict[str, int]:
    """What pytest's last line says."""
    last = done.out.strip().splitlines()[-1]
    return {what: int(number) for number, what in re.findall(r"(\d+) (passed|failed|skipped|errors?)", last)}


def test_without_the_option_nothing_is_collected(pytest_on: Program) -> None:
    done = run(pytest_on)
    assert done.status == 5, done.text
    assert "collected 0 items" in done.out


def test_the_reference_server_passes(pytest_on: Program) -> None:
    done = run(pytest_on, "--harness-server", "reference")
    assert (done.status, counts(done)) == (0, {"passed": 2}), done.text
    assert "PASSED mine/odd.py::disconnect/gone" in done.out
    pytest_on.assert_nothing_left()


def test_the_original_fails_with_the_judges_reasons_and_skips_with_theirs(pytest_on: Program) -> None:
    done = run(pytest_on, "--harness-server", "original", "--harness-confirm", "0")
    assert (done.status, counts(done)) == (1, {"failed": 1, "skipped": 1}), done.text
    assert "sockets: " in done.out
    assert "CLOSE_WAIT" in done.out
    assert "expected: " in done.out
    assert re.search(r"odd\.py:\d+: this server has no list of who is there", done.out)
    assert "Traceback" not in done.text
    assert "pytest_plugin.py" not in done.out  # the harness's own source is no witness
    pytest_on.assert_nothing_left()


def test_the_quiet_runs_are_done_once(pytest_on: Program) -> None:
    """Each start of the server leaves a line: one to see how it wants to be started, two quiet runs, one a scenario."""
    note = pytest_on.folder / "starts"
    server = f"sh -c 'echo one >> {note}; exec {pytest_on.relay()}'"
    pytest_on.declare()
    done = run(pytest_on, "--harness-server", server, "--harness-confirm", "0")
    assert (done.status, counts(done)) == (0, {"passed": 1, "skipped": 1}), done.text
    assert len(note.read_text(encoding="utf-8").splitlines()) == 4


def test_a_level_leaves_scenarios_out(pytest_on: Program) -> None:
    done = run(pytest_on, "--harness-server", "reference", "--harness-level", "essential")
    assert (done.status, counts(done)) == (0, {"passed": 1}), done.text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--harness-server", "it's"), "quotation"),
        (("--harness-connect", "nowhere"), "HOST:PORT"),
        (("--harness-server", "reference", "--harness-level", "hard"), "essential"),
    ],
)
def test_wrong_options_are_told_in_a_line(pytest_on: Program, words: tuple[str, ...], told: str) -> None:
    done = run(pytest_on, *words)
    assert done.status == 4, done.text
    assert "Traceback" not in done.text
    assert any(told in line for line in done.err.splitlines())


def test_a_server_that_cannot_be_had_fails_each_test_with_one_reason(pytest_on: Program) -> None:
    done = run(pytest_on, "--harness-server", "nosuchprogram {port}")
    assert (done.status, counts(done)) == (1, {"failed": 2}), done.text
    assert "there is no command 'nosuchprogram'" in done.out
    assert "Traceback" not in done.text


def test_the_built_in_scenarios_are_collected_too(program: Program) -> None:
    from cli.program import ROOT

    command = [sys.executable, "-m", "pytest", str(ROOT / "scenarios" / "chat.py"), "--collect-only", "-q", "-p",
               "no:cacheprovider", "--harness-server", "reference", "-c", "/dev/null", "--rootdir", str(ROOT)]  # fmt: skip
    done = program.to_the_end(program.start_command(command))
    assert "chat/two-talk" in done.out, done.text
    assert "disconnect/" not in done.out
