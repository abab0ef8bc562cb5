"""What a run knows beforehand: the scenarios there are, and the failures that the user knows of."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from harness.cli.target_words import UserError
from harness.known import Known, KnownError, read_known, write_known
from harness.registry import Scenario
from harness.results import RunResult


def known_scenarios(folder: Path | None) -> dict[str, Scenario]:
    """All scenarios by id. Raises UserError for a folder without any, and for a file that cannot be imported."""
    from harness.registry import load

    if folder is None:
        return load()
    if not folder.is_dir():
        raise UserError(f"--scenarios {folder}: there is no such folder")
    try:
        found = load(folder)
    except SyntaxError as error:
        raise UserError(f"{error.filename}, line {error.lineno}: {error.msg}") from None
    except Exception as error:  # the user's own code runs here
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [frame for frame in frames if Path(frame.filename).parent.resolve() == folder.resolve()]
        place = f"{folder / Path(theirs[-1].filename).name}, line {theirs[-1].lineno}" if theirs else str(folder)
        raise UserError(f"{place}: {type(error).__name__}: {error}") from None
    if not found:
        raise UserError(f"--scenarios {folder}: no file there registers a scenario (see docs/writing-scenarios.md)")
    return found


def known_failures(file: Path | None, scenarios: Iterable[str]) -> Known | None:
    """The known failures of `--baseline`, if it was given. Raises UserError."""
    from harness.properties import IDS

    try:
        return read_known(file, scenarios, IDS) if file is not None else None
    except KnownError as error:
        raise UserError(f"--baseline: {error}") from None


def keep_failures(file: Path, result: RunResult) -> None:
    """Write the failures of a run for a later `--baseline`; a run without a verdict writes none. Raises UserError."""
    if result.interrupted or result.exit_status == 2:
        sys.stderr.write(f"harness: --write-baseline: nothing is written to {file}, the run has no verdict\n")
        return
    try:
        count = write_known(file, result)
    except KnownError as error:
        raise UserError(f"--write-baseline: {error}") from None
    sys.stdout.write(f"{file}: {count}\n")
