"""`harness compare A B`: what got better, worse or intermittent from one run to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.target_words import UserError, language_of


def compare(
    before: Annotated[Path, typer.Argument(help="the folder of the earlier run, or its results.json")],
    after: Annotated[Path, typer.Argument(help="the folder of the later run, or its results.json")],
    lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None,
) -> None:
    """Compare two runs, property by property of each scenario that both judged.

    Exit status: 0 nothing is worse, 1 something is worse or newly intermittent, 2 there is nothing to compare.
    """
    from harness.comparing import compare as compared
    from harness.language import Language
    from harness.report import ReportError
    from harness.report.changes import change_lines
    from harness.report.reading import read_run

    say = Language.of(language_of(lang))
    try:
        comparison = compared(read_run(before, say), read_run(after, say))
    except ReportError as error:
        raise UserError(str(error)) from None
    for line in change_lines(comparison, say):
        typer.echo(line)
    if not (comparison.unchanged or comparison.better or comparison.regressed):
        raise UserError(say("the two runs have no scenario in common that both judged"))
    raise typer.Exit(1 if comparison.regressed else 0)
