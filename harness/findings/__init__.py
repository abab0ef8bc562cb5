"""Failures folded by their shape: "stops relaying after the first departure: 23 scenarios" instead of a list of 23.

Pure. A finding is told by the failure's shape where that is known, else by the property that was violated.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable

from harness.findings.causes import faults, of_findings, probable_causes
from harness.findings.shapes import BROKEN, SHAPES
from harness.language import CODES, Language
from harness.results import Finding, Outcome, ScenarioResult

__all__ = ["advice", "faults", "group", "probable_causes", "remedy", "title"]


def group(scenarios: Iterable[ScenarioResult], lang: str = "en") -> tuple[Finding, ...]:
    """The failures (and only the failures) of `scenarios` by fingerprint, those of the most scenarios first."""
    scenarios = tuple(scenarios)
    probably = of_findings(probable_causes(scenarios, lang), scenarios)
    return tuple(
        Finding(
            fingerprint, title(fingerprint, lang), ids, remedy=remedy(fingerprint.partition(":")[0], lang),
            cause=probably[fingerprint].title if fingerprint in probably else None,
        )
        for fingerprint, ids in _seen(scenarios, "fail")
    )  # fmt: skip


def advice(scenarios: Iterable[ScenarioResult], lang: str = "en") -> tuple[Finding, ...]:
    """The warnings of `scenarios` by fingerprint, those of the most scenarios first: each is told once a run."""
    seen = _seen(scenarios, "warn")
    return tuple(
        Finding(fingerprint, title(fingerprint, lang), ids, remedy=remedy(fingerprint.partition(":")[0], lang))
        for fingerprint, ids in seen
    )


def _seen(scenarios: Iterable[ScenarioResult], outcome: Outcome) -> list[tuple[str, tuple[str, ...]]]:
    """The scenarios of each fingerprint, the most first."""
    seen: dict[str, dict[str, None]] = {}
    for scenario in scenarios:
        for judgement in scenario.of(outcome):
            if judgement.fingerprint:
                seen.setdefault(judgement.fingerprint, {})[scenario.id] = None
    return [(fingerprint, tuple(ids)) for fingerprint, ids in sorted(seen.items(), key=lambda item: -len(item[1]))]


def title(fingerprint: str, lang: str = "en") -> str:
    """What a fingerprint (`property:shape`) means, as the end of a sentence that begins with "the server"."""
    prop, _, shape = fingerprint.partition(":")
    told = SHAPES.get(fingerprint) or BROKEN.get(prop)
    if told is None:
        return fingerprint
    sentence = told[CODES.index(Language.of(lang).code)]
    said = fingerprint in SHAPES or shape in ("", "other")
    return sentence if said else f"{sentence} ({shape.replace('-', ' ')})"


def remedy(prop: str, lang: str = "en") -> str | None:
    """How to mend what violates the property, where `harness.explain` knows."""
    teller = _remedies()
    if teller is None:
        return None
    try:
        told = teller(prop, Language.of(lang).code)
    except (LookupError, ValueError):
        return None
    return str(told) if told else None


@functools.cache
def _remedies() -> Callable[[str, str], object] | None:
    try:
        module = importlib.import_module("harness.explain")
    except ModuleNotFoundError:
        return None
    teller = getattr(module, "remedy", None)
    return teller if callable(teller) else None
