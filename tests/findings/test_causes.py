from __future__ import annotations

import pytest

from findings import printed
from harness.findings import faults, group, probable_causes
from harness.findings.causes import explaining
from harness.findings.clues import clues
from harness.findings.kinds import KINDS, PATTERNS
from harness.history import Baseline, Deadlines, History, Output, Record, ServerEvent
from harness.language import Language
from harness.properties import IDS
from harness.results import Clue, Judgement, ScenarioResult

RESET = Clue(
    "read-reset", "its output shows ConnectionResetError: gone", 0.5, "chat.py:40 (listen)", "data = sock.recv(9)"
)
BASELINE = Baseline(Deadlines(0.01, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), named=True, login=True)


def _scenario(name: str, *judgements: Judgement, clues: tuple[Clue, ...] = ()) -> ScenarioResult:
    return ScenarioResult(
        name, name.partition("/")[0], "robust", {"en": name}, "fail", 0.1, 1, 1, judgements, clues=clues
    )


def _fail(prop: str, shape: str | None = None, at_s: float | None = None) -> Judgement:
    return Judgement(prop, "fail", "-", shape=shape, at_s=at_s)


def _history(*records: Record) -> History:
    return History("disconnect/abrupt", BASELINE, records)


def test_failures_of_one_cause_are_told_once_with_its_place_and_grounds() -> None:
    scenarios = [
        _scenario("disconnect/abrupt", _fail("delivers", "x"), _fail("threads", "y"), clues=(RESET,)),
        _scenario("storm/churn", _fail("serves", "z"), clues=(RESET,)),
        _scenario("malformed/noise", _fail("private", "leaked"), clues=(RESET,)),
    ]
    (cause,) = probable_causes(scenarios)
    assert cause.failures == ("disconnect/abrupt delivers", "disconnect/abrupt threads", "storm/churn serves")
    assert (cause.id, cause.where, cause.source) == ("read-reset", RESET.where, RESET.source)
    assert cause.grounds == (f"{RESET.what} (3 failures)",)
    assert {one.fingerprint: bool(one.cause) for one in group(scenarios)} == {
        "delivers:x": True, "threads:y": True, "serves:z": True, "private:leaked": False,
    }  # fmt: skip


def test_what_came_long_after_a_failure_did_not_cause_it() -> None:
    assert explaining((RESET,), _fail("delivers", at_s=0.4)) == RESET
    late = Clue("read-reset", "-", 9.0)
    assert explaining((late,), _fail("delivers", at_s=0.4)) is None
    assert explaining((late,), _fail("delivers")) == late


def test_what_ended_the_process_stands_before_what_was_printed() -> None:
    fault = Clue("memory-fault", "its process was ended by SIGSEGV", 0.6)
    assert explaining((RESET, fault), _fail("survives")) == fault


def test_a_failure_without_a_clue_has_no_cause_that_only_says_it_again() -> None:
    scenarios = [_scenario("disconnect/half-close", _fail("forgets", "still-listed"), _fail("sockets", "close-wait"))]
    assert probable_causes(scenarios) == ()
    assert [one.cause for one in group(scenarios)] == [None, None]


def test_failures_whose_shapes_suggest_one_kind_count_as_one_fault() -> None:
    alike = _scenario("disconnect/half-close", _fail("forgets", "still-listed"), _fail("sockets", "close-wait"))
    other = _scenario("chat/two", _fail("once", "twice"), _fail("ordered", "overtaken"))
    shown = _scenario("disconnect/abrupt", _fail("serves", "x"), clues=(RESET,))
    assert [faults([alike]), faults([alike, other]), faults([alike, other, shown]), faults([])] == [1, 3, 4, 0]


def test_a_failure_that_suggests_nothing_has_no_cause() -> None:
    assert probable_causes([_scenario("chat/two", _fail("once", "twice"))]) == ()


def test_other_exceptions_are_told_apart_by_their_place() -> None:
    one, two = (
        Clue("exception", "its output shows Oops", 0.1, "a.py:1"),
        Clue("exception", "its output shows Oops", 0.1, "a.py:9"),
    )
    scenarios = [_scenario("a/1", _fail("serves"), clues=(one,)), _scenario("a/2", _fail("serves"), clues=(two,))]
    assert {cause.where for cause in probable_causes(scenarios)} == {"a.py:1", "a.py:9"}


def test_clues_are_taken_from_the_output_and_the_manner_of_its_end() -> None:
    found = clues(
        _history(
            Output(at_s=0.1, text="listening\n"),
            Output(at_s=0.42, text=printed.PYTHON_RESET),
            ServerEvent(at_s=0.5, what="exited", asked=False, detail="-11"),
        )
    )
    assert [(one.kind, one.at_s) for one in found] == [("read-reset", 0.42), ("memory-fault", 0.5)]


def test_what_a_server_prints_when_it_was_told_to_end_is_no_clue() -> None:
    asked = ServerEvent(at_s=1.0, what="signal", detail="SIGTERM")
    ended = ServerEvent(at_s=1.1, what="exited", detail="-6")
    assert clues(_history(asked, Output(at_s=1.05, text=printed.PYTHON_BROKEN_PIPE), ended)) == ()
    again = ServerEvent(at_s=1.2, what="ready")
    assert clues(_history(asked, ended, again, Output(at_s=1.5, text=printed.PYTHON_BROKEN_PIPE)))


def test_every_kind_is_told_in_both_languages_and_explains_known_properties() -> None:
    for kind in KINDS.values():
        assert kind.explains <= set(IDS)
        assert len({*kind.title, *kind.remedy}) == 4
        assert all(text and not text.startswith("probably") for text in kind.title)
    assert set(PATTERNS.values()) <= set(KINDS)


@pytest.mark.parametrize("what", ["its output shows Oops: x", "its process was ended by SIGPIPE"])
def test_clues_are_told_in_portuguese(what: str) -> None:
    assert Language.of("pt-BR").sentence(what) != what
    (cause,) = probable_causes([_scenario("a/1", _fail("serves"), clues=(Clue("sigpipe", what, 0.1),))], "pt-BR")
    assert cause.title == KINDS["sigpipe"].title[1]
    assert cause.grounds[0].startswith(("o ", "a "))
