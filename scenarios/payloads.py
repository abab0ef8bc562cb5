"""Malformed payloads, drawn by Hypothesis: the same seed always gives the same bytes.

Hypothesis is used for its strategies only: nothing is kept in a database, nothing is shrunk here, and its pool of
constants from the source files nearby is left aside, so that a draw depends on the seed and on nothing else.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    Bytes = SearchStrategy[bytes]

#: The longest piece of noise that is drawn as such, in bytes; more of it is repetition.
NOISE = 512


@functools.cache
def _backend() -> str:
    """Register a source of choices that uses the seed alone; its name."""
    from hypothesis.internal.conjecture import providers

    class Seeded(providers.HypothesisProvider):
        def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
            return None

    setattr(providers, Seeded.__name__, Seeded)
    providers.AVAILABLE_PROVIDERS["harness"] = f"{providers.__name__}.{Seeded.__name__}"
    return "harness"


@functools.lru_cache(maxsize=256)
def drawn(kind: str, seed: int, count: int = 1) -> tuple[bytes, ...]:
    """`count` different payloads of a kind (a key of KINDS)."""
    import hypothesis

    found: dict[bytes, None] = {}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=4 * count + 4, database=None, phases=[hypothesis.Phase.generate], deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck), backend=_backend(),
    )  # fmt: skip
    @hypothesis.given(KINDS[kind]())
    def collect(value: bytes) -> None:
        found[value] = None

    collect()
    return tuple(found)[1 : count + 1]  # the first is always the simplest there is


def _sequence(*ranges: tuple[int, int]) -> Bytes:
    """Bytes of these ranges, one after the other."""
    from hypothesis import strategies as st

    return st.tuples(*(st.integers(low, high) for low, high in ranges)).map(bytes)


def _words() -> Bytes:
    from hypothesis import strategies as st

    letters = st.sampled_from(b"abcdefghijklmnopqrstuvwxyz ")
    return st.lists(letters, min_size=3, max_size=24).map(bytes)


def _among_words(wrong: Bytes) -> Bytes:
    """Something wrong in the middle of a plain message."""
    from hypothesis import strategies as st

    return st.tuples(_words(), wrong, _words()).map(b"".join)


def _any_of(*strategies: Bytes) -> Bytes:
    from hypothesis import strategies as st

    return st.one_of(*strategies)


def _sampled(*values: bytes) -> Bytes:
    from hypothesis import strategies as st

    return st.sampled_from(values)


_TAIL = (0x80, 0xBF)


def _overlong() -> Bytes:
    """More bytes than the character needs (RFC 3629, section 3): `/` in two, three or four."""
    return _any_of(
        _sequence((0xC0, 0xC1), _TAIL), _sequence((0xE0, 0xE0), (0x80, 0x9F), _TAIL),
        _sequence((0xF0, 0xF0), (0x80, 0x8F), _TAIL, _TAIL),
    )  # fmt: skip


def _truncated() -> Bytes:
    """The beginning of a character of two, three or four bytes, and no more."""
    return _any_of(
        _sequence((0xC2, 0xDF)), _sequence((0xE1, 0xEC), _TAIL), _sequence((0xF1, 0xF3), _TAIL),
        _sequence((0xF1, 0xF3), _TAIL, _TAIL),
    )  # fmt: skip


def _beyond() -> Bytes:
    """Past U+10FFFF, the last character that Unicode can have."""
    return _any_of(_sequence((0xF4, 0xF4), (0x90, 0xBF), _TAIL, _TAIL), _sequence((0xF5, 0xF7), _TAIL, _TAIL, _TAIL))


def _noise(least: int, most: int) -> Bytes:
    from hypothesis import strategies as st

    return st.binary(min_size=least, max_size=most)


def _escapes() -> Bytes:
    """ECMA-48 sequences that clear the screen, move the cursor, set the title, ring, ask for an answer."""
    sequences = (
        b"\x1b[2J",
        b"\x1b[H",
        b"\x1b[31m",
        b"\x1b[1A",
        b"\x1b]0;owned\x07",
        b"\x1b[6n",
        b"\x1bc",
        b"\x1b[?25l",
    )
    return _among_words(_sampled(*sequences))


def _numbers(low: int, high: int) -> Bytes:
    """A whole number, in digits."""
    from hypothesis import strategies as st

    return st.integers(low, high).map(lambda number: str(number).encode())


def _no_size() -> Bytes:
    """What stands where a size in digits should, and is none, for a strict reader or for all of them: Python's `int`
    takes an underscore, a plus sign and Arabic digits, C's `atoi` takes whatever begins with a digit."""
    return _any_of(
        _words(), _noise(1, 10), _numbers(1, 999).map(lambda digits: digits + b"x"), _numbers(1, 99).map(lambda d: b"0x" + d),
        _numbers(1, 99).map(lambda digits: digits + b".5"), _numbers(1, 9).map(lambda digits: digits + b"e3"),
        _sampled(b"", b"-", b"+7", b"1_0", b"1 2", "\u0661\u0662".encode(), b"NaN", b"None", b"\0\0\0\0"),
    )  # fmt: skip


def _json(*wanted: type) -> Bytes:
    """JSON values of these Python types (RFC 8259, section 3), written out."""
    from hypothesis import strategies as st

    words = _words().map(bytes.decode)
    scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), words)
    values = st.recursive(scalars, lambda part: st.lists(part, max_size=3) | st.dictionaries(words, part, max_size=3))
    return values.filter(lambda value: type(value) in wanted).map(lambda value: json.dumps(value).encode())


#: What can be drawn, by name.
KINDS: dict[str, Callable[[], Bytes]] = {
    "lone-continuation": lambda: _among_words(_sequence(_TAIL)),
    "overlong": lambda: _among_words(_overlong()),
    "surrogate": lambda: _among_words(_sequence((0xED, 0xED), (0xA0, 0xBF), _TAIL)),
    "truncated": lambda: _among_words(_truncated()),
    "beyond-unicode": lambda: _among_words(_beyond()),
    "impossible-byte": lambda: _among_words(_sequence((0xF8, 0xFF))),
    "noise": lambda: _noise(NOISE // 2, NOISE),
    "short-noise": lambda: _noise(1, 16),
    "noise-without-newline": lambda: _noise(NOISE // 4, NOISE // 2).map(lambda data: data.replace(b"\n", b"\x00")),
    "c0": lambda: _among_words(_any_of(_sequence((0x01, 0x09)), _sequence((0x0E, 0x1F)), _sequence((0x7F, 0x7F)))),
    "c1": lambda: _among_words(_sequence((0xC2, 0xC2), (0x80, 0x9F))),
    "escapes": _escapes,
    "surplus": lambda: _numbers(2, 4000),
    "below-zero": lambda: _numbers(-(2**31), -1),
    "no-size": _no_size,
    "block": lambda: _noise(NOISE, NOISE),
    "json-number": lambda: _json(int, float),
    "json-list": lambda: _json(list),
    "json-object": lambda: _json(dict),
    "json-depth": lambda: _numbers(900, 9000),
}
