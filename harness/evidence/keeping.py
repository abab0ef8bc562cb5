"""What is kept of a run that somebody will want to look at: one that failed, or one of the documented tests."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence.capture import Taken
from harness.evidence.packets import as_table
from harness.history import History
from harness.results import Judgement


def evidence(
    history: History, judgements: Sequence[Judgement], taken: Taken | None
) -> tuple[dict[str, bytes | str], str | None]:
    """The files (name, content), and what could not be made, or None. Never raises: a picture costs no verdict."""
    files: dict[str, bytes | str] = {}
    try:
        if taken is not None and taken.frames:
            capture = taken.pcapng(history.scenario, history.records)
            files["capture.pcapng"] = capture
            files["packets.json"] = as_table(capture, taken, history.records)
    except Exception as error:
        return files, f"its evidence could not be made: {type(error).__name__}: {error}"
    return files, None
