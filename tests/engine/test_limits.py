"""Limits that a correct server may have: found in the quiet runs, told, and kept to; and how its guests leave it."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import replace

import pytest
from cli.program import GONE_S, Program, awaited

from engine.guestbook import Guestbook
from harness.cli.target_words import remote
from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Identity, Member
from harness.dialect.profile import LoginStep, Profile
from harness.engine.baseline import Learned, Lesson
from harness.engine.choosing import unmet
from harness.engine.deadlines import deadlines
from harness.engine.limits import ENDS, LENGTHS, USUAL, Pace, announced
from harness.engine.options import Options
from harness.engine.play import limit_s
from harness.history import Baseline, Sample
from harness.language import Language
from harness.registry import load
from harness.sentences import in_portuguese
from harness.stage import Plan, Stage
from harness.target import builtin

SPEAKS = Profile(login=(LoginStep(expect="NAME?"), LoginStep(send="{name}"), LoginStep(expect="Hello")), leave="/quit")
DIALECT = """[dialect]
framing = "line"
login = [{expect = "NAME?"}, {send = "{name}"}, {expect = "Hello"}]
leave = "/quit"
"""


def learned(book: Guestbook, speaks: Profile = SPEAKS, **more: object) -> Learned:
    """What the quiet run finds out."""
    baseline = Baseline(deadlines([]), speaks.named, speaks.must_log_in)
    lesson = Lesson(Options(remote(book.address), **more), speaks, baseline, isolated=False)  # type: ignore[arg-type]
    asyncio.run(lesson.run())
    return lesson.learned()


@pytest.mark.parametrize(
    ("shown", "lengths"),
    [
        ("Line too long (max 80).", {80, 78}),
        ("Mensagem longa demais: até 120 caracteres", {120, 118}),
        ("at most 64 bytes, not 512", {64, 62, 512, 510}),
        ("A name has at most 20 characters", set()),
        ("ana: hello 80", set()),
        ("[10:80] 127.0.0.1:5000 is the limit", set()),
        ("", set()),
    ],
)
def test_what_a_server_says_of_its_limit_is_understood(shown: str, lengths: set[int]) -> None:
    assert announced(shown.encode()) == lengths


def member_of(profile: Profile) -> Member:
    """Somebody without a connection."""
    return Member(1, Identity("ana", "ana"), profile, Log(Clock(), lambda: None))


@pytest.mark.parametrize("say", ["{text}", "{name}: {text}", '{{"type": "chat", "message": "{text}"}}'])
@pytest.mark.parametrize("words", ["x" * 500, "São João, amanhã às três " * 20, "🎉👩‍👩‍👧" * 40])
def test_who_speaks_says_no_more_than_the_server_takes(say: str, words: str) -> None:
    profile = Profile(say=say.replace("{{", "{").replace("}}", "}"), max_message=80)
    said, data = member_of(profile).compose(words)
    assert 60 < len(data) <= 81  # with the newline
    assert said.token.encode() in data
    assert words.startswith(said.text.decode().removesuffix(said.token).strip())
    short, _ = member_of(profile).compose("short")
    assert short.text.startswith(b"short ")


def test_no_limit_leaves_the_words_as_they_are() -> None:
    said, _ = member_of(Profile()).compose("x" * 5000)
    assert len(said.text) == 5012


def test_a_whisper_has_the_room_that_its_command_leaves() -> None:
    profile = Profile(whisper="/msg somebody {text}", max_message=60)
    _, data = member_of(profile).compose("x" * 200, "whisper", template=profile.whisper)
    assert len(data) <= 61


def test_short_lines_are_found_and_told() -> None:
    with Guestbook(longest=77) as book:
        found = learned(book)
    assert found.profile is not None
    assert found.profile.max_message == 77  # it said so
    assert found.limits == ("the longest message that it takes has 77 bytes: nobody says more",)
    assert in_portuguese(found.limits[0]) != found.limits[0]


def test_what_comes_shortened_without_a_word_is_no_limit() -> None:
    """A buffer that is too small is a fault, and stays to be found."""
    with Guestbook(cuts=100) as book:
        found = learned(book)
    assert found.profile is not None
    assert (found.profile.max_message, found.limits) == (USUAL, ())


def test_a_server_without_limits_has_none() -> None:
    with Guestbook() as book:
        found = learned(book)
    assert found.baseline is not None
    assert found.profile is not None
    assert (found.baseline.pace_s, found.profile.max_message, found.limits) == (None, LENGTHS[0], ())


def test_a_declared_length_is_believed() -> None:
    with Guestbook(longest=77) as book:
        found = learned(book, SPEAKS.model_copy(update={"max_message": 70}))
    assert found.profile is not None
    assert found.profile.max_message == 70


def test_the_pace_is_found_and_told() -> None:
    with Guestbook(a_second=8) as book:
        found = learned(book)
    assert found.baseline is not None
    assert found.baseline.pace_s is not None
    assert 1 / 8 < found.baseline.pace_s < 0.8
    (told,) = found.limits
    assert "Too fast!" in told
    assert in_portuguese(told) != told


def test_one_who_speaks_in_bursts_is_needed_elsewhere() -> None:
    """What floods is left out where nobody may; what talks has more time."""
    quick = Baseline(deadlines([]), named=True, login=True)
    slow = replace(quick, pace_s=0.5)
    options = Options(builtin("original"))
    items = load()
    for name in ("chat/many-in-one-segment[20]", "latency/stalled-reader"):
        assert unmet(items[name], options, SPEAKS, quick, frozenset()) is None
        reason = unmet(items[name], options, SPEAKS, slow, frozenset())
        assert reason is not None
        assert in_portuguese(reason) != reason
    talk = items["chat/two-talk"]
    assert limit_s(talk, options, slow) >= limit_s(talk, options, quick) + 10
    assert unmet(talk, options, SPEAKS, slow, frozenset()) is None


@pytest.mark.parametrize("answer", ["", ENDS, "Too fast!"])
def test_what_the_hasty_meet_is_told_in_both_languages(answer: str) -> None:
    told = Pace(8, 0.2, answer).met
    assert Language("pt-BR").sentence(told) != told


def test_limits_of_somebody_elses_server_are_kept_and_it_is_not_blamed(program: Program) -> None:
    """A whole run over --connect: short lines, a pace, few connections; everybody leaves as people do."""
    (program.folder / "harness.toml").write_text(DIALECT, encoding="utf-8")
    with Guestbook(longest=80, a_second=8) as book:
        done = program.run(
            "chat/longest-message", "chat/short-after-long", "chat/all-at-once", "--connect", book.address, "--max-clients", "9",
            "--lang", "en",
        )  # fmt: skip
        assert done.status == 0, done.text
        assert "nobody speaks faster" in done.out
        assert "nobody says more" in done.out
        assert awaited(lambda: not book.named, GONE_S), book.named
        assert book.resets == 0
        assert book.knocks <= 1, "one look at whether it is there, and no more knocks"
        assert book.most <= 9
    outcomes = {one["id"]: one["outcome"] for one in program.results()["scenarios"]}
    assert set(outcomes.values()) == {"pass"}, outcomes


def test_no_more_clients_come_than_are_allowed(program: Program) -> None:
    (program.folder / "harness.toml").write_text(DIALECT, encoding="utf-8")
    with Guestbook() as book:
        program.run(
            "chat/room-of-twenty", "storm", "--connect", book.address, "--max-clients", "4", "--level", "robust"
        )
        assert 2 <= book.most <= 4
        assert awaited(lambda: not book.named, GONE_S), book.named


def test_the_probe_leaves_nobody_logged_in(program: Program) -> None:
    with Guestbook() as book:
        done = program("probe", "--connect", book.address, "--lang", "en")
        assert done.status == 0, done.text
        assert awaited(lambda: not book.named, GONE_S), book.named
        assert book.resets == 0


def test_a_server_of_another_user_is_not_blamed_for_limits_that_cannot_be_lowered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ngIRCd and InspIRCd become another user: prlimit(2) says EPERM, and the scenario is skipped."""

    class Process:
        def sample(self, _: str) -> Sample:
            return Sample(at_s=0.0, label="limits", alive=True, descriptors=7)

        def limit_descriptors(self, _: int) -> int:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    log = Log(Clock(), lambda: None)
    stage = Stage(Plan(builtin("original"), deadlines([])), log)
    monkeypatch.setattr(Stage, "process", Process())
    assert not stage.lower_descriptors(4)
    assert log.records == []
