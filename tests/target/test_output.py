from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from harness.target.output import KEPT, MOMENTS, Drain


async def _drained(writes: list[bytes]) -> tuple[list[tuple[float, str]], tuple[str, int]]:
    """Write one after the other, a second of a made-up clock apart."""
    now = [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    reading, writing = os.pipe()
    drain = Drain(os.fdopen(reading, "rb"), None, clock)
    for data in writes:
        now[0] += 1.0
        while data:
            data = data[os.write(writing, data[:4096]) :]
            drain.text()
    os.close(writing)
    printed, text = drain.printed(), drain.text()
    drain.close()
    return printed, text


def test_each_line_has_the_moment_at_which_it_began_to_come() -> None:
    printed, _ = asyncio.run(_drained([b"listening\n", b"ana: ", b"hello\n", b"Traceback\nboom\n"]))
    assert printed == [(1.0, "listening\n"), (2.0, "ana: hello\n"), (4.0, "Traceback\nboom\n")]


def test_the_parts_together_are_what_was_printed() -> None:
    writes = [f"line {n} é\n".encode() for n in range(MOMENTS * 2)] + [b"x" * 3 * KEPT, b"\nend"]
    printed, (text, dropped) = asyncio.run(_drained(writes))
    assert "".join(part for _, part in printed) == text
    assert dropped > 0
    assert len(printed) <= MOMENTS + 1
    assert text.endswith("\nend")


def test_a_server_that_prints_nothing_has_no_parts() -> None:
    assert asyncio.run(_drained([]))[0] == []
