"""Which scenarios are chosen, and what many runs of one come to."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.dialect.profile import Profile
from harness.engine.choosing import choose, of_another_manner
from harness.engine.concluding import conclude, merged, outcome_of, verdict
from harness.engine.deadlines import CONNECT_FLOOR_S, REPLY_CEILING_S, REPLY_FLOOR_S, deadlines
from harness.engine.folders import run_folder
from harness.engine.options import Options, Selection
from harness.engine.play import Attempt
from harness.engine.workers import Done, Workers
from harness.registry import UnknownScenario, load
from harness.results import Judgement
from harness.target import builtin

ALL = load()
OPTIONS = Options(builtin("reference"))
ITEM = ALL["disconnect/abrupt"]
GOOD = Attempt((Judgement("serves", "pass"), Judgement("delivers", "pass")))
BAD = Attempt((Judgement("serves", "pass"), Judgement("delivers", "fail", "lost", "a", "b", "gone")))


def chosen(*patterns: str, **more: object) -> list[str]:
    return [s.id for s in choose(ALL, Selection(patterns, **more))]  # type: ignore[arg-type]


def test_all_is_all() -> None:
    assert set(chosen("all")) == set(ALL)


def test_a_family_a_name_and_a_case() -> None:
    assert {i.split("/")[0] for i in chosen("refused")} == {"refused"}
    assert chosen("disconnect/abrupt") == ["disconnect/abrupt"]
    assert len(chosen("malformed/invalid-utf8")) == 6
    assert chosen("malformed/invalid-utf8[overlong]") == ["malformed/invalid-utf8[overlong]"]


def test_globs_keywords_levels_and_what_is_left_out() -> None:
    assert set(chosen("*/reset*")) >= {"disconnect/reset-after-login"}
    assert all("storm" in i and "churn" not in i for i in chosen("all", keyword="storm and not churn"))
    assert {ALL[i].level for i in chosen("all", level="essential")} == {"essential"}
    assert "disconnect/abrupt" not in chosen("disconnect", skip=("disconnect/abrupt",))


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownScenario, match="disconnect/abrupt"):
        chosen("disconnect/abrubt")


LINES, COUNTED = Profile(framing="line"), Profile(framing="length")


def test_what_is_about_servers_of_another_manner_is_left_out() -> None:
    lies = {s.id for s in of_another_manner(list(ALL.values()), LINES, frozenset())}
    assert {"malformed/claim[2-GiB]", "malformed/block[of-noise]", "malformed/json-parts[half]"} <= lies
    assert all(name.startswith("malformed/") for name in lies)
    assert "malformed/claim[2-GiB]" not in {s.id for s in of_another_manner(list(ALL.values()), COUNTED, frozenset())}


def test_what_was_asked_for_by_its_own_id_is_skipped_rather_than_left_out() -> None:
    lie = ALL["malformed/claim[2-GiB]"]
    assert of_another_manner([ITEM, lie], LINES, frozenset({lie.id})) == []
    assert of_another_manner([lie], LINES, frozenset()) == []  # nothing else would be left
    assert of_another_manner([ITEM, lie], LINES, frozenset()) == [lie]


@pytest.mark.parametrize("code", ["__import__('os')", "(lambda: 1)()", "and"])
def test_a_keyword_expression_is_never_code(code: str) -> None:
    with contextlib.suppress(UnknownScenario):
        assert chosen("all", keyword=code) == []


def test_failing_each_time_is_a_failure() -> None:
    result = conclude(ITEM, [BAD, BAD, BAD], 1.0, None, None, OPTIONS)
    assert (result.outcome, result.runs, result.failed_runs, result.intermittent) == ("fail", 3, 3, False)


def test_failing_sometimes_is_a_failure_marked_intermittent() -> None:
    result = conclude(ITEM, [BAD, GOOD, GOOD], 1.0, None, None, OPTIONS)
    assert (result.outcome, result.failed_runs, result.intermittent) == ("fail", 1, True)
    assert "(in 1 of 3 runs)" in str(next(j for j in merged([BAD, GOOD, GOOD]) if j.id == "delivers").reason)


def left(out: Path, number: int, attempt: Attempt, files: dict[str, str]) -> Attempt:
    """A run that has left these files in its folder."""
    folder = run_folder(out, ITEM.id, number)
    assert folder is not None
    for name, text in files.items():
        (folder / name).write_text(text)
    return replace(attempt, number=number)


def test_what_fails_in_a_later_run_alone_has_the_repro_of_that_run(tmp_path: Path) -> None:
    lost = Judgement("delivers", "fail", "lost", "a", "b", "gone", repro="repro.py")
    again = Attempt((Judgement("serves", "pass"), replace(lost, repro=None), Judgement("once", "fail", "twice")))
    twice = replace(again, judgements=(*again.judgements[:2], replace(again.judgements[2], repro="repro.py")))
    runs = [
        left(tmp_path, 1, Attempt((GOOD.judgements[0], lost)), {"repro.py": "one", "history.jsonl": "of 1"}),
        left(tmp_path, 2, again, {"history.jsonl": "of 2"}),
        left(tmp_path, 3, twice, {"repro.py": "    python3 repro.py HOST PORT\n", "history.jsonl": "of 3"}),
    ]
    result = conclude(ITEM, runs, 1.0, None, None, replace(OPTIONS, out=tmp_path))
    shows = {one.id: tmp_path / str(one.repro) for one in result.of("fail")}
    assert shows["delivers"].read_text() == "one"
    assert shows["once"].read_text() == f"    python3 {shows['once'].name} HOST PORT\n"
    folder = tmp_path / "scenarios" / ITEM.id
    assert (folder / "history.jsonl").read_text() == "of 1"
    assert sorted(path.name for path in folder.iterdir()) == ["history.jsonl", "repro-once.py", "repro.py"]


def test_a_repro_is_none_where_the_file_is_gone(tmp_path: Path) -> None:
    lost = Attempt((Judgement("delivers", "fail", "lost", "a", "b", "gone", repro="repro.py"),))
    result = conclude(ITEM, [left(tmp_path, 1, lost, {})], 1.0, None, None, replace(OPTIONS, out=tmp_path))
    assert [one.repro for one in result.of("fail")] == [None]


def test_what_could_not_be_judged_is_an_error_and_never_a_pass() -> None:
    result = conclude(ITEM, [Attempt(error="no"), Attempt(error="no")], 1.0, None, None, OPTIONS)
    assert (result.outcome, result.reason) == ("error", "no")
    assert conclude(ITEM, [], 1.0, None, "its worker process ended early", OPTIONS).outcome == "error"
    assert outcome_of((), skipped=False, judged=True) == "skip"


def test_the_exit_status() -> None:
    good, bad = (conclude(ITEM, [a], 1.0, None, None, OPTIONS) for a in (GOOD, BAD))
    skipped = conclude(ITEM, [], 0.0, "not here", None, OPTIONS)
    assert [verdict(r, False)[0] for r in ([good], [good, bad], [skipped], [])] == [0, 1, 2, 2]


def test_deadlines_follow_the_server_between_floor_and_ceiling() -> None:
    assert deadlines([0.0004]).reply_s == REPLY_FLOOR_S
    assert deadlines([0.2, 0.3]).reply_s == pytest.approx(6.0)
    assert deadlines([5.0]).reply_s == REPLY_CEILING_S
    assert deadlines([0.0004], patience=2).connect_s == 2 * CONNECT_FLOOR_S


def finished(workers: Workers) -> list[Done]:
    end, done = time.monotonic() + 30, []
    while workers.busy:
        assert time.monotonic() < end
        done += list(workers.wait(0.2))
    return done


def test_workers_bring_values_failures_and_deaths() -> None:
    import os

    with Workers(3) as workers:
        workers.start("good", lambda: {"a": 1}, 30)
        workers.start("broken", lambda: 1 // 0, 30)
        workers.start("dead", lambda: os._exit(7), 30)
        done = {d.key: d for d in finished(workers)}
    assert done["good"].value == {"a": 1}
    assert "ZeroDivisionError" in str(done["broken"].failure)
    assert "ended early" in str(done["dead"].failure)


def test_a_worker_that_hangs_is_stopped_and_told() -> None:
    with Workers(1) as workers:
        workers.start("stuck", lambda: time.sleep(60), 0.2)
        (done,) = finished(workers)
    assert "did not end within" in str(done.failure)


def test_what_somebody_else_runs_is_not_in_a_network_of_our_own() -> None:
    assert Options(builtin("reference")).isolates
    assert not Options(builtin("reference"), namespaces=False).isolates
    assert not Options(builtin("reference"), toxiproxy="http://127.0.0.1:8474").isolates
