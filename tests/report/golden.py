"""Outputs kept as files, so that a change of wording is a difference that a person reads.

`HARNESS_RECORD=1 pytest tests/report` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """`text` is what is kept under `name`."""
    path = GOLDEN / name
    if os.environ.get("HARNESS_RECORD"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} changed; HARNESS_RECORD=1 records it"
