"""A history that was too small for what happened is no ground for any verdict."""

from __future__ import annotations

import pytest
from evidence.test_broken_capture import played

from harness.client import log


def test_what_was_not_kept_is_an_error_and_never_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_RECORDS", 60)  # inherited by the worker, which is forked
    attempt = played()
    assert attempt.error is not None
    assert attempt.error.startswith("more happened than a history holds: ")
    assert attempt.judgements == ()
