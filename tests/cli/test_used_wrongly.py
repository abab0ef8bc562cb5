"""Used wrongly, or met by odd servers: one clear message, the right exit status, valid reports, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.program import GONE_S, Done, Program, awaited
from harness.report import read_events

pytestmark = pytest.mark.timeout(120)

#: Long enough that a signal meets it in the middle: two at a time, one of them over.
LONG = ("disconnect", "--jobs", "2")


def said(done: Done, *words: str, status: int = 2) -> None:
    """It ended with this status, these words in one line, and no traceback."""
    assert "Traceback" not in done.text
    assert done.status == status, done.text
    lines = done.text.splitlines()
    assert any(all(word in line for word in words) for line in lines), f"{words} in one line of\n{done.text}"


def told_alone(done: Done, *words: str) -> None:
    """Nothing but one or two lines on standard error, and exit status 2: no run began."""
    said(done, *words)
    assert done.out == ""
    assert len(done.err.splitlines()) in (1, 2)


def outcome(program: Program, scenario: str) -> str:
    """What results.json says of a scenario."""
    return next(s["outcome"] for s in program.results()["scenarios"] if s["id"] == scenario)


# -- servers that cannot be had -----------------------------------------------------------------------------------


def test_no_such_command(program: Program) -> None:
    said(program.run("chat/two-talk", "--server", "nosuchprogram {port}"), "there is no command 'nosuchprogram'")
    results = program.results()
    assert (results["exit_status"], results["verdict"], results["scenarios"]) == (2, "error", [])
    assert "nosuchprogram" in results["reason"]
    program.assert_nothing_left()


def test_a_file_that_may_not_be_run(program: Program) -> None:
    (program.folder / "server.sh").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    said(program.run("chat/two-talk", "--server", "./server.sh"), "may not be run", "chmod +x")
    assert program.results()["exit_status"] == 2


@pytest.mark.parametrize("known", [True, False], ids=["dialect-declared", "dialect-to-be-found-out"])
def test_a_server_that_exits_at_once_has_its_last_output_shown(program: Program, known: bool) -> None:
    if known:
        program.declare()
    done = program.run("chat/two-talk", "--server", program.relay("--exit", "3"))
    said(done, "ended at once with exit status 3")
    assert "the file chat.cfg is missing" in done.text
    assert "the file chat.cfg is missing" in program.results()["transcript"]
    assert "the file chat.cfg is missing" in (program.report / "report.txt").read_text(encoding="utf-8")
    program.assert_nothing_left()


def test_a_server_that_never_listens(program: Program) -> None:
    program.declare()
    done = program.run("chat/two-talk", "--server", program.relay("--silent"), "--patience", "0.1")
    said(done, "did not listen on any TCP port within 2 s")
    assert program.results()["exit_status"] == 2
    program.assert_nothing_left()


def test_a_build_that_fails(program: Program) -> None:
    (program.folder / "harness.toml").write_text(
        '[server]\nbuild = "echo no rule to make; exit 4"\ncommand = "./server {port}"\n', encoding="utf-8"
    )
    done = program.run("chat/two-talk")
    said(done, "the build", "failed with exit status 4")
    assert "no rule to make" in program.results()["transcript"]
    program.assert_nothing_left()


def test_sigterm_while_the_server_is_built(program: Program) -> None:
    (program.folder / "harness.toml").write_text(
        '[server]\nbuild = "touch began; sleep 100 & wait"\ncommand = "./server {port}"\n', encoding="utf-8"
    )
    process = program.start("run", "chat/two-talk", "--out", str(program.report))
    try:
        assert awaited((program.folder / "began").exists, 60)
        process.terminate()
        interrupted(program, process)
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = program.run("chat/two-talk", "--server", program.relay(port=port), "--no-namespaces")
    said(done, "could not have its port: it is already in use")
    assert program.results()["exit_status"] == 2
    program.assert_nothing_left()


def test_nobody_listens_where_it_is_to_connect(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = program.run("chat/two-talk", "--connect", f"127.0.0.1:{port}", "--wait", "0.5")
    said(done, f"nothing answers at 127.0.0.1:{port}", "is the server running?")
    assert program.results()["exit_status"] == 2


# -- servers that are odd -----------------------------------------------------------------------------------------


def test_a_server_that_listens_late(program: Program) -> None:
    program.declare()
    done = program.run("chat/two-talk", "--server", program.relay("--late", "4"))
    assert done.status == 0, done.text
    assert outcome(program, "chat/two-talk") == "pass"


@pytest.mark.parametrize("namespaces", ["--namespaces", "--no-namespaces"])
def test_a_server_on_ipv6_only(program: Program, namespaces: str) -> None:
    program.declare()
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        done = program.run("chat/two-talk", "--server", program.relay("--host", "::1"), namespaces)
        assert done.status == 0, done.text
        results = program.results()
        assert results["target"]["address"].startswith("::1:")
        assert results["counts"]["properties"]["fail"] == 0
        return
    pytest.skip("there is no IPv6 here")


def test_a_server_that_floods_its_output(program: Program) -> None:
    program.declare()
    done = program.run("chat/two-talk", "--server", program.relay("--flood"), "--ignore", "idles")
    assert done.status == 0, done.text
    log = program.report / program.results()["scenarios"][0]["server_log"]
    assert log.stat().st_size < 1 << 18
    assert "bytes left out" in log.read_text(encoding="utf-8", errors="replace")
    program.assert_nothing_left()


def test_a_server_that_leaves_a_daemon_behind(program: Program) -> None:
    program.declare()
    done = program.run("chat/two-talk", "--server", program.relay("--daemon"))
    assert "Traceback" not in done.text
    assert done.status in (0, 1)
    program.results()
    program.assert_nothing_left()


def test_a_server_that_ignores_sigterm(program: Program) -> None:
    program.declare()
    done = program.run(
        "chat/two-talk", "--server", program.relay("--ignore-term"), "--confirm", "0", "--patience", "0.4"
    )
    said(done, "chat/two-talk", "stops", "SIGTERM", status=1)
    failed = [p["id"] for p in program.results()["scenarios"][0]["properties"] if p["outcome"] == "fail"]
    assert failed == ["stops"]
    program.assert_nothing_left()


# -- the user's own words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[server]\ncommand = python3\n", ("harness.toml", "line 2")),
        ("[server]\ncommand = 'x'\n[run\n", ("harness.toml", "line 3")),
        ('[server]\ncommand = "x"\ncomand = "y"\n', ("harness.toml", "line 3", "server.comand", "no such key")),
        ("[run]\n\njobs = 100\n", ("harness.toml", "line 3", "run.jobs")),
        ('[dialect]\nframing = "lines"\n', ("harness.toml", "line 2", "dialect.framing")),
        ('[dialect]\n[[dialect.login]]\nsend = "x"\nexpct = "y"\n', ("line 4", "dialect.login.0.expct")),
        ('[server]\ncommand = "x"\nstop = "SIGNOTHING"\n', ("server.stop", "SIGNOTHING")),
        ('[server]\ncommand = "x"\ncwd = "nowhere"\n', ("harness.toml", "server.cwd", "nowhere")),
        ("[servr]\ncommand = 'x'\n", ("harness.toml", "line 1", "servr", "no such key")),
    ],
)
def test_a_mistake_in_harness_toml(program: Program, content: str, words: tuple[str, ...]) -> None:
    (program.folder / "harness.toml").write_text(content, encoding="utf-8")
    told_alone(program.run("chat/two-talk"), *words)
    assert not program.report.exists()


def test_a_mistake_in_pyproject_toml(program: Program) -> None:
    (program.folder / "pyproject.toml").write_text(
        '[project]\nname = "x"\n[tool.harness.run]\njobs = 0\n', encoding="utf-8"
    )
    told_alone(program.run("chat/two-talk"), "pyproject.toml", "line 4", "run.jobs")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "chat/two-tolk"), ("'chat/two-tolk'", "did you mean", "chat/two-talk")),
        (("run", "disconect"), ("'disconect'", "did you mean", "disconnect")),
        (("run", "qqqq"), ("'qqqq'", "harness list")),
        (("run", "--skip", "chat/two-tolk"), ("'chat/two-tolk'", "did you mean", "chat/two-talk")),
        (("run", "--select", "deliver"), ("'deliver'", "did you mean", "delivers")),
        (("run", "--ignore", "socket"), ("'socket'", "did you mean", "sockets")),
        (("run", "--level", "hard"), ("--level hard", "essential, robust, hardened")),
        (("run", "--lang", "fr"), ("fr",)),
        (("run", "--report", "pdf"), ("pdf", "text, json, junit")),
        (("run", "--dialect", "klingon"), ("klingon", "reference")),
        (("run", "--connect", "localhost"), ("--connect localhost", "HOST:PORT")),
        (("run", "--connect", "h:99999"), ("--connect h:99999", "HOST:PORT")),
        (("run", "--server", "x", "--connect", "h:1"), ("one target",)),
        (("run", "--server", "it's"), ("--server", "quotation")),
        (("run", "--server", " "), ("--server", "give a command")),
        (("run", "-k", "and and"), ("-k 'and and'",)),
        (("run", "-k", "nosuchword"), ("no scenario is left",)),
        (("run", "--last-failed"), ("--last-failed", "no results.json")),
        (("run", "--scenarios", "nowhere"), ("nowhere",)),
        (("show", "chat/two-tolk"), ("'chat/two-tolk'", "chat/two-talk")),
        (("explain", "deliver"), ("'deliver'", "delivers")),
        (("serve", "refrence"), ("'refrence'", "reference")),
        (("report", "nowhere"), ("nowhere", "could not be read")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_mistake_on_the_command_line(program: Program, words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    told_alone(program(*words), *expected)
    assert list(program.folder.iterdir()) == []


@pytest.mark.parametrize("words", [("run", "--jobs", "none"), ("run", "--no-such-option"), ("nonsense",)])
def test_an_option_or_command_that_there_is_not(program: Program, words: tuple[str, ...]) -> None:
    said(program(*words), words[-1] if words[-1] != "none" else "--jobs")


def test_a_broken_file_of_scenarios(program: Program) -> None:
    folder = program.folder / "mine"
    folder.mkdir()
    (folder / "one.py").write_text("def broken(:\n", encoding="utf-8")
    told_alone(program.run("all", "--scenarios", "mine"), "one.py", "line 1")
    (folder / "one.py").write_text("import nosuchmodule\n", encoding="utf-8")
    told_alone(program.run("all", "--scenarios", "mine"), "one.py", "line 1", "nosuchmodule")


# -- where nothing can be written ---------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_an_output_folder_that_cannot_be_written(program: Program, out: str) -> None:
    (program.folder / "file").write_text("mine", encoding="utf-8")
    told_alone(program("run", "chat/two-talk", "--out", out), "file", "could not be written", "--out")
    assert (program.folder / "file").read_text(encoding="utf-8") == "mine"


def test_a_full_disk(program: Program) -> None:
    """On a real file system of 24 KiB, which holds the journal's beginning and not the reports."""
    if not shutil.which("unshare") or not _may_mount():
        pytest.skip("a small file system can be mounted neither as root nor in a user namespace")
    script = 'mkdir report && mount -t tmpfs -o size=24k none report && "$@"; end=$?; cp -r report kept; exit $end'
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", sys.executable, "-m", "harness", "run",
             "chat", "--server", "reference", "--out", "report", "--seed", "7"]  # fmt: skip
    done = program.to_the_end(program.start_command(words))
    assert "Traceback" not in done.text
    assert done.status == 2, done.text
    assert "no space is left" in done.err
    assert "make room" in done.err
    assert "passed" in done.out  # the verdict is told all the same
    events = list(read_events(program.folder / "kept"))
    assert events[0].__class__.__name__ == "RunStarted"
    program.assert_nothing_left()


def _may_mount() -> bool:
    script = "mount -t tmpfs -o size=24k none /tmp"
    tried = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script], capture_output=True, check=False
    )
    return tried.returncode == 0


def test_a_limit_on_the_size_of_files(program: Program) -> None:
    """As a quota does: files that may grow to 4 KiB."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = program.run("chat", "--server", "reference", preexec_fn=limit)
    assert "Traceback" not in done.text
    assert done.status == 2, done.text
    assert "could not be written" in done.err
    assert any(e.__class__.__name__ == "RunStarted" for e in read_events(program.report))
    program.assert_nothing_left()


def test_a_reader_that_went_away(program: Program) -> None:
    """`harness run … | head -1`: the run goes on, its reports are still wanted."""
    process = program.start("run", "chat/two-talk", "--out", str(program.report))
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert program.results()["exit_status"] == 0


# -- broken off ---------------------------------------------------------------------------------------------------


@pytest.fixture
def running(program: Program) -> Iterator[subprocess.Popen[str]]:
    """A run in the middle: something is over, something is at work."""
    process = program.start("run", *LONG, "--out", str(program.report), "--seed", "7", start_new_session=True)
    try:
        assert awaited(lambda: "ScenarioFinished" in journal(program), 60)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def journal(program: Program) -> str:
    """The journal so far."""
    path = program.report / "events.jsonl"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def interrupted(program: Program, process: subprocess.Popen[str]) -> None:
    """It ended in order: exit status 130, whole reports that say so, nothing left."""
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    assert process.returncode == 130, out + err
    assert "The run was broken off" in out
    results = program.results()
    assert (results["interrupted"], results["exit_status"]) == (True, 130)
    assert len(results["scenarios"]) < 20
    program.assert_nothing_left()


def test_ctrl_c_in_the_middle(program: Program, running: subprocess.Popen[str]) -> None:
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to everything in the foreground
    interrupted(program, running)
    assert program.results()["scenarios"] != []


def test_sigterm_in_the_middle(program: Program, running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGTERM)
    interrupted(program, running)


def test_ctrl_c_twice(program: Program, running: subprocess.Popen[str]) -> None:
    os.killpg(running.pid, signal.SIGINT)
    os.killpg(running.pid, signal.SIGINT)
    interrupted(program, running)


def test_ctrl_c_while_the_server_starts(program: Program) -> None:
    process = program.start("run", "chat", "--server", program.relay("--silent"), "--out", str(program.report),
                            start_new_session=True)  # fmt: skip
    try:
        assert awaited(lambda: any("--silent" in line and "relay" in line for line in servers(program)), 60)
        os.killpg(process.pid, signal.SIGINT)
        interrupted(program, process)
    finally:
        process.kill()
        process.communicate()


def servers(program: Program) -> list[str]:
    """The stand-in's own processes: those that name it as their script."""
    return [line for line in program.left() if "relay.py" in line and "harness" not in line.partition(": ")[2]]


def test_sigkill_in_the_middle(program: Program, running: subprocess.Popen[str]) -> None:
    assert len(program.left()) > 1
    running.kill()
    running.wait()
    assert awaited(lambda: not program.left(), GONE_S), program.left()
    done = program("report", str(program.report), "--lang", "pt-BR")
    assert "Traceback" not in done.text
    assert done.status == 130
    results = program.results()
    assert (results["interrupted"], results["exit_status"]) == (True, 130)
    assert results["scenarios"] != []


def test_the_reports_of_another_run_are_never_taken_for_this_ones(program: Program) -> None:
    assert program.run("chat/two-talk").status == 0
    assert program.run("chat/two-talk", "--server", "nosuchprogram").status == 2
    assert program.results()["scenarios"] == []


def test_a_harness_that_is_stopped_by_a_file_system_is_no_excuse(program: Program) -> None:
    """Results are complete although a scenario's own folder cannot be made."""
    program.report.mkdir()
    (program.report / "scenarios").write_text("in the way", encoding="utf-8")
    assert program.run("chat/two-talk").status == 0
    assert Path(program.report / "scenarios").is_file()
    assert program.results()["exit_status"] == 0
