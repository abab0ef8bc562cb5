"""The reports of a run: consumers of its events, a module a format.

`build` makes the reporters that were asked for, `Reports` tells each of them every event and never lets one that fails
stop the others, `finish` closes them and says what could not be written. `render_again` makes the reports of a finished
or killed run from its journal. A new format is a module here and a line in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from harness.events import Event, Reporter, RunFinished
from harness.findings import group
from harness.language import Language
from harness.report.badge import BadgeReport
from harness.report.console import ConsoleReport
from harness.report.ctrf import CtrfReport
from harness.report.files import ReportError, prepare
from harness.report.gathered import FileReport, Gathered, in_language
from harness.report.github import NAME as GITHUB
from harness.report.github import GithubReport
from harness.report.html import HtmlReport
from harness.report.journal import JournalReport, read_events
from harness.report.json_file import JsonReport
from harness.report.junit import JunitReport
from harness.report.markdown import MarkdownReport
from harness.report.reading import read_journal, read_run
from harness.report.text import TextReport, render_text
from harness.results import RunResult

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "ConsoleReport",
    "Gathered",
    "ReportError",
    "Reports",
    "build",
    "finish",
    "formats",
    "group",
    "in_language",
    "read_events",
    "read_run",
    "render_again",
    "render_text",
]

#: What `--report` takes: the format's name, and who writes it into a folder.
FORMATS: Mapping[str, Callable[[Path, Language], FileReport]] = {
    "text": TextReport,
    "json": JsonReport,
    "junit": JunitReport,
    "html": HtmlReport,
    "markdown": MarkdownReport,
    "ctrf": CtrfReport,
    "badge": BadgeReport,
}
DEFAULT_FORMATS = ("text", "json", "junit", "html", "markdown")


def formats(option: str | None, lang: str = "en") -> tuple[str, ...]:
    """The formats named in `--report text,json`, `github` among them; the usual ones for None.

    Raises ReportError for an unknown one.
    """
    if option is None:
        return DEFAULT_FORMATS
    names = tuple(dict.fromkeys(name.strip() for name in option.split(",") if name.strip()))
    known = (*FORMATS, GITHUB)
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        sentence = "no report of the kind {name}; there are {names}"
        raise ReportError(Language.of(lang)(sentence, name=repr(unknown), names=", ".join(known)))
    return names


def build(
    formats: Iterable[str],
    out: Path,
    lang: str,
    *,
    stream: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    quiet: bool = False,
    verbose: bool = False,
    color: bool | None = None,
    journal: bool = True,
    earlier: RunResult | None = None,
) -> list[Reporter]:
    """The reporters of a run: the journal first, a file for each of `formats`, the console on `stream`, if any.

    Makes the folder `out`; with an `earlier` run, the reports for people say what changed. Raises ReportError when nothing can be written there, before anything has run. Files of an
    earlier run are left as they are until the new one's first event.
    """
    say = Language.of(lang)
    prepare(out, say)
    formats = tuple(formats)
    files = [FORMATS[name](out, say) for name in formats if name != GITHUB]
    for report in files:
        report.earlier = earlier
    reporters: list[Reporter] = [JournalReport(out, say)] if journal else []
    reporters += files
    if stream is not None:
        names = tuple(report.file for report in files)
        reporters.append(
            ConsoleReport(
                stream, say, environ or {}, folder=out, files=names, quiet=quiet, verbose=verbose, color=color
            )
        )
    if GITHUB in formats and stream is not None:
        github = GithubReport(stream, say, environ or {})
        github.earlier = earlier
        reporters.append(github)
    return reporters


class Reports:
    """Many reporters as one. What one of them raises is kept in `errors` (each line once) and stops no other."""

    def __init__(self, reporters: Sequence[Reporter], lang: str = "en") -> None:
        self._reporters = list(reporters)
        self._say = Language.of(lang)
        self._errors: dict[str, ReportError] = {}

    @property
    def errors(self) -> tuple[ReportError, ...]:
        """What could not be written so far."""
        return tuple(self._errors.values())

    def handle(self, event: Event) -> None:
        """Tell every reporter."""
        for reporter in self._reporters:
            self._attempt(reporter, partial(reporter.handle, event))

    def close(self) -> None:
        """Close every reporter."""
        for reporter in self._reporters:
            self._attempt(reporter, reporter.close)

    def _attempt(self, reporter: Reporter, act: Callable[[], None]) -> None:
        try:
            act()
        except ReportError as error:
            self._errors.setdefault(str(error), error)
        except Exception as error:  # a report's own defect must not cost the run its verdict
            name = getattr(reporter, "name", type(reporter).__name__)
            sentence = "the {name} report failed ({why}); the journal is kept, see `harness report`"
            line = self._say(sentence, name=name, why=f"{type(error).__name__}: {error}")
            self._errors.setdefault(line, ReportError(line))


def finish(reports: Reports) -> tuple[ReportError, ...]:
    """Close the reports; what could not be written, a line each."""
    reports.close()
    return reports.errors


def render_again(
    folder: Path, formats: Iterable[str], lang: str, *, out: Path | None = None, stream: TextIO | None = None,
    environ: Mapping[str, str] | None = None, earlier: RunResult | None = None,
) -> tuple[RunResult, tuple[ReportError, ...]]:  # fmt: skip
    """Make the reports of a finished or killed run from its journal, into `out` (else the same folder).

    The closing words go to `stream`, if given. Raises ReportError when there is no journal of a run.
    """
    result = read_journal(folder, Language.of(lang))
    reporters = build(
        formats, out or folder, lang, stream=stream, environ=environ, quiet=True, journal=False, earlier=earlier
    )
    for reporter in reporters:
        if isinstance(reporter, FileReport | ConsoleReport):
            reporter.evidence = folder if folder.is_dir() else folder.parent
    reports = Reports(reporters, lang)
    reports.handle(RunFinished(result.duration_s, result))
    return result, finish(reports)
