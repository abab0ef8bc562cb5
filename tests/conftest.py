"""What the tests of the whole program share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.program import Program


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: of several workers none is alone with it at the end, while the others have done."""

    def place(item: pytest.Item) -> int:
        return 0 if item.get_closest_marker("zoo") else 1 if item.get_closest_marker("xdist_group") else 2

    items.sort(key=place)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program, in a folder of its own; a test that fails leaves nothing running either."""
    made = Program(tmp_path)
    yield made
    for line in made.left():
        try:
            os.kill(int(line.partition(":")[0]), signal.SIGKILL)
        except ProcessLookupError:
            continue
