"""What the person at the terminal sees while a run goes on, and at its end.

On a terminal a display of two lines is redrawn with each event, by the thread that brings the event and by no other:
the engine forks workers from this process, and a drawing thread would be forked in mid-line. Elsewhere, and in CI, a
quiet line tells each finished scenario. Everything goes through `safe`, and nothing is taken for rich's markup.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harness.events import BaselineDone, Event, RunFinished, RunStarted, ScenarioFinished, Warned
from harness.findings import advice
from harness.language import Language
from harness.report.gathered import Gathered
from harness.report.progress import Progress
from harness.report.safe import QUOTED, visible, visible_lines
from harness.report.summary import (
    broken_off_line,
    counts_line,
    known_lines,
    score_lines,
    seed_line,
    target_line,
    unjudged_line,
    word,
)
from harness.report.text import (
    cause_line,
    finding_line,
    ids_of,
    place_of,
    reason_of,
    shown_by,
    told_reason,
    told_steps,
)
from harness.results import Outcome, RunResult, ScenarioResult

#: Failures listed at the end; the reports hold them all.
FAILURES = 25
#: Probable causes told at the end.
CAUSES = 6
#: Steps told of a scenario with `-v`.
STEPS = 40
#: A reason that stands on a scenario's line.
SHORT = 160

_STYLE: dict[Outcome, str] = {"pass": "green", "fail": "bold red", "warn": "yellow", "skip": "cyan", "error": "magenta"}

Line = tuple[str, str]  # the text, and rich's style for it


class ConsoleReport:
    """Live progress and the closing words on `stream`. `color` None leaves it to the terminal and NO_COLOR."""

    name = "console"

    def __init__(
        self,
        stream: TextIO,
        say: Language,
        environ: Mapping[str, str],
        *,
        folder: Path | None = None,
        files: tuple[str, ...] = (),
        quiet: bool = False,
        verbose: bool = False,
        color: bool | None = None,
    ) -> None:
        _never_fail_to_encode(stream)
        self._say = say
        self._folder, self._files = folder, files
        self.evidence = folder  # where the run lies, with its `scenarios/`
        self._quiet, self._verbose = quiet, verbose
        self._terminal = on_terminal(stream, environ)
        self._console = _console(stream, environ, self._terminal, color)
        self._progress = Progress()
        self._gathered = Gathered()
        self._live: Live | None = None
        self._ended = False
        self._advised: set[str] = set()  # advice that was told already

    def handle(self, event: Event) -> None:
        """Take one event, in order. A stream that takes no more is left alone."""
        self._progress.handle(event)
        self._gathered.handle(event)
        if not self._quiet:
            self._print(self._lines(event))
        if isinstance(event, RunFinished):
            self._end()
        elif not self._quiet and self._terminal:
            self._draw()

    def close(self) -> None:
        """Give the terminal back; a run that never finished gets its closing words now."""
        self._end()

    def _lines(self, event: Event) -> Iterator[Line]:
        say = self._say
        match event:
            case RunStarted(target=target, planned=planned, seed=seed):
                yield target_line(target, say), ""
                one, many = "{count} scenario, seed {seed}", "{count} scenarios, seed {seed}"
                yield say.plural(len(planned), one, many, seed=seed), ""
            case BaselineDone(learned=learned) if self._verbose:
                yield from ((say("quiet run: {text}", text=visible(say.sentence(text))), "dim") for text in learned)
            case Warned(text=text):
                yield say("note: {text}", text=visible(say.sentence(text))), "yellow"
            case ScenarioFinished(result=result):
                yield from self._finished(result)
            case _:
                pass

    def _finished(self, result: ScenarioResult) -> Iterator[Line]:
        if self._terminal and result.outcome in ("pass", "skip") and not self._verbose:
            return  # the display counts it
        advised = {str(judgement.fingerprint) for judgement in result.of("warn")}
        news, self._advised = advised - self._advised, self._advised | advised
        if self._terminal and result.outcome == "warn" and not news and not self._verbose:
            return  # each advice is told once
        yield scenario_line(result, self._say), _STYLE[result.outcome]
        if self._verbose:
            yield from ((f"    {line}", "dim") for line in told_steps(result.steps, STEPS, self._say))

    def _draw(self) -> None:
        if self._live is None:
            self._live = Live(
                get_renderable=self._display,
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._guarded(self._live.start)
        self._guarded(self._live.refresh)

    def _display(self) -> Group:
        return Group(*(Text(line, no_wrap=True, overflow="ellipsis") for line in self._progress.lines(self._say)))

    def _end(self) -> None:
        if self._live is not None:
            self._guarded(self._live.stop)
            self._live = None
        if self._ended:
            return
        self._ended = True
        result = self._gathered.result(self._say.code)
        if result is not None:
            self._print(tuple(closing(result, self._say, self._folder, self._files, self.evidence)))

    def _print(self, lines: Iterable[Line]) -> None:
        for text, style in lines:
            self._guarded(partial(self._console.print, Text(text, style), soft_wrap=True))

    def _guarded(self, act: Callable[[], None]) -> None:
        """Do it; when the stream takes no more (a full disk), fall silent rather than end the run."""
        try:
            act()
        except OSError:
            self._console.quiet = True


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read along has gone (`| head`): the run goes on, its reports are still wanted."""
        self.quiet = True
        with contextlib.suppress(OSError, ValueError):
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, self.file.fileno())
            os.close(devnull)


def _console(stream: TextIO, environ: Mapping[str, str], terminal: bool, color: bool | None) -> Console:
    plain = not color if color is not None else not terminal or bool(environ.get("NO_COLOR"))
    return _Console(
        file=stream,
        force_terminal=terminal or bool(color),
        force_interactive=terminal,
        color_system=None if plain else "auto" if terminal else "standard",
        no_color=plain,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ=environ,
    )


def on_terminal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a live display makes sense there: a terminal that can move its cursor, and no CI that records it."""
    return stream.isatty() and environ.get("TERM") != "dumb" and environ.get("CI", "") in ("", "0", "false")


def _never_fail_to_encode(stream: TextIO) -> None:
    """A terminal that knows no UTF-8 gets escapes for what it cannot show."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")


def scenario_line(result: ScenarioResult, say: Language) -> str:
    """`PASS disconnect/abrupt 0.8 s`, and in short what was wrong."""
    line = f"{word(result.outcome, say)} {visible(result.id, QUOTED)} {say.seconds(result.duration_s)}"
    if result.intermittent:
        often = say("intermittent {failed}/{runs}", failed=result.failed_runs, runs=result.runs)
        line += f" ({often})"
    wrong = _wrong(result, say)
    return f"{line}: {wrong}" if wrong else line


def _wrong(result: ScenarioResult, say: Language) -> str:
    match result.outcome:
        case "pass":
            return ""
        case "skip" | "error":
            return visible(told_reason(reason_of(result), say), SHORT)
        case outcome:
            return ids_of(result.of(outcome)) or visible(told_reason(result.reason, say), SHORT)


def closing(
    result: RunResult, say: Language, folder: Path | None, files: tuple[str, ...], evidence: Path | None = None
) -> Iterator[Line]:
    """The words at the end of a run: findings, failures, counts, score, reports, seed.

    The reports lie in `folder`, the run itself in `evidence`.
    """
    yield "", ""
    yield from _unjudged(result, say)
    yield from _causes(result, say)
    if result.findings:
        yield say("Findings"), "bold"
        yield from ((f"  {finding_line(finding, say)}", "") for finding in result.findings)
        yield "", ""
    yield from _advice(result, say)
    yield from _failures(result, say, evidence)
    yield counts_line(result.scenarios, say), "bold"
    if unjudged := unjudged_line(result.scenarios, say):
        yield unjudged, _STYLE["error"]
    if result.interrupted:
        yield broken_off_line(result, say), "yellow"
    yield from ((line, "") for line in score_lines(result, say))
    yield from ((line, "") for line in known_lines(result, say))
    if folder is not None and files:
        yield say("Reports: {folder} ({files})", folder=visible(str(folder)), files=", ".join(files)), ""
    elif folder is not None:
        yield say("Reports: {folder}", folder=visible(str(folder))), ""
    yield seed_line(result, say), ""


def _causes(result: RunResult, say: Language) -> Iterator[Line]:
    if not result.causes:
        return
    yield say("Probable causes"), "bold"
    for cause in result.causes[:CAUSES]:
        yield f"  {cause_line(cause, say)}", ""
        if cause.where:
            yield f"    {place_of(cause, say)}", "dim"
    if len(result.causes) > CAUSES:
        yield "  " + say("… and {count} more, told in the reports", count=len(result.causes) - CAUSES), ""
    yield "", ""


def _advice(result: RunResult, say: Language) -> Iterator[Line]:
    """Each warning once, however many scenarios it came from."""
    found = advice(result.scenarios, say.code)
    if found:
        yield say("Advice"), "bold"
        yield from ((f"  {finding_line(one, say)}", "") for one in found)
        yield "", ""


def _unjudged(result: RunResult, say: Language) -> Iterator[Line]:
    if result.reason:
        yield say("The server could not be judged: {reason}", reason=told_reason(result.reason, say)), "bold red"
    if result.transcript:
        yield say("What was said:"), ""
        yield from ((f"    {line}", "") for line in visible_lines(result.transcript))
    if result.reason or result.transcript:
        yield "", ""


def _failures(result: RunResult, say: Language, folder: Path | None) -> Iterator[Line]:
    failed = [one for one in result.scenarios if one.outcome in ("fail", "error")]
    if not failed:
        return
    yield say("Failures"), "bold"
    for one in failed[:FAILURES]:
        yield f"  {_failure(one, say)}", _STYLE[one.outcome]
        for judgement in one.of("fail")[:1]:
            yield from ((f"    {line}", "dim") for line in shown_by(judgement, say, folder))
    if len(failed) > FAILURES:
        yield "  " + say("… and {count} more, told in the reports", count=len(failed) - FAILURES), ""
    yield "", ""


def _failure(result: ScenarioResult, say: Language) -> str:
    first = next(iter(result.of("fail")), None)
    reason = f"{first.id}: {told_reason(first.reason, say)}" if first else told_reason(reason_of(result), say)
    prefix = f"{word('error', say)}: " if result.outcome == "error" else ""
    return f"{visible(result.id, QUOTED)} — {prefix}{reason}"
