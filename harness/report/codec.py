"""Frozen dataclasses to plain JSON values and back, told by their annotations.

Reading is forgiving where versions may differ: a field that is unknown is passed over, one that is missing takes its
default. A value of the wrong type, or a missing field without a default, raises ValueError.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """`value` as dicts, lists, strings and numbers; a number that JSON does not have becomes its name (`"inf"`)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if value is None or isinstance(value, (str, int, float)):
        return value
    return str(value)


def from_plain(kind: type[T], value: object) -> T:
    """A `kind`, a dataclass, made of what `to_plain` gave. Raises ValueError."""
    made: T = _dataclass(kind, value)
    return made


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _dataclass(kind: Any, value: object) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{kind.__name__}: an object was expected")
    hints = _hints(kind)
    given = {field.name: _value(hints[field.name], value[field.name]) for field in _fields(kind) if field.name in value}
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def _fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


def _value(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any or origin is Literal:
        return value
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return _value(next(one for one in arguments if one is not types.NoneType), value)
    if origin is tuple:
        return tuple(_value(arguments[0], item) for item in _typed(list, value))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _value(arguments[1], item) for key, item in _typed(dict, value).items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value)
    if kind is float:
        return float(_typed((int, float, str), value))
    return _typed(kind, value)


def _typed(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r:.60} is not of the type {kind}")
    return value
