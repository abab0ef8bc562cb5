from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.events import Event, RunFinished, ScenarioStarted, Warned
from harness.language import Language
from harness.report.codec import from_plain, to_plain
from harness.report.files import ReportError
from harness.report.gathered import Gathered
from harness.report.journal import KINDS, JournalReport, decode, encode, read_events
from harness.results import RunResult

from .sample import HOSTILE, SCENARIOS, a_failed_baseline, a_run, events_of

ENGLISH = Language("en")


def _write(folder: Path, told: list[Event]) -> Path:
    journal = JournalReport(folder, ENGLISH)
    for event in told:
        journal.handle(event)
    journal.close()
    return folder / "events.jsonl"


def _gathered(told: list[Event], lang: str = "en") -> RunResult:
    gathered = Gathered()
    for event in told:
        gathered.handle(event)
    result = gathered.result(lang)
    assert result is not None
    return result


def test_every_event_comes_back_as_it_was(tmp_path: Path) -> None:
    told = events_of(a_run()) + events_of(a_failed_baseline())
    assert {type(event).__name__ for event in told} == set(KINDS)
    assert list(read_events(_write(tmp_path, told))) == told
    assert list(read_events(tmp_path)) == told


def test_each_line_is_json_in_ascii_and_names_its_event(tmp_path: Path) -> None:
    lines = _write(tmp_path, events_of(a_run())).read_bytes().splitlines()
    assert all(line.isascii() for line in lines)
    assert [json.loads(line)["event"] for line in lines][:2] == ["RunStarted", "Warned"]


def test_a_line_is_on_its_way_before_the_next_event(tmp_path: Path) -> None:
    journal = JournalReport(tmp_path, ENGLISH)
    journal.handle(Warned(0.5, "x"))
    assert list(read_events(tmp_path)) == [Warned(0.5, "x")]
    journal.close()


@pytest.mark.parametrize("kept", [1, 10, -1])
def test_a_torn_last_line_is_passed_over(tmp_path: Path, kept: int) -> None:
    told = events_of(a_run())
    path = _write(tmp_path, told)
    whole = path.read_bytes()
    last = encode(told[-1])
    path.write_bytes(whole[: -len(last)] + last[:kept])
    assert list(read_events(path))[: len(told) - 1] == told[:-1]


def test_what_follows_a_torn_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event":"Warn\n\n\xff\n[1]\n{"event":"Unknown","at_s":1}\n' + encode(Warned(2.0, "y")))
    assert list(read_events(path)) == [Warned(2.0, "y")]


def test_a_full_disk_tears_a_line_and_the_next_one_stands_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = JournalReport(tmp_path, ENGLISH)
    journal.handle(Warned(1.0, "before"))

    def half(stream: object, event: Event) -> None:
        stream.write(encode(event)[:9])  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("harness.report.journal.write_event", half)
        with pytest.raises(ReportError, match="no space is left; make room and run `harness report"):
            journal.handle(Warned(2.0, "torn"))
    journal.handle(Warned(3.0, "after"))
    journal.close()
    assert [event.at_s for event in read_events(tmp_path)] == [1.0, 3.0]


def test_numbers_that_json_does_not_have_come_back() -> None:
    event = Warned(float("inf"), HOSTILE)
    assert decode(encode(event)) == event
    json.loads(encode(event), parse_constant=pytest.fail)


def test_unknown_fields_are_passed_over_and_missing_ones_take_their_default() -> None:
    plain = {**to_plain(ScenarioStarted(1.0, "a/b", 3)), "added_later": 1}
    assert from_plain(ScenarioStarted, plain) == ScenarioStarted(1.0, "a/b", 3)
    assert decode(b'{"event":"ScenarioStarted","at_s":1,"id":"a/b"}') == ScenarioStarted(1.0, "a/b", 1)
    assert decode(b'{"event":"ScenarioStarted","at_s":1}') is None
    assert decode(b'{"event":"ScenarioStarted","at_s":1,"id":7}') is None


def test_a_finished_run_is_the_one_that_its_last_event_tells() -> None:
    assert _gathered(events_of(a_run())) == a_run()


def test_a_killed_run_is_put_together_from_what_had_finished() -> None:
    told = events_of(a_run(), finished=False)[:-2]
    result = _gathered(told)
    assert result.interrupted
    assert result.exit_status == 130
    assert [s.id for s in result.scenarios] == sorted(s.id for s in SCENARIOS[:-1])  # as planned, not as they ended
    assert (result.seed, result.started, result.target) == (42, a_run().started, a_run().target)
    assert result.duration_s == told[-1].at_s
    assert [f.fingerprint for f in result.findings] == [f.fingerprint for f in a_run().findings]


def test_a_run_killed_after_its_baseline_failed_keeps_the_reason() -> None:
    expected = a_failed_baseline()
    result = _gathered(events_of(expected, finished=False))
    assert (result.reason, result.transcript, result.exit_status) == (expected.reason, expected.transcript, 2)


def test_findings_and_their_causes_are_told_in_the_language_of_the_reader() -> None:
    result = _gathered([RunFinished(1.0, a_run())], "pt-BR")
    assert result.findings[0].title == "para de retransmitir depois de uma saída: ninguém ouve ninguém"
    assert result.findings[0].cause is not None
    assert result.findings[0].cause.startswith("ainda se escreve para um cliente que já saiu")


def test_a_journal_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no such file.*; give the folder of a run") as caught:
        list(read_events(tmp_path))
    assert "\n" not in str(caught.value)
