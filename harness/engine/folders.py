"""Where a scenario's evidence lies: each run of it in a folder of its own, the one that is told moved up at the end.

`scenarios/FAMILY/NAME/run-2/` while the runs are at work, perhaps side by side; `scenarios/FAMILY/NAME/` afterwards. A
run of the harness that is killed leaves what was written so far.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


def evidence_folder(out: Path | None, scenario: str) -> Path | None:
    """`scenarios/FAMILY/NAME` in the report's folder, whether or not it exists; None without a report's folder."""
    return None if out is None else out / "scenarios" / scenario


def run_folder(out: Path | None, scenario: str, number: int) -> Path | None:
    """Make the folder of one run of a scenario; None when nothing can be written there."""
    above = evidence_folder(out, scenario)
    if above is None:
        return None
    folder = above / f"run-{number}"
    try:
        if number == 1:
            shutil.rmtree(above, ignore_errors=True)  # what an earlier run of the harness has left
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def keep_run(out: Path | None, scenario: str, number: int) -> Path | None:
    """Move up what this run has left and remove the other runs' folders. The scenario's folder, if there is one."""
    above = evidence_folder(out, scenario)
    if above is None or not above.is_dir():
        return None
    with contextlib.suppress(OSError):
        for entry in sorted((above / f"run-{number}").iterdir()):
            os.replace(entry, above / entry.name)
    for folder in above.glob("run-*"):
        shutil.rmtree(folder, ignore_errors=True)
    return above
