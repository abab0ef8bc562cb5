"""JSON as Toxiproxy reads and writes it: Go's encoding/json, seen from outside.

Reading: only the first value counts, keys match in any case, unknown keys are ignored, null keeps the default, a wrong type is
an error. Writing: compact, HTML characters escaped, text as UTF-8, toxicity as the shortest float32.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, NoReturn

_SPACE = " \t\r\n"
_INT64 = 2**63
_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
_KINDS = {str: "string", bool: "bool", list: "array", dict: "object", int: "number", float: "number"}


class BadBody(Exception):
    """A request body that is not what it should be; the message is what follows `bad request body: `."""


def _refuse(constant: str) -> NoReturn:
    raise BadBody(f"invalid character {constant[0]!r} looking for beginning of value")


_DECODER = json.JSONDecoder(parse_constant=_refuse, strict=True)


def decode(body: bytes) -> Any:
    """The first JSON value of a body. Raises BadBody."""
    text = body.decode("utf-8", "replace").lstrip(_SPACE)
    if not text:
        raise BadBody("EOF")
    try:
        value, _end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip(_SPACE)) or "Unterminated string" in error.msg:
            raise BadBody("unexpected EOF") from None
        raise BadBody(f"invalid character {text[error.pos]!r} looking for beginning of value") from None
    except (RecursionError, ValueError) as error:
        raise BadBody(str(error)) from None
    return value


class Fields:
    """An object of a body, asked for its fields by name. `what` is the Go type that error texts name."""

    def __init__(self, value: object, what: str) -> None:
        if value is not None and not isinstance(value, dict):
            raise BadBody(f"json: cannot unmarshal {_KINDS[type(value)]} into Go value of type {what}")
        self._what = what
        self._fields = {key.lower(): field for key, field in (value or {}).items()}

    @property
    def empty(self) -> bool:
        """Whether it has no field at all."""
        return not self._fields

    def has(self, key: str) -> bool:
        """Whether a field is there, and not null."""
        return self._fields.get(key.lower()) is not None

    def text(self, key: str, default: str) -> str:
        """A string."""
        value = self._of(key, str, "string", default)
        return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def flag(self, key: str, default: bool) -> bool:
        """A bool."""
        return bool(self._of(key, bool, "bool", default))

    def number(self, key: str, default: float) -> float:
        """A float32."""
        value = self._fields.get(key.lower())
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._mismatch(key, value, "float32")
        try:
            return _float32(value)
        except (OverflowError, struct.error):
            raise BadBody(f"json: cannot unmarshal number {value} into Go struct field {self._what}.{key}") from None

    def integer(self, key: str, default: int) -> int:
        """An int64. A float without a fraction is taken for one, which Toxiproxy refuses."""
        value = self._fields.get(key.lower())
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
            self._mismatch(key, value, "int64")
        return value

    def inner(self, key: str, what: str) -> Fields:
        """An object within."""
        return Fields(self._fields.get(key.lower()), what)

    def items(self, key: str) -> list[object]:
        """An array within; absent or null: empty."""
        value = self._of(key, list, "[]interface {}", [])
        return list(value)

    def _of(self, key: str, kind: type, told: str, default: Any) -> Any:
        value = self._fields.get(key.lower())
        if value is None:
            return default
        if not isinstance(value, kind):
            self._mismatch(key, value, told)
        return value

    def _mismatch(self, key: str, value: object, told: str) -> NoReturn:
        kind = _KINDS.get(type(value), "number")
        shown = f"{kind} {value}" if kind == "number" and told not in ("string", "bool") else kind
        raise BadBody(f"json: cannot unmarshal {shown} into Go struct field {self._what}.{key} of type {told}")


def _float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def shortest(value: float) -> float:
    """The float with the fewest digits that is the same float32; an int where it is whole."""
    if value.is_integer() and abs(value) < 1e15:
        return int(value)
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if _float32(short) == value:
            return short
    return value


def encode(value: Mapping[str, Any] | list[Any]) -> str:
    """Compact JSON, as Go writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
