"""The scenarios there are: the built-in ones, or those of a folder that the user gave."""

from __future__ import annotations

import traceback
from pathlib import Path

from harness.cli.target_words import UserError
from harness.registry import Scenario


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
