from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.events import BaselineDone, Event, RunFinished, RunStarted, ScenarioFinished, ScenarioStarted
from harness.language import Language
from harness.report.console import ConsoleReport
from harness.report.progress import Progress
from harness.report.safe import visible

from . import golden
from .sample import HOSTILE, a_failed_baseline, a_run, events_of

OUT = Path("harness-report")
FILES = ("report.txt", "results.json", "junit.xml")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def _shown(
    told: list[Event],
    stream: io.StringIO | None = None,
    lang: str = "en",
    environ: dict[str, str] | None = None,
    *,
    quiet: bool = False,
    verbose: bool = False,
    color: bool | None = None,
) -> str:
    stream = stream or io.StringIO()
    environ = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"} | (environ or {})
    report = ConsoleReport(
        stream, Language.of(lang), environ, folder=OUT, files=FILES, quiet=quiet, verbose=verbose, color=color
    )
    for event in told:
        report.handle(event)
    report.close()
    return stream.getvalue()


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
def test_lines_of_a_run_that_nobody_watches(lang: str) -> None:
    golden.check(f"console.{lang}.txt", _shown(events_of(a_run()), lang=lang))


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
def test_a_baseline_that_failed_is_said_plainly_with_its_transcript(lang: str) -> None:
    golden.check(f"console-unjudged.{lang}.txt", _shown(events_of(a_failed_baseline()), lang=lang))


def test_on_a_terminal_the_display_is_redrawn_and_only_what_went_wrong_stays() -> None:
    shown = _shown(events_of(a_run()), Terminal())
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "9/9" in plain
    assert "running: storm/churn[50]" in plain
    assert "again: disconnect/reset-after-login (2)" in plain
    assert "PASS chat/two-talk" not in plain
    assert "FAIL storm/churn[50] 2.0 s (intermittent 1/3): delivers" in plain


def test_the_terminal_gets_its_cursor_back_even_if_the_run_never_ends() -> None:
    shown = _shown(events_of(a_run(), finished=False), Terminal())
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")
    assert "broken off" in shown


def test_no_thread_draws_because_workers_are_forked_from_this_process() -> None:
    before = threading.active_count()
    report = ConsoleReport(Terminal(), Language("en"), {"TERM": "xterm"})
    for event in events_of(a_run(), finished=False):
        report.handle(event)
        assert threading.active_count() == before
    report.close()


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_ci_and_dumb_terminals_get_quiet_lines(environ: dict[str, str]) -> None:
    assert _shown(events_of(a_run()), Terminal(), environ=environ) == _shown(events_of(a_run()))


@pytest.mark.parametrize(("environ", "color"), [({"NO_COLOR": "1"}, None), ({}, False)])
def test_colour_can_be_declined(environ: dict[str, str], color: bool | None) -> None:
    shown = _shown(events_of(a_run()), Terminal(), environ=environ, color=color)
    assert "\x1b[1m" not in shown
    assert "\x1b[3" not in shown


def test_a_terminal_gets_colour_and_an_empty_no_color_does_not_count() -> None:
    assert "\x1b[1;31m" in _shown(events_of(a_run()), Terminal(), environ={"NO_COLOR": ""})


def test_quiet_tells_the_end_alone() -> None:
    shown = _shown(events_of(a_run()), quiet=True)
    assert "PASS chat/two-talk" not in shown
    assert shown.strip().startswith("Probable causes")
    assert shown.endswith(_shown(events_of(a_run()))[-200:])


def test_verbose_tells_steps_and_what_the_quiet_run_learned() -> None:
    shown = _shown(events_of(a_run()), verbose=True)
    assert "    [0.42 s] bia: resets the connection\n" in shown
    assert "quiet run: it greets with 2 lines\n" in shown


def test_nothing_a_server_sent_reaches_the_terminal_as_a_command() -> None:
    shown = _shown(events_of(a_run()) + events_of(a_failed_baseline()), verbose=True)
    assert "\x1b" not in shown
    assert all(visible(line, 5000) == line for line in shown.splitlines())
    assert "[bold]" in shown  # not taken for rich's markup
    assert visible(HOSTILE) in shown


def test_a_stream_without_utf8_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    report = ConsoleReport(stream, Language("pt-BR"), {})
    for event in events_of(a_run()):
        report.handle(event)
    assert b"servidor\n" in raw.getvalue() or b"Servidor" in raw.getvalue()
    assert b"\\xed" in raw.getvalue()


def _full(_: str) -> int:
    raise OSError(28, "No space left on device")


def _gone(_: str) -> int:
    raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("write", [_full, _gone])
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_stream_that_takes_no_more_does_not_end_the_run(
    stream: type[io.StringIO], write: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = stream()
    monkeypatch.setattr(broken, "write", write)
    _shown(events_of(a_run()), broken)


def test_a_closed_pipe_is_left_alone_for_good() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        report = ConsoleReport(stream, Language("en"), {})
        for event in events_of(a_run()):
            report.handle(event)
        report.close()
        stream.write("x")
        stream.flush()


def test_progress_counts_what_is_done_and_names_what_runs() -> None:
    progress, say = Progress(), Language("en")
    run = a_run()
    assert progress.lines(say)[1] == "measuring the server at rest"
    progress.handle(RunStarted(0.0, run.started, 1, "0", run.target, run.environment, ("a", "b", "c", "d")))
    progress.handle(BaselineDone(0.1, run.target, run.environment))
    for name in "abcdef":
        progress.handle(ScenarioStarted(0.2, name))
    assert progress.lines(say) == ("┄" * 24 + " 0/4", "running: a, b, c, d, +2")
    progress.handle(ScenarioFinished(0.3, run.scenarios[0]))
    assert progress.lines(say)[0].startswith("━" * 6 + "┄" * 18 + " 1/4  1 PASS")


def test_more_failures_than_a_screen_holds_are_counted() -> None:
    failing = a_run().scenarios[4]
    shown = _shown([RunFinished(1.0, a_run(scenarios=(failing,) * 40))])
    assert shown.count("reset-after-login — delivers") == 25
    assert "… and 15 more, told in the reports" in shown
