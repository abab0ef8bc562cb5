"""A run without a server: what is played is put in, the order, the repetitions and the outcome are looked at."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.dialect.builtin import KNOWN
from harness.engine import run as module
from harness.engine.baseline import Learned
from harness.engine.concluding import conclude, merged, outcome_of, verdict
from harness.engine.deadlines import deadlines
from harness.engine.options import Options
from harness.engine.play import Attempt
from harness.engine.run import Run, _Progress, ordered
from harness.engine.workers import Done
from harness.events import BaselineFailed, Event, RunFinished, RunStarted, ScenarioStarted
from harness.history import Baseline
from harness.registry import Scenario
from harness.results import Judgement, Outcome, RunResult, ScenarioResult
from harness.target import builtin


async def nothing(*_: object) -> None:
    """A body that is never played here."""


def made(name: str, **more: object) -> Scenario:
    """A scenario of that name."""
    blank = Scenario(name, name.split("/")[0], "robust", {"en": name, "pt-BR": name}, "", nothing)
    return replace(blank, **more)  # type: ignore[arg-type]


def attempt(outcome: Outcome = "pass", prop: str = "delivers", **more: object) -> Attempt:
    """A play that came to this."""
    return replace(Attempt((Judgement(prop, outcome, "so it was", shape="some"),)), **more)  # type: ignore[arg-type]


PASS, FAIL, WARN, ERROR = attempt(), attempt("fail"), attempt("warn"), Attempt(error="trouble of our own")


class Theatre:
    """Runs whose plays come from a script: for each scenario the attempts in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.patch, self.folder = monkeypatch, folder
        self.events: list[Event] = []
        self.found: Learned | None = None  # of a dialect, where none is declared
        self.learned = Learned(Baseline(deadlines([]), named=True, login=False), KNOWN["original"])

    def run(
        self, lines: dict[str, list[Attempt | Callable[[], Attempt]]], *known: Scenario, **options: object
    ) -> RunResult:
        """Perform it. `known`: scenarios that are more than a name."""
        items = [next((item for item in known if item.id == key), made(key)) for key in lines]
        (self.folder / "counts").mkdir(exist_ok=True)

        def play(item: Scenario, *_: object, **__: object) -> Attempt:
            number = next(n for n in itertools.count() if self._first(self.folder / "counts" / f"{hash(item.id)}-{n}"))
            line = lines[item.id]
            next_ = line[min(number, len(line) - 1)]
            return next_ if isinstance(next_, Attempt) else next_()

        self.patch.setattr(module, "play", play)
        self.patch.setattr(module, "learn", lambda *_: self.learned)
        settings = Options(builtin("original"), **{"profile": KNOWN["original"], **options})  # type: ignore[arg-type]
        return Run(settings, items, self.events.append, lambda _: self.found or self.learned).perform()

    @staticmethod
    def _first(path: Path) -> bool:
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def started(self) -> list[str]:
        """The ids of the plays in the order in which they began."""
        return [event.id for event in self.events if isinstance(event, ScenarioStarted)]


@pytest.fixture
def theatre(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Theatre:
    return Theatre(monkeypatch, tmp_path)


def by_id(result: RunResult) -> dict[str, ScenarioResult]:
    return {one.id: one for one in result.scenarios}


def test_all_pass(theatre: Theatre) -> None:
    result = theatre.run({"a/one": [PASS], "a/two": [PASS]})
    assert (result.exit_status, result.verdict, result.interrupted) == (0, "pass", False)
    assert theatre.started().count("a/one") == 1
    assert isinstance(theatre.events[0], RunStarted)
    assert isinstance(theatre.events[-1], RunFinished)


def test_a_failure_is_seen_again(theatre: Theatre) -> None:
    one = by_id(theatre.run({"a/one": [FAIL]}, confirm=2))["a/one"]
    assert (one.outcome, one.runs, one.failed_runs, one.intermittent) == ("fail", 3, 3, False)


def test_a_failure_that_comes_and_goes_is_a_failure_and_marked(theatre: Theatre) -> None:
    one = by_id(theatre.run({"a/one": [FAIL, PASS, FAIL]}, confirm=2))["a/one"]
    assert (one.outcome, one.runs, one.failed_runs, one.intermittent) == ("fail", 3, 2, True)
    assert one.judgements[0].reason == "so it was (in 2 of 3 runs)"


def test_a_failure_that_only_a_repetition_shows(theatre: Theatre) -> None:
    one = by_id(theatre.run({"a/one": [PASS, PASS, FAIL, PASS]}, repeat=3, confirm=0))["a/one"]
    assert (one.outcome, one.runs, one.failed_runs, one.intermittent) == ("fail", 3, 1, True)


def test_what_everybody_saw_is_seen_again_once_only(theatre: Theatre) -> None:
    names = [f"a/{n}" for n in range(4)]
    result = theatre.run({name: [FAIL] for name in names}, confirm=5, jobs=1)
    assert [one.runs for one in result.scenarios] == [6, 6, 6, 2]


def test_trouble_of_the_harness_is_tried_once_more(theatre: Theatre) -> None:
    found = by_id(theatre.run({"a/better": [ERROR, PASS], "a/worse": [ERROR]}))
    assert (found["a/better"].outcome, found["a/better"].runs) == ("pass", 2)
    assert (found["a/worse"].outcome, found["a/worse"].reason) == ("error", "trouble of our own")


def test_a_worker_that_dies_is_an_error_of_that_scenario(theatre: Theatre) -> None:
    result = theatre.run({"a/dies": [lambda: os._exit(3)], "a/lives": [PASS]})
    assert "ended early (exit status 3)" in str(by_id(result)["a/dies"].reason)
    assert {one.id: one.outcome for one in result.scenarios} == {"a/dies": "error", "a/lives": "pass"}
    assert result.exit_status == 0


def test_what_builds_upon_a_failure_is_not_reached(theatre: Theatre) -> None:
    later = made("a/later", after=("a/base",))
    result = theatre.run({"a/later": [PASS], "a/base": [FAIL]}, later, confirm=0)
    assert theatre.started() == ["a/base"]
    assert (by_id(result)["a/later"].outcome, by_id(result)["a/later"].reason) == ("skip", "not reached: a/base")


def test_what_builds_upon_a_success_comes_after_it(theatre: Theatre) -> None:
    later = made("a/later", after=("a/base",))
    result = theatre.run({"a/later": [PASS], "a/base": [PASS]}, later)
    assert theatre.started() == ["a/base", "a/later"]
    assert by_id(result)["a/later"].outcome == "pass"
    assert [one.id for one in result.scenarios] == ["a/later", "a/base"]  # told as planned


def test_what_is_not_planned_is_not_waited_for(theatre: Theatre) -> None:
    assert theatre.run({"a/later": [PASS]}, made("a/later", after=("a/base",))).exit_status == 0


def test_what_this_server_cannot_do_is_skipped_with_the_reason(theatre: Theatre) -> None:
    result = theatre.run({"a/list": [PASS]}, made("a/list", needs=frozenset({"list"})))
    assert (by_id(result)["a/list"].reason, theatre.started()) == ("this server has no list of who is there", [])
    assert (result.exit_status, result.verdict) == (2, "error")


def test_it_stops_after_so_many_failures(theatre: Theatre) -> None:
    result = theatre.run({f"a/{n}": [FAIL] for n in range(6)}, confirm=0, jobs=1, max_failures=2)
    assert len(result.scenarios) == 2
    assert result.exit_status == 1


@pytest.mark.parametrize(
    ("learned", "status"),
    [
        (Learned(failure="it does not start", start_error=True), 2),
        (Learned(failure="they never heard one another", transcript="ana -> hi"), 1),
    ],
)
def test_a_quiet_run_that_fails_is_one_failure_and_never_seventy(
    theatre: Theatre, learned: Learned, status: int
) -> None:
    theatre.learned = learned
    result = theatre.run({"a/one": [PASS]})
    assert (result.exit_status, result.reason, result.scenarios) == (status, learned.failure, ())
    assert any(isinstance(event, BaselineFailed) for event in theatre.events)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_order(theatre: Theatre, number: int) -> None:
    parent = os.getpid()

    def signals() -> Attempt:
        os.kill(parent, number)
        return PASS

    before = signal.getsignal(number)
    result = theatre.run({f"a/{n}": [signals] for n in range(5)}, jobs=1)
    assert (result.interrupted, result.exit_status) == (True, 130)
    assert len(result.scenarios) < 5
    assert isinstance(theatre.events[-1], RunFinished)
    assert signal.getsignal(number) is before


def test_the_documented_tests_come_first_then_the_foundations() -> None:
    items = [made("a/x", after=("a/base",)), made("a/base"), made("a/two", documented=2), made("a/one", documented=1)]
    assert [item.id for item in ordered(items)] == ["a/one", "a/two", "a/base", "a/x"]


def test_a_leak_is_known_when_it_was_seen_to_grow_in_four_scenarios() -> None:
    run = Run(Options(builtin("original")), [], lambda _: None, lambda _: Learned())
    grows = Attempt((Judgement("threads", "fail", "so it was", shape="grow-with-departures"),))
    other = Attempt((Judgement("threads", "fail", "so it was", shape="idle"),))
    known = []
    for name, seen in (("a/1", grows), ("a/2", grows), ("a/2", grows), ("a/3", other), ("a/4", grows), ("a/5", grows)):
        run._take(_Progress(made(name)), 1, Done(name, seen))
        known.append(set(run._known_leaks()))
    assert known == [set()] * 5 + [{"threads"}]


def test_departures_come_before_what_takes_long_so_that_a_leak_is_known_by_then() -> None:
    items = [made("malformed/x"), made("storm/x"), made("disconnect/x"), made("refused/one", documented=1)]
    assert [item.id for item in ordered(items)] == ["refused/one", "disconnect/x", "storm/x", "malformed/x"]


@pytest.mark.parametrize(
    ("outcomes", "skipped", "judged", "expected"),
    [
        (["pass", "skip"], False, True, "pass"),
        (["pass", "warn"], False, True, "warn"),
        (["pass", "warn", "fail", "error"], False, True, "fail"),
        (["pass", "error"], False, True, "error"),
        (["skip"], False, True, "skip"),
        ([], False, True, "skip"),
        ([], True, False, "skip"),
        (["fail"], True, True, "fail"),
        ([], False, False, "error"),
        (["pass"], False, False, "error"),
    ],
)
def test_the_outcome_of_a_scenario(outcomes: list[Outcome], skipped: bool, judged: bool, expected: Outcome) -> None:
    assert outcome_of([Judgement("p", one) for one in outcomes], skipped=skipped, judged=judged) == expected


@pytest.mark.parametrize(
    ("outcomes", "strict", "status"),
    [
        ([], False, 2),
        (["skip"], False, 2),
        (["skip", "error"], False, 2),
        (["pass", "skip"], False, 0),
        (["pass", "error"], False, 0),
        (["pass", "warn"], False, 0),
        (["pass", "warn"], True, 1),
        (["pass", "fail"], False, 1),
        (["fail"], True, 1),
    ],
)
def test_the_exit_status_of_a_run(outcomes: list[Outcome], strict: bool, status: int) -> None:
    results = [ScenarioResult(str(n), "a", "robust", {"en": ""}, one, 0, 1, 0) for n, one in enumerate(outcomes)]
    assert verdict(results, strict)[0] == status


def test_many_runs_become_one_judgement_a_property() -> None:
    both = Attempt((Judgement("delivers", "pass"), Judgement("once", "fail", "twice")))
    words = {j.id: (j.outcome, j.reason) for j in merged([FAIL, both, ERROR, PASS])}
    assert words == {
        "delivers": ("fail", "so it was (in 1 of 3 runs)"),
        "once": ("fail", "twice (in 1 of 3 runs)"),
    }


def test_trouble_after_a_failure_does_not_wash_it_away() -> None:
    options = Options(builtin("original"))
    result = conclude(made("a/one"), [FAIL, ERROR], 1.0, None, None, options)
    assert (result.outcome, result.failed_runs, result.intermittent) == ("fail", 1, False)
    hung = conclude(made("a/one"), [FAIL], 1.0, None, "it did not end within 60 s and was stopped", options)
    assert (hung.outcome, hung.reason) == ("fail", None)


def test_who_cannot_talk_in_the_dialect_that_was_found_fails(theatre: Theatre) -> None:
    """Two have heard each other in it: that they cannot now is the server's fault, and no wrong use."""
    theatre.found = Learned(profile=KNOWN["original"])
    theatre.learned = Learned(failure="bia never heard what ana said")
    result = theatre.run({"a/one": [PASS]}, profile=None)
    assert (result.exit_status, result.reason) == (1, "bia never heard what ana said")
    failed = next(event for event in theatre.events if isinstance(event, BaselineFailed))
    assert not failed.wrong_use


def test_a_dialect_that_was_not_found_is_wrong_use(theatre: Theatre) -> None:
    theatre.found = theatre.learned = Learned(failure="no dialect fits")
    assert theatre.run({"a/one": [PASS]}, profile=None).exit_status == 2
