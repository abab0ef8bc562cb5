"""Payloads: the seed decides, and each kind is what its name says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.payloads import KINDS, drawn

INVALID = ("lone-continuation", "overlong", "surrogate", "truncated", "beyond-unicode", "impossible-byte")
HERE = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_draws_the_same_bytes(kind: str) -> None:
    first = drawn(kind, 7, 3)
    drawn.cache_clear()
    assert drawn(kind, 7, 3) == first
    assert len(set(first)) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_draws_other_bytes(kind: str) -> None:
    assert drawn(kind, 7, 3) != drawn(kind, 8, 3)


@pytest.mark.parametrize("kind", INVALID)
def test_invalid_utf8_is_invalid_and_plain_around_it(kind: str) -> None:
    for payload in drawn(kind, 11, 20):
        with pytest.raises(UnicodeDecodeError):
            payload.decode("utf-8")
        assert payload[:3].isascii()
        assert payload[-3:].isascii()
        assert b"\n" not in payload


@pytest.mark.parametrize("kind", ["c0", "c1", "escapes"])
def test_controls_are_good_utf8_without_a_newline(kind: str) -> None:
    for payload in drawn(kind, 11, 20):
        payload.decode("utf-8")
        assert b"\n" not in payload
        assert b"\r" not in payload


def test_noise_without_a_newline_has_none() -> None:
    assert all(b"\n" not in payload and len(payload) >= 100 for payload in drawn("noise-without-newline", 3, 20))


def test_a_draw_depends_on_the_seed_alone_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Another process with other modules, another hash seed and another folder draws the same, and writes no file."""
    code = "import json, decimal; from scenarios.payloads import drawn; print(drawn('noise', 5, 4))"
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONHASHSEED": "4"}
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout.strip() == repr(drawn("noise", 5, 4))
    assert list(tmp_path.iterdir()) == []
