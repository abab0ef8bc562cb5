"""`results.json`: the whole outcome for other programs, schema_version 1 (docs/results.schema.json)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from harness.report.gathered import FileReport
from harness.report.safe import visible
from harness.results import RunResult

#: A byte that is no UTF-8 comes as a lone surrogate, which many readers of JSON refuse.
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonReport(FileReport):
    """Writes results.json."""

    name = "json"
    file = "results.json"

    def render(self, result: RunResult) -> bytes:
        """The outcome as indented JSON in ASCII."""
        return render_json(result, self._say.code)


def render_json(result: RunResult, lang: str) -> bytes:
    """results.json, in ASCII, so that no reader stumbles over an encoding; always JSON in the strict sense."""
    return json.dumps(_strict(result.to_json(lang)), indent=1, allow_nan=False).encode("ascii") + b"\n"


def _strict(value: Any) -> Any:
    """`value` without what Python takes for JSON and others do not: lone surrogates, NaN, infinities, bytes."""
    if isinstance(value, Mapping):
        return {_strict(str(key)): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_strict(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return _SURROGATE.sub(lambda found: visible(found[0]), value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (int, float)) else str(value)
