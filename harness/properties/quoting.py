"""Judgements with their witness: small makers, and bytes quoted so that a person can read them."""

from __future__ import annotations

from harness.results import Judgement

#: As much of a stranger's bytes as a reason quotes.
QUOTED = 160


def quote(data: bytes | str, limit: int = QUOTED) -> str:
    """Bytes as a person reads them: text where it is text, escapes elsewhere, bounded."""
    text = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def passed(prop: str, reason: str | None = None) -> Judgement:
    """It was exercised, and held."""
    return Judgement(prop, "pass", reason)


def failed(
    prop: str,
    shape: str,
    reason: str,
    *,
    expected: str | None = None,
    observed: str | None = None,
    at_s: float | None = None,
) -> Judgement:
    """It was violated; `shape` names the kind of violation."""
    return Judgement(prop, "fail", reason, expected, observed, shape, at_s)


def warned(
    prop: str, shape: str, reason: str, *, observed: str | None = None, expected: str | None = None
) -> Judgement:
    """Advice, or a weaker form of the property."""
    return Judgement(prop, "warn", reason, expected, observed, shape)


def skipped(prop: str, reason: str) -> Judgement:
    """It does not apply here."""
    return Judgement(prop, "skip", reason)


def unclear(prop: str, reason: str) -> Judgement:
    """It looks violated, but something of the harness's own may have done it: an error, never a failure."""
    return Judgement(prop, "error", reason)
