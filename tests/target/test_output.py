from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from harness.target.output import KEPT, MOMENTS, Drain


async def _drained(writes: list[bytes], apart_s: float = 1.0) -> tuple[list[tuple[float, str]], tuple[str, int]]:
    """Write one after the other, so far apart on a made-up clock."""
    now = [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    reading, writing = os.pipe()
    drain = Drain(os.fdopen(reading, "rb"), None, clock)
    for data in writes:
        now[0] += apart_s
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


TRACEBACK = [
    b"Traceback (most recent call last):\n", b'  File "chat.py", line 40, in listen\n', b"    data = conn.recv(1024)\n",
    b"ConnectionResetError: [Errno 104] Connection reset by peer\n",
]  # fmt: skip


def test_a_traceback_written_line_by_line_has_one_moment() -> None:
    printed, _ = asyncio.run(_drained([*TRACEBACK, b"caio left\n"], apart_s=0.1))
    assert printed[0] == (0.1, b"".join(TRACEBACK).decode())
    assert printed[1:] == [(0.5, "caio left\n")]


def test_lines_that_come_in_one_go_have_one_moment_and_a_steady_stream_has_many() -> None:
    printed, _ = asyncio.run(_drained([b"one\n", b"two\n", b"three\n"], apart_s=0.001))
    assert len(printed) == 1
    printed, _ = asyncio.run(_drained([b"again and again\n"] * 100, apart_s=0.01))
    assert len(printed) > 10
