"""`harness report DIR`: the reports of a finished or broken-off run, made again from its journal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.target_words import UserError, language_of


def report(
    folder: Annotated[Path, typer.Argument(help="the folder of a run")] = Path("harness-report"),
    formats: Annotated[
        str | None, typer.Option("--report", help="text,json,junit,html,markdown,ctrf,badge,github")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="another folder for the new reports")] = None,
    compare: Annotated[Path | None, typer.Option(help="an earlier run: the reports say what changed")] = None,
    lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None,
) -> None:
    """Make the reports again, of a run that was killed too; the exit status is that of the run."""
    from harness.language import Language
    from harness.report import ReportError, read_run, render_again
    from harness.report import formats as formats_of

    code = language_of(lang)
    try:
        earlier = read_run(compare, Language.of(code)) if compare else None
        result, errors = render_again(
            folder, formats_of(formats, code), code, out=out, stream=sys.stdout, environ=os.environ, earlier=earlier
        )
    except ReportError as error:
        raise UserError(str(error)) from None
    for unwritten in errors:
        sys.stderr.write(f"harness: {unwritten}\n")
    raise typer.Exit(result.exit_status)
