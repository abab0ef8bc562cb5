"""Known failures: a file that the harness writes and people read, so that only new failures fail a run.

    version = 1

    [known]
    "disconnect/abrupt" = [
      "welcomes:partial-introduction",  # bia came back and was not shown …
    ]

A failure is known by its scenario and its property. What stands behind the colon is its shape at the time, told for
people: a race may fail in this way today and in that way tomorrow.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.report.safe import QUOTED, visible
from harness.results import KnownFailures, RunResult, ScenarioResult

VERSION = 1
#: Of a reason, in a comment.
_REASON = 120


class KnownError(Exception):
    """A file of known failures that cannot be read or written: one line for people."""


@dataclass(frozen=True)
class Known:
    """The known failures of a server: property by scenario. `existing` are all scenarios that there are, `properties`
    all properties; where none are given, every one may be."""

    file: str = ""
    entries: Mapping[str, frozenset[str]] = field(default_factory=dict)
    existing: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()

    def sort(self, results: Iterable[ScenarioResult]) -> KnownFailures:
        """The failures of a run: new and known ones; and the entries that are mended, that fit nothing (any more), and
        that were not judged this time."""
        new, known, fixed = [], [], []
        for result in results:
            expected = self.entries.get(result.id, frozenset())
            failed = {judgement.id for judgement in result.of("fail")}
            held = {one.id for one in result.judgements if one.outcome in ("pass", "warn")} - failed
            new += [f"{result.id} {prop}" for prop in sorted(failed - expected)]
            known += [f"{result.id} {prop}" for prop in sorted(failed & expected)]
            fixed += [f"{result.id} {prop}" for prop in sorted(held & expected)]
            if result.outcome == "fail" and not failed:
                new.append(result.id)
        entries = [(name, prop) for name, props in self.entries.items() for prop in sorted(props)]
        stale = [f"{name} {prop}" for name, prop in entries if not self._fits(name, prop)]
        judged = {*known, *fixed, *stale}
        unjudged = [entry for name, prop in entries if (entry := f"{name} {prop}") not in judged]
        return KnownFailures(self.file, tuple(new), tuple(known), tuple(fixed), tuple(stale), tuple(unjudged))

    def _fits(self, name: str, prop: str) -> bool:
        """Whether there are such a scenario and such a property."""
        return name in self.existing and (not self.properties or prop in self.properties)


def read_known(path: Path, existing: Iterable[str] = (), properties: Iterable[str] = ()) -> Known:
    """The file's known failures, and against which scenarios and properties they stand. Raises KnownError."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        advice = "; --write-baseline writes one" if isinstance(error, FileNotFoundError) else ""
        raise KnownError(f"{path} could not be read: {error.strerror}{advice}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KnownError(f"{path} is not a file of known failures: {error}") from None
    known = value.get("known")
    if value.get("version") != VERSION or not isinstance(known, dict):
        raise KnownError(f"{path} is not a file of known failures: it needs version = {VERSION} and [known]")
    entries: dict[str, frozenset[str]] = {}
    for name, fingerprints in known.items():
        if not isinstance(fingerprints, list) or not all(isinstance(one, str) for one in fingerprints):
            raise KnownError(f"{path}: {name!r} needs a list of properties")
        entries[name] = frozenset(one.partition(":")[0] for one in fingerprints)
    return Known(str(path), entries, frozenset(existing), frozenset(properties))


def write_known(path: Path, result: RunResult) -> int:
    """Write the failures of a run as known ones; how many they are. Raises KnownError."""
    lines, count = [], 0
    for scenario in result.scenarios:
        failed = {one.fingerprint or one.id: one for one in scenario.of("fail")}
        if failed:
            often = f"intermittent, {scenario.failed_runs} of {scenario.runs} runs: " if scenario.intermittent else ""
            lines.append(f"{_string(scenario.id)} = [")
            lines += [
                f"  {_string(key)},  # {often}{visible(one.reason or '', _REASON)}" for key, one in failed.items()
            ]
            lines.append("]")
            count += len(failed)
    head = [
        "# Known failures, written by `harness run --write-baseline` and read by `harness run --baseline`.",
        "# A failure that stands here does not fail a run. When it is mended, take its line out.",
        f"# Server: {visible(result.target.command or result.target.address or result.target.kind, QUOTED)}",
        f"version = {VERSION}",
        "",
        "[known]",
    ]
    try:
        path.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    except OSError as error:
        raise KnownError(f"{path} could not be written: {error.strerror}") from None
    return count


def _string(text: str) -> str:
    """A basic string of TOML: what JSON would write, once nothing needs more than its escapes."""
    return json.dumps(text.encode("utf-8", "backslashreplace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
