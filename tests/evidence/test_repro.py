"""repro.py: on the faulty server it fails, on the reference it passes, and no failure makes the writer stumble."""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli.program import Program
from mutation_check import MUTATIONS, Mutation
from properties.histories import Story, ordinary

from harness.client.trace import Sent
from harness.dialect.builtin import KNOWN
from harness.dialect.framing import Framing
from harness.dialect.profile import FramingName, KeepAlive, LoginStep, Names, Profile
from harness.engine.concluding import NOT_KEPT, with_repros
from harness.engine.options import Options
from harness.engine.play import Play, target_option
from harness.engine.replaying import often, state_of
from harness.evidence import repro
from harness.evidence.capture import Capture
from harness.evidence.repro import FILE, Aim, dialects, pieces, repros
from harness.evidence.repro.literals import runs
from harness.evidence.repro.looks.telling import Telling
from harness.evidence.repro.writing import write
from harness.history import (
    Claimed,
    Ended,
    Heard,
    History,
    Introduced,
    Joined,
    Left,
    Noticed,
    OpenFailed,
    Packet,
    Said,
    Toxic,
)  # fmt: skip
from harness.properties import judge
from harness.registry import load
from harness.results import Judgement, ScenarioResult
from harness.target import ServerSpec, builtin, command

ZOO = Path(__file__).parents[1] / "zoo"
REFERENCE = f"{sys.executable} -m server_under_test.reference --port {{port}}"
#: The two runs that most of them look at are made once, for one test process.
pytestmark = pytest.mark.xdist_group("repro")

SCENARIOS = ("disconnect/abrupt", "disconnect/reset-after-login")


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, dict[str, Any]]:
    """A run of the patched server, by two properties that the reset breaks."""
    program = Program(tmp_path_factory.mktemp("patched"))
    wanted = ("--select", "delivers", "--select", "sockets")
    done = program.run(SCENARIOS[1], *wanted, "--server", "patched", "--confirm", "0", "--capture", "off")
    assert done.status == 1, done.text
    return program, program.results()


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, dict[str, Any]]:
    """A run of the original server, which both scenarios break."""
    program = Program(tmp_path_factory.mktemp("original"))
    done = program.run(*SCENARIOS, "--server", "original", "--confirm", "0", "--capture", "off")
    assert done.status == 1, done.text
    assert "see it yourself: python3 " in done.out
    return program, program.results()


def started(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The file as a student starts it: this Python alone, in an empty environment of modules (-I)."""
    return subprocess.run(
        [sys.executable, "-I", str(file), *words], capture_output=True, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def file_of(failing: tuple[Program, dict[str, Any]], scenario: str, prop: str) -> Path:
    """The file that results.json names for this failure."""
    program, results = failing
    judgements = next(s["properties"] for s in results["scenarios"] if s["id"] == scenario)
    return program.report / next(j["repro"] for j in judgements if j["id"] == prop)


@pytest.mark.parametrize(("scenario", "prop"), [(SCENARIOS[0], "welcomes"), (SCENARIOS[1], "delivers")])
def test_it_fails_on_the_faulty_server_and_passes_on_the_reference(
    failing: tuple[Program, dict[str, Any]], scenario: str, prop: str
) -> None:
    file = file_of(failing, scenario, prop)
    broken = started(file)
    assert (broken.returncode, "The fault is there." in broken.stdout) == (1, True), broken.stdout + broken.stderr
    assert "expected: " in broken.stdout
    assert "got: " in broken.stdout
    mended = started(file, "--start", REFERENCE)
    assert mended.returncode == 0, mended.stdout + mended.stderr


def test_each_file_sees_the_fault_where_it_is_and_only_there(
    failing: tuple[Program, dict[str, Any]], patched: tuple[Program, dict[str, Any]]
) -> None:
    """Of `original` and `patched`, those that take no long look; the others are tried by tests/zoo/run_repros.py."""
    files = [file_of(failing, scenario, "sockets") for scenario in SCENARIOS]
    files += [file_of(patched, SCENARIOS[1], prop) for prop in ("delivers", "sockets")]
    with ThreadPoolExecutor(2) as pool:
        broken, mended = pool.map(started, files), pool.map(lambda file: started(file, "--start", REFERENCE), files)
        told = [
            (file.parent.name, file.name, b.returncode, m.returncode, b.stdout)
            for file, b, m in zip(files, broken, mended, strict=True)
        ]
    assert [one for one in told if one[2:4] != (1, 0)] == []


def test_a_file_is_read_by_people(failing: tuple[Program, dict[str, Any]]) -> None:
    """It has names of people, nothing that is always so, and says how the same server is tried again."""
    text = file_of(failing, SCENARIOS[0], "sockets").read_text(encoding="utf-8")
    play = text.partition("def play() -> None:")[2].partition("\n\n\n")[0]
    assert "ana, bia, caio, dora = " in play
    for odd in ("if True", "number = 0", "server_pid()", "r0p0"):
        assert odd not in play
    assert f"harness run {SCENARIOS[0]} --seed 7 --server original" in text
    assert "python3 repro" in text


@pytest.mark.parametrize(("spec", "told"), [
    (builtin("original"), "--server original"),
    (command("java -cp 'my classes' Chat {port}"), """--server 'java -cp '"'"'my classes'"'"' Chat {port}'"""),
    (ServerSpec("remote", "chat", connect=("10.0.0.7", 5000)), "--connect 10.0.0.7:5000"),
    (ServerSpec("remote", "chat", connect=("::1", 5000)), "--connect '[::1]:5000'"),
])  # fmt: skip
def test_to_see_it_again_the_same_server_is_named(spec: ServerSpec, told: str) -> None:
    assert target_option(spec) == told


def test_it_cannot_tell_without_a_server(failing: tuple[Program, dict[str, Any]]) -> None:
    done = started(file_of(failing, SCENARIOS[0], "welcomes"), "127.0.0.1", "1")
    assert done.returncode == 2
    assert "Cannot tell: it went wrong at 127.0.0.1 port 1 before the fault was done" in done.stdout


def test_the_reports_name_the_file(failing: tuple[Program, dict[str, Any]]) -> None:
    program, _ = failing
    name = program.report / "scenarios" / SCENARIOS[0] / FILE
    assert f"see it yourself: python3 {name}" in (program.report / "report.txt").read_text()
    assert f"python3 {name}" in (program.report / "junit.xml").read_text()
    again = program("report", str(program.report), "--report", "text", "--lang", "pt-BR", "--out", "em-portugues")
    assert again.status == 1
    assert f"veja você mesmo: python3 {name}" in (program.folder / "em-portugues" / "report.txt").read_text()


def test_replay_tells_what_is_mended(failing: tuple[Program, dict[str, Any]]) -> None:
    program, _ = failing
    scenario = str(program.report / "scenarios" / SCENARIOS[0])
    mended = program("replay", scenario, "--times", "1", "--server", "reference", "--lang", "pt-BR")
    assert mended.status == 0
    assert mended.out == "CORRIGIDO disconnect/abrupt (1 execução)\nResultado: 1 CORRIGIDO\n"


@pytest.mark.parametrize("words", [("nowhere",), ("report/scenarios/disconnect",)])
def test_replay_of_what_is_no_run(failing: tuple[Program, dict[str, Any]], words: tuple[str, ...]) -> None:
    program, _ = failing
    done = program("replay", *words)
    assert done.status == 2
    assert done.err.startswith("harness: ")
    assert len(done.err.splitlines()) <= 2


def test_a_failure_that_comes_and_goes_is_flaky() -> None:
    before = ScenarioResult(
        "a/b", "a", "robust", {"en": "t"}, "fail", 1.0, 3, 1, (Judgement("once", "fail"),), intermittent=True
    )
    sure = replace(before, failed_runs=3, intermittent=False)
    assert [state_of(one).state for one in (before, sure, replace(sure, outcome="pass"))] == [
        "FLAKY",
        "FAILED",
        "FIXED",
    ]
    assert state_of(replace(sure, outcome="skip", reason="no")).state == "UNCLEAR"
    assert often(sure) < often(before) < often(replace(before, runs=20))
    assert often(before, 5) == 5


@pytest.mark.parametrize("item", MUTATIONS, ids=lambda m: f"{m.prop}: {m.way}")
def test_every_failure_has_a_file_or_a_reason(item: Mutation) -> None:
    history = item.tell(True).history(aims=(item.prop,), known_leaks=item.leaks)
    judgements = [j for j in judge(history) if j.outcome == "fail"]
    for profile in (KNOWN["reference"], Profile(framing="chunk", say="{name}: {text}")):
        made = repros(history, judgements, (), profile, Aim(command("./server {port}"), "127.0.0.1:5000"))
        assert made.trouble is None
        assert set(made.shown) | set(made.reasons) == {j.id for j in judgements}
        for text in made.files.values():
            compile(text, FILE, "exec")
            assert text.isprintable() or set(text) - {"\n"} <= set(map(chr, range(32, 0x250)))


def test_one_who_leaves_and_had_never_connected_is_in_no_file() -> None:
    """It was refused while the way was cut: the file for the threads that stayed was not written at all."""
    story = next(m for m in MUTATIONS if m.prop == "threads").tell(True)
    story.at(4.0).add(OpenFailed(at_s=4.0, who="zoe", error="refused", way="proxy", role="faulty"))
    story.add(Left(at_s=4.1, conn=99, how="fin"))
    history = story.history(aims=("threads",))
    judgements = [j for j in judge(history) if j.id == "threads"]
    made = repros(history, judgements, (), KNOWN["reference"], Aim(command("./server {port}"), "127.0.0.1:5000"))
    assert (set(made.shown), made.trouble) == ({"threads"}, None)


def test_a_file_that_cannot_be_written_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(telling: Telling) -> list[str]:
        if telling.judgement.id == "delivers":
            raise KeyError(5)
        return ["pass"]

    monkeypatch.setattr(repro, "told", breaks)
    history, failed = failure("delivers")
    judgements = [failed, replace(failed, id="serves")]
    made = repros(history, judgements, (), KNOWN["original"], Aim(command("./server {port}"), "a:1"))
    assert (set(made.shown), dict(made.reasons)) == ({"serves"}, {"delivers": repro.BROKEN})
    assert made.trouble == "no file to show delivers could be made: KeyError: 5"


@pytest.mark.parametrize(("shown", "files"), [((), {FILE}), (("delivers",), set())])
def test_a_run_that_sees_a_failure_again_leaves_a_file_for_what_no_other_has_shown(
    tmp_path: Path, shown: tuple[str, ...], files: set[str]
) -> None:
    item = next(m for m in MUTATIONS if m.prop == "delivers")
    history = item.tell(True).history(aims=(item.prop,), known_leaks=item.leaks)
    failed = tuple(j for j in judge(history) if j.id == item.prop and j.outcome == "fail")
    options = Options(builtin("original"))
    play = Play(load()["storm/churn[fin]"], options, KNOWN["original"], history.baseline, 1, tmp_path, False, None, Capture(wanted=False))  # fmt: skip
    play.again, play.shown = True, frozenset(shown)
    (told,) = play._keep(history, failed, None, ())
    assert {path.name for path in tmp_path.iterdir()} == {"history.jsonl", *files}
    assert ({told.repro} - {None}) == files


def test_a_failure_has_a_reason_where_no_file_at_all_could_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a file nor a reason stood in the report."""
    history, failed = failure("delivers")
    options = Options(builtin("original"))
    play = Play(load()["storm/churn[fin]"], options, KNOWN["original"], history.baseline, 1, tmp_path, False, None, Capture(wanted=False))  # fmt: skip
    play.again = True
    monkeypatch.setattr("harness.engine.play.repros", lambda *_: 1 / 0)
    (told,) = play._keep(history, (failed,), None, ())
    assert (told.repro, told.no_repro) == (None, repro.BROKEN)


def test_a_file_that_was_not_kept_is_a_reason(tmp_path: Path) -> None:
    _, failed = failure("delivers")
    (told,) = with_repros((replace(failed, repro=FILE),), {}, tmp_path)
    assert (told.repro, told.no_repro) == (None, NOT_KEPT)


SCHOOL = Profile(
    login=(LoginStep(expect="Your name: ", send="{name}"), LoginStep(expect="Your class (A or B): ", send="A")),
    framing="chunk", say="{text}", pause=0.15,
)  # fmt: skip


@pytest.mark.parametrize(("server", "status"), [("classes_late", 1), ("classes", 0)])
def test_two_give_one_name_before_either_has_answered_what_comes_next(
    server: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is taken later than it is looked up: no file was made for it."""
    monkeypatch.setattr(repro, "ORDERLY_S", 0.0)
    story = ordinary(attribution="{name}: ").at(4.0)
    for conn in (story.open("rita"), story.open("twin", name="rita")):
        said = story.says(conn, "which of us is it?")
    failed = Judgement("identity", "fail", "two of rita", "unique", "two", "shared-name", at_s=said.at_s)
    start = command(f"{sys.executable} {ZOO / 'students' / 'python' / server}.py {{port}}")
    made = repros(story.history(), [failed], (), SCHOOL, Aim(start, "127.0.0.1:5000"))
    assert made.reasons == {}
    file = tmp_path / FILE
    file.write_text(made.files[FILE])
    done = started(file)
    assert done.returncode == status, done.stdout


def test_whoever_comes_is_looked_at_for_an_introduction() -> None:
    """The fault struck a newcomer in the run; on bare sockets it may strike the one who came back before."""
    story = ordinary().at(4.0)
    story.leave(story.join("dora", counts=False))
    story.at(5.5)
    story.leave(story.join("dora", visit=2, counts=False))
    story.at(7.0)
    story.leave(story.join("elis", intro=b"", counts=False))
    history = story.history(aims=("welcomes",))
    judgements = [j for j in judge(history) if j.outcome == "fail"]
    (text,) = repros(history, judgements, (), KNOWN["reference"], Aim(command("./server {port}"), "a:1")).files.values()
    play = text.partition("def play() -> None:")[2].partition("\n\n\n")[0].splitlines()
    comes = [n for n, line in enumerate(play) if "come_back(" in line or "newcomer = enter(" in line]
    assert len(comes) == 2
    assert all("missing_words(" in play[n + 1] and "expect(not missing" in play[n + 2] for n in comes)


def bia_closes(story: Story) -> None:
    story.leave("bia")


def failure(prop: str) -> tuple[History, Judgement]:
    """A play in which one left with a FIN, and what a server did wrong there that happens now and then."""
    story = ordinary(bia_closes, leave_notice="* {name} saiu do chat")
    if prop == "delivers":
        said = next(one for one in story.find(Said) if one.at_s > 2.0 and one.expects)
        story.remove([one for one in story.find(Heard) if one.token == said.token])
        return story.history(), next(j for j in judge(story.history()) if j.id == "delivers")
    if prop == "serves":
        return story.history(), Judgement("serves", "fail", "rui never heard pia", "both", "nothing", "no-exchange-empty", at_s=14.5)  # fmt: skip
    left = story.find(Left)[0]
    return story.history(), Judgement("forgets", "fail", "bia left", "a notice", "none", "not-told", at_s=left.at_s)


@pytest.mark.parametrize("prop", ["serves", "delivers", "forgets"])
def test_what_strikes_when_words_cross_with_a_leaving_is_tried_until_it_does(prop: str, tmp_path: Path) -> None:
    """`original` writes to one who has gone, and so loses whoever spoke: after a FIN that is a matter of chance."""
    history, failed = failure(prop)
    assert failed.outcome == "fail"
    server = f"{sys.executable} -m server_under_test.original --port {{port}}"
    made = repros(history, [failed], (), KNOWN["original"], Aim(command(server), "127.0.0.1:5000"))
    file = tmp_path / FILE
    file.write_text(made.files[FILE])
    with ThreadPoolExecutor(2) as pool:
        broken, mended = pool.map(lambda words: started(file, *words), ((), ("--start", REFERENCE)))
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert mended.returncode == 0, mended.stdout + mended.stderr


def test_what_a_reset_spoils_now_and_then_is_tried_until_it_does(tmp_path: Path) -> None:
    """Where a write meets the reset before the read does, `original` takes it for an end: the next one gets its number."""
    story = ordinary(introduction=("Bem-vindo ao chat, user#!",))  # in which bia is reset
    newcomer = story.find(Introduced)[-1]
    history = story.history()
    failed = Judgement("welcomes", "fail", "rui saw nothing", "it", "nothing", at_s=newcomer.at_s)
    server = f"{sys.executable} -m server_under_test.original --port {{port}}"
    made = repros(history, [failed], (), KNOWN["original"], Aim(command(server), "127.0.0.1:5000"))
    file, short = tmp_path / FILE, tmp_path / "short.py"
    file.write_text(made.files[FILE])
    short.write_text(re.sub("(?m)^AGAIN_S = .*$", "AGAIN_S = 1.0", made.files[FILE]))
    with ThreadPoolExecutor(2) as pool:
        broken, mended = pool.map(lambda words: started(*words), ((file,), (short, "--start", REFERENCE)))
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert mended.returncode == 0, mended.stdout + mended.stderr


def everybody_is_reset(story: Story) -> None:
    for who in ("ana", "bia", "caio"):
        story.leave(who, "reset", ended=None)


def test_words_cross_with_a_reset_on_a_server_that_nothing_has_spoilt() -> None:
    """Those who were reset stay in the list of `original`, and the next word ends the thread of whoever says it: in every
    other play words cross with a reset before anybody else is reset. (That they meet is chance, and not asked of a test.)"""
    story = ordinary(everybody_is_reset, introduction=("Bem-vindo ao chat, user#!",))
    failed = Judgement("welcomes", "fail", "rui saw nothing", "it", "nothing", at_s=story.find(Introduced)[-1].at_s)
    play = play_of(story.history(), failed)
    at_first, others = play.index('if ROUND["resets"]:'), play.index("ana.reset()")
    assert at_first < play.index("        words_cross_with_a_reset()", at_first) < others
    assert others < play.index('if not ROUND["resets"]:') < play.rindex("words_cross_with_a_reset()")


def test_who_leave_all_at_once_leave_one_by_one_when_it_is_played_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty resets in a row can be told to the server by its own writes: then its reads fail no more."""
    paces = list[float]()
    monkeypatch.setattr(pieces, "play", lambda: paces.append(pieces.ROUND["pace_s"]))
    monkeypatch.setattr(pieces, "AGAIN_S", 0.0)
    pieces.play_until_it_shows(own_port=True)
    assert len(paces) == 2
    assert paces[0] == 0.0 < paces[1]


@pytest.mark.parametrize("goes", ["close", "reset", "abandon"])
def test_who_comes_and_who_goes_keeps_the_pace(goes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = list[float]()
    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setitem(pieces.ROUND, "pace_s", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(pieces, "PORT", server.getsockname()[1])
        client = pieces.connect("ana")
        assert waited == [0.02]  # by then it has been greeted: it is known to the server when it goes
        getattr(client, goes)()
    assert waited == [0.02, 0.02]


def play_of(history: History, failed: Judgement) -> str:
    """The lines of `play` of a failure's file."""
    made = repros(history, [failed], (), KNOWN["original"], Aim(command("./server {port}"), "a:1"))
    return made.files[FILE].partition("def play() -> None:")[2].partition("\n\n\n")[0]


def closes_over_a_line(story: Story) -> None:
    dora = story.join("dora", way="proxy")
    story.wait(0.5)
    story.leave(dora)


def half_closes_over_a_line(story: Story) -> None:
    dora = story.join("dora", way="proxy")
    story.wait(0.5)
    story.leave(dora, "half-close")


def is_cut_with_its_line(story: Story) -> None:
    """The call to the Toxiproxy is told when it has answered, which is later than what it did."""
    dora = story.join("dora", way="proxy")
    story.wait(0.5)
    story.add(Ended(at_s=story.now, conn=dora, how="fin"))
    story.here.remove(dora)
    story.add(Toxic(at_s=story.now + 0.03, did="line: line cut", line="line", clean=False))


@pytest.mark.parametrize(
    ("fault", "packet", "line"),
    [
        (closes_over_a_line, None, "dora.cut()"),
        (closes_over_a_line, "RST-ACK", "dora.reset()"),
        (closes_over_a_line, "FIN-ACK", "dora.close()"),
        (half_closes_over_a_line, None, "dora.cut(Client.half_close)"),
        (half_closes_over_a_line, "RST-ACK", "dora.reset()"),
        (is_cut_with_its_line, None, "dora.cut()"),
    ],
)
def test_one_goes_as_the_server_saw_it(fault: Callable[[Story], None], packet: str | None, line: str) -> None:
    """What closes behind a Toxiproxy is reset for the server where something was still on its way: packets tell, or
    both are tried."""
    story = ordinary(fault)
    if packet is not None:
        story.add(Packet(at_s=2.7, flow=9, leg="proxy-server", sender="proxy", flags=packet, conn=story.conns["dora"]))
    failed = Judgement("serves", "fail", "nina never heard otto", "both", "nothing", "no-exchange-newcomers", at_s=12.0)
    play = play_of(story.history(), failed)
    assert f"    {line}\n" in play
    compile(play.replace("\n    ", "\n"), FILE, "exec")


@pytest.mark.parametrize("fault", [closes_over_a_line, is_cut_with_its_line])
def test_who_was_cut_off_goes_abruptly_where_it_is_looked_for_close_wait(fault: Callable[[Story], None]) -> None:
    failed = Judgement("sockets", "fail", "3 connections stay", "none", "3", "close-wait", at_s=18.0)
    assert "bia.reset()" in play_of(ordinary(fault).history(), failed)


@pytest.mark.parametrize("prop", ["delivers", "responsive"])
def test_a_message_on_its_way_when_somebody_is_reset_is_told_with_the_reset(prop: str) -> None:
    """It was said a moment before: without the reset the file would show a room in which nothing happens."""
    story = ordinary()
    left = story.find(Left)[0]
    said = replace(story.find(Said)[0], at_s=left.at_s - 0.001, token="xq1", text=b"on its way xq1")
    said = replace(said, conn=story.conns["ana"], expects=(story.conns["bia"], story.conns["caio"]))
    story.add(said)
    failed = Judgement(prop, "fail", "caio never heard ana", "it", "nothing", at_s=said.at_s)
    if prop == "delivers":
        failed = next(j for j in judge(story.history()) if j.id == "delivers")
        assert failed.at_s == said.at_s
    play = play_of(story.history(), failed)
    assert "bia.reset()" in play
    assert "expect_a_working_room(ana, caio)" in play


def test_one_in_whose_mouth_a_message_is_stuck_is_not_asked_to_speak() -> None:
    """What it says next is the rest of that message, for a correct server too."""
    story = ordinary(lambda story: None)  # bia, who is to do the fault, stays
    story.add(replace(story.find(Said)[0], at_s=2.5, token="xq1", text=b"lost xq1", conn=story.conns["ana"], expects=(story.conns["caio"],)))  # fmt: skip
    failed = next(j for j in judge(story.history()) if j.id == "delivers")
    assert "expect_a_working_room(ana, caio)\n" in play_of(story.history(), failed) + "\n"


def test_a_server_that_has_ended_in_the_midst_of_the_fault_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be put to sleep any more: that is no reason to say nothing of it."""
    monkeypatch.setattr(pieces, "listening_inodes", list[str])
    ended = subprocess.Popen([sys.executable, "-c", "exit(1)"])
    ended.wait()
    with pytest.raises(pieces.CannotTell):
        pieces.freeze()
    monkeypatch.setattr(pieces, "PROCESSES", [ended])
    monkeypatch.setitem(pieces.THE_FAULT, "begun", True)
    with pytest.raises(pieces.Broken, match="exit status 1"):
        pieces.freeze()


def test_pieces_stand_in_the_file_between_what_the_others_said_meanwhile() -> None:
    """A server that passes on what it has read mixes two messages only where one comes in the midst of the other."""

    def in_pieces(story: Story) -> None:
        story.says("bia", "it takes its time", segments=3, heard=[story.conns["caio"]])
        story.at(2.5)
        story.says("caio", "meanwhile", heard=False)

    story = ordinary(in_pieces)
    bia = story.conns["bia"]
    sent = tuple(
        Sent(at_s, bia, data, len(data)) for at_s, data in ((2.0, b"it ta"), (2.1, b"kes i"), (2.55, b"ts time\n"))
    )
    words = next(s for s in story.find(Said) if s.text.startswith(b"meanwhile"))
    said = Sent(words.at_s, words.conn, b"meanwhile " + words.token.encode() + b"\n", 30)
    failed = Judgement("delivers", "fail", "lost", "it", "nothing", at_s=words.at_s)
    made = repros(story.history(), [failed], (*sent, said), KNOWN["original"], Aim(command("./s {port}"), "a:1"))
    play = made.files[FILE]
    assert "bia.send(b'it ta', b'kes i')" in play
    failed = replace(failed, at_s=next(s for s in story.find(Said) if s.segments > 1).at_s)  # ana misses it
    again = repros(story.history(), [failed], (*sent, said), KNOWN["original"], Aim(command("./s {port}"), "a:1"))
    assert "caio = enter('caio')" in again.files[FILE]
    assert [[one.data for one in run] for run in runs(sent, [2.5])] == [[b"it ta", b"kes i"], [b"ts time\n"]]
    assert len(runs(sent, [2.7])) == 1


def speaks_in_pieces(story: Story) -> None:
    story.says("caio", "in pieces", segments=3)


def test_who_spoke_in_pieces_is_in_the_file_of_one_who_was_not_let_in() -> None:
    """A server that waits for the rest of a message took nobody in; the file had only those who came."""
    story = ordinary(speaks_in_pieces)
    caio = story.conns["caio"]
    sent = tuple(Sent(2.0 + at / 10, caio, data, len(data)) for at, data in enumerate((b"in ", b"pie", b"ces\n")))
    failed = Judgement("accepts", "fail", "nina was not served", "in", "out", "newcomer-outside", at_s=10.0)
    made = repros(story.history(), [failed], sent, KNOWN["original"], Aim(command("./s {port}"), "a:1"))
    assert "caio.send(b'in ', b'pie', framed(b'ces'))" in made.files[FILE]


def test_the_word_about_one_who_never_came_in_is_looked_for_although_a_message_came_with_it() -> None:
    """The file expected that somebody who had logged in would hear nothing: it failed on correct servers too."""
    story = ordinary()
    heard = story.find(Heard)[-1]
    story.at(heard.at_s).add(Noticed(at_s=heard.at_s, conn=heard.conn, unit=b"null has left."))
    failed = Judgement(
        "admits", "fail", "null never joined", "no notice", "null has left.", "announced", at_s=heard.at_s
    )
    assert "b'null has left.' not in" in play_of(story.history(), failed)


def test_what_a_newcomer_said_is_said_when_it_has_come() -> None:
    """The file let it speak before it had entered, and could not tell."""
    story = ordinary(bia_closes)
    said = next(one for one in story.find(Said) if one.conn == story.conns["nina"])
    story.at(said.at_s + 1.005).hears(story.conns["ana"], said, unit=b"[otto] " + said.text)
    again = max(story.find(Heard, token=said.token), key=lambda one: one.at_s)
    failed = Judgement("genuine", "fail", "words of before", "once", "twice", "leftover", at_s=again.at_s)
    play = play_of(story.history(), failed)
    assert 0 < play.find("nina = enter(") < play.find("nina.say(")


def test_the_message_with_which_another_is_joined_is_said_whenever_it_came() -> None:
    """It was said later: the file asked whether they come as one, and had said only the first of them."""
    story = ordinary()
    first, then, *_ = (one for one in story.find(Said) if one.conn == story.conns["ana"] and one.at_s > 2.0)
    story.remove([one for one in story.find(Heard) if one.token == first.token])
    story.hears(story.conns["caio"], first, unit=b"[ana] " + first.text + b" " + then.text, alone=False)
    failed = Judgement("intact", "fail", "they came as one", "two", "one", "joined", at_s=first.at_s)
    assert f"ana.say({then.text.decode()!a})" in play_of(story.history(), failed)


def test_processes_that_nobody_waits_for_are_counted() -> None:
    """A zombie has ended, and has no threads; but it stands in the kernel's table for each who left."""
    failed = Judgement(
        "threads", "fail", "processes grow with every client that left", "1", "9", "grow-with-departures"
    )
    play = play_of(ordinary().history(), replace(failed, at_s=18.0))
    assert "before = count_of('processes')" in play
    assert "count_of('task')" in play_of(ordinary().history(), replace(failed, reason="threads grow", at_s=18.0))
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still there
    assert child.pid in pieces.family_of(os.getpid(), zombies=True)
    assert child.pid not in pieces.family_of(os.getpid())
    child.wait()


@pytest.mark.parametrize("fault", [bia_closes, lambda _story: None], ids=["in the fault", "with all others"])
def test_whoever_leaves_in_the_midst_of_a_message_does_so_in_each_round(fault: Callable[[Story], None]) -> None:
    """A thread that waits for the rest of a message stays behind of those alone who have begun one, whenever they go."""
    story = ordinary(fault)
    bia = story.conns["bia"]
    sent = (Sent(0.9, bia, b"\x00\x20ha", 4), Sent(1.9, bia, b"\n", 1))  # what came last may be a mere end of line
    failed = Judgement("threads", "fail", "threads grow", "14", "17", "grow-with-departures", at_s=18.0)
    made = repros(story.history(), [failed], sent, KNOWN["original"], Aim(command("./s {port}"), "a:1"))
    assert "odd.send(b'\\x00 ha')" in made.files[FILE]
    assert "odd.send" not in play_of(story.history(), failed)


@pytest.mark.parametrize("told", [True, False])
def test_a_size_that_is_believed_is_announced_again(told: bool) -> None:
    story = ordinary(bia_closes)
    bia = story.conns["bia"]
    story.add(Claimed(at_s=1.9, conn=bia, size=1 << 28))
    sent = (Sent(1.91, bia, b"\x10\x00\x00\x00ha", 6),) if told else ()
    failed = Judgement("memory", "fail", "256 MiB", "a bound", "256", "believes-a-length", at_s=1.9)
    made = repros(story.history(), [failed], sent, KNOWN["original"], Aim(command("./s {port}"), "a:1"))
    assert (FILE in made.files) == told
    if told:
        assert "before = memory_mib()\n    now_it_counts()\n    bia.send(" in made.files[FILE]
        assert "expect(grown < 128," in made.files[FILE]


def test_a_connection_that_is_closed_already_can_be_closed() -> None:
    """Who is cut off in one play by a reset, and in another half-closes, is closed at the end of both."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        bia = pieces.Client.__new__(pieces.Client)
        bia.socket, bia.ended, bia.received = socket.create_connection(server.getsockname()), "", b""
        bia.reset()
        bia.close()
        assert not bia.present


@pytest.mark.parametrize("resets", [False, True])
def test_who_is_cut_off_is_reset_every_other_time(resets: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pieces.ROUND, "resets", resets)
    with socket.create_server(("127.0.0.1", 0)) as server:
        bia = pieces.Client.__new__(pieces.Client)
        bia.socket, bia.ended, bia.received = socket.create_connection(server.getsockname()), "", b""
        bia.cut()
        there, _ = server.accept()
        with there:
            if resets:
                with pytest.raises(ConnectionResetError):
                    there.recv(1)
            else:
                assert there.recv(1) == b""


@pytest.mark.parametrize("shape", ["no-exchange-newcomers", "no-exchange-empty"])
def test_newcomers_are_tried_again_after_a_fin_whoever_else_was_there(shape: str) -> None:
    history, failed = failure("serves")
    aim = Aim(command("./server {port}"), "a:1")
    (text,) = repros(history, [replace(failed, shape=shape)], (), KNOWN["original"], aim).files.values()
    assert "for turn in range(" in text


@pytest.mark.parametrize(
    ("profile", "tried"),
    [(Profile(), True), (Profile(names=Names(max=4)), False), (Profile(max_clients=6), False)],
)
def test_words_cross_with_a_leaving_where_the_server_takes_that_many(profile: Profile, tried: bool) -> None:
    history, failed = failure("serves")
    (text,) = repros(history, [failed], (), profile, Aim(command("./server {port}"), "a:1")).files.values()
    assert ("for turn in range(" in text) == tried


@pytest.mark.parametrize("name", ["line", "chunk", "header", "length", "utf", "nul", "fixed", "json"])
def test_a_message_is_framed_as_the_harness_does_it(name: FramingName) -> None:
    profile = Profile(framing=name)
    framing: Framing = profile.sending()
    names: dict[str, Any] = {"re": __import__("re")}
    exec(dialects.framed(profile) + "\n" + dialects.units(profile), names)
    message = b'"hello"' if name == "json" else b"hello"
    assert names["framed"](message) == framing.encode(message)
    assert any(message in unit for unit in names["units"](framing.encode(message) * 2))


@pytest.mark.parametrize(("speaks", "come", "answer"), [
    ({"keepalive": {"pattern": "^PING (.*)$", "send": "PONG {echo}"}}, (b"NOTICE\r\nPI", b"NG :7\r\n", b"001\r\nPI"), b"PONG :7\n"),
    ({"keepalive": {"expect": "still there?", "send": "yes"}, "framing": "chunk"}, (b"still the", b"re?", b"good"), b"yes"),
])  # fmt: skip
def test_a_heartbeat_is_answered_once_however_it_comes(
    speaks: dict[str, Any], come: tuple[bytes, ...], answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that asks for its PONG in the login lets nobody in without: no file of it could tell anything."""
    profile = Profile(**speaks)
    assert profile.keepalive is not None
    names: dict[str, Any] = {"re": re, "Client": pieces.Client}
    exec(
        "\n".join([dialects.framed(profile), dialects.units(profile), dialects.keep_alive(profile, profile.keepalive)]),
        names,
    )
    monkeypatch.setattr(pieces, "keep_alive", names["keep_alive"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(pieces, "PORT", listener.getsockname()[1])
        client, (accepted, _) = pieces.Client("ana"), listener.accept()
    for words in come:
        accepted.sendall(words)
        assert client.read_until(lambda heard=words: client.received.endswith(heard), 10.0)  # type: ignore[misc]
    client.socket.close()
    with accepted:
        assert b"".join(iter(lambda: accepted.recv(4096), b"")) == answer


def test_only_where_the_server_has_a_heartbeat_it_stands_in_the_file() -> None:
    plays = [
        write("", ["ana = enter('ana')"], "", Profile(keepalive=beat), {})
        for beat in (None, KeepAlive(expect="?", send="!"))
    ]
    assert [text.count("_alive") for text in plays] == [0, 5]


@pytest.mark.parametrize("let_in", [True, False])
def test_one_who_came_while_the_server_slept_logs_in_when_it_runs_on(let_in: bool) -> None:
    """A frozen server answers nobody: to log in before it runs on fails on a correct one, too."""

    def sleeps(story: Story) -> None:
        story.event("frozen")
        story.wait(0.2)
        if let_in:
            dora = story.join("dora", role="newcomer")
            (joined,) = story.find(Joined, conn=dora)
            story.change(joined, at_s=joined.at_s + 1.0)
        else:
            story.outside("dora", refused=False, role="newcomer")
        story.wait(0.3)
        story.event("thawed")

    history = ordinary(sleeps).history()
    failed = Judgement("serves", "fail", "nina never heard otto", "both", "nothing", "no-exchange-newcomers", at_s=12.0)
    play = [line.strip() for line in play_of(history, failed).splitlines()]
    told = [line for line in play if line in ("freeze()", "thaw()", "log_in(dora)") or line.startswith("dora = ")]
    assert told == ["freeze()", "dora = connect('dora')", "thaw()", "log_in(dora)"]


def test_who_left_just_before_is_not_taken_for_the_one_who_is_looked_for() -> None:
    """The notice of another's leaving may come later than this one's leaving: both words are waited for."""
    history, failed = failure("forgets")
    play = play_of(history, failed)
    words = re.search(r"wanted = (.*)", play)
    assert words is not None
    assert ast.literal_eval(words[1]) == (b"saiu do chat", b"bia")
    assert re.search(r"read_until\(lambda: all\(word in \w+\.received\[start:\] for word in wanted\), REPLY_S\)", play)


@pytest.mark.parametrize(("lines", "told"), [(True, "in shown"), (False, "shown.endswith(b'[caio]')")])
def test_whose_words_these_are_stands_right_before_them_where_nothing_parts_messages(lines: bool, told: str) -> None:
    """One read brings much then, and the right name stands somewhere in it, too."""
    story = ordinary(attribution="[{name}] ", lines=lines)
    said = next(one for one in story.find(Said) if one.at_s > 2.0 and one.conn == story.conns["caio"])
    heard = next(one for one in story.find(Heard) if one.token == said.token)
    failed = Judgement("identity", "fail", "caio was shown as bia", "[caio]", "[bia]", at_s=heard.at_s)
    play = play_of(story.history(), failed)
    assert told in play
    assert 'f"ana hears {words!r}"' in play


@pytest.mark.parametrize("size", [100, 2 << 20])
def test_one_who_does_not_read_stands_in_the_file_of_what_was_lost_or_late_meanwhile(size: int) -> None:
    """What people say to fill its buffers is a loop, and whose buffers these are is what matters."""
    history, failed = failure("delivers")
    scene_conn = next(one.conn for one in history.of(Said) if one.at_s > 2.0)
    poured = (Sent(2.1, scene_conn, b"x" * 50, size),)
    late = Judgement("responsive", "fail", "late", "1 s", "2 s", "late", at_s=failed.at_s)
    for one in (failed, late):
        made = repros(history, [one], poured, KNOWN["original"], Aim(command("./s {port}"), "a:1"))
        assert any('zoe = log_in(Client("zoe", receive_buffer=4096))' in text for text in made.files.values()) is (
            size > 100
        )


def test_who_is_silent_answers_no_heartbeat_either() -> None:
    item = next(m for m in MUTATIONS if m.prop == "expires")
    history = item.tell(True).history(aims=(item.prop,))
    failed = [j for j in judge(history) if j.outcome == "fail"]
    made = repros(history, failed, (), Profile(keepalive=KeepAlive(expect="?", send="!")), Aim(command("./x {port}")))
    assert "ana.present = False" in made.files[FILE]


def test_a_strangers_bytes_cannot_leave_their_quotation() -> None:
    item = next(m for m in MUTATIONS if m.prop == "survives")
    history = item.tell(True).history(aims=(item.prop,), known_leaks=item.leaks)
    (failed,) = [j for j in judge(history) if j.id == "survives"]
    hostile = '"""\nimport os\nos._exit(77)\n"""\x1b[31m\u202e\\'

    made = repros(
        history, [replace(failed, reason=hostile, observed=hostile)], (), KNOWN["original"], Aim(builtin("original")),
        story=hostile,
    )  # fmt: skip
    text = made.files[FILE]
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "os._exit(77)" not in [line.strip() for line in text.splitlines() if not line.startswith(("What", "Obs"))]
    assert json.dumps(compile(text, FILE, "exec").co_names).count("_exit") == 0
