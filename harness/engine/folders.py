"""Where a scenario's evidence lies: each run of it in a folder of its own, the one that is told moved up at the end.

`scenarios/FAMILY/NAME/run-2/` while the runs are at work, perhaps side by side; `scenarios/FAMILY/NAME/` afterwards. A
run of the harness that is killed leaves what was written so far.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
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


def keep_run(
    out: Path | None, scenario: str, number: int, repros: Mapping[str, tuple[int, str]] | None = None
) -> tuple[Path | None, dict[str, Path]]:
    """Move up what this run has left and remove the other runs' folders. The scenario's folder, if there is one.

    `repros`: for each property that failed, the run that left a file to show it, and the file's name. Those of other
    runs are kept beside this one's. Where they lie now, by the property.
    """
    above = evidence_folder(out, scenario)
    if above is None or not above.is_dir():
        return None, {}
    with contextlib.suppress(OSError):
        for entry in sorted((above / f"run-{number}").iterdir()):
            os.replace(entry, above / entry.name)
    lying = {prop: _kept(above, prop, run, name, own=run == number) for prop, (run, name) in (repros or {}).items()}
    for folder in above.glob("run-*"):
        shutil.rmtree(folder, ignore_errors=True)
    return above, {prop: path for prop, path in lying.items() if path.exists()}


def _kept(above: Path, prop: str, run: int, name: str, *, own: bool) -> Path:
    """Where a run's file lies. That of another run is called after its property where its name is taken, and says so."""
    path = above / name
    if own:
        return path
    with contextlib.suppress(OSError):
        text = (above / f"run-{run}" / name).read_text(encoding="utf-8")
        path = path if not path.exists() else above / f"repro-{prop}.py"
        path.write_text(text.replace(f"python3 {name} ", f"python3 {path.name} "), encoding="utf-8")
    return path
