"""A stranger's bytes made harmless, for terminals, XML and CI logs.

Names, messages and logs of a server under test are whatever somebody chose to send. Whatever could move a cursor,
colour a line, turn its direction round, hide, break XML or be taken for a command by a CI system is shown as a visible
escape (`\\x1b`, `\\u202e`, `\\::error::`). A byte that is not UTF-8 and an ASCII control are told as `\\xNN`, any other
character as `\\uNNNN`. What is safe already stays as it is: `visible(visible(x)) == visible(x)`. Rich's markup needs no
escape: the console prints `rich.text.Text`, in which there is none.
"""

from __future__ import annotations

import re
import unicodedata

#: What a quotation in a report may take, in characters.
QUOTED = 300
#: What one line of a report may take: a sentence with a quotation in it.
LINE = 1000
#: More combining marks than this on one letter is a flood ("zalgo"), not writing.
MOST_MARKS = 4

# Controls, formats (bidi, zero width), surrogates, private use, unassigned, line and paragraph separators, and blanks
# that are not the blank.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_MARKS = frozenset({"Mn", "Me"})
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
#: What is shown for each control of ASCII, as `_shown` tells it.
_ASCII = {code: _NAMED.get(chr(code), f"\\x{code:02x}") for code in (*range(0x20), 0x7F)}
_FIRST_ESCAPED_BYTE, _LAST_ESCAPED_BYTE = 0xDC80, 0xDCFF

# GitHub reads `::command::` at the beginning of a line, and `##[command]` anywhere in it; Azure Pipelines reads
# `##vso[`, TeamCity `##teamcity[`.
_COLONS = re.compile(r"^(\s*)::")
_HASHES = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)


def visible(value: bytes | str, limit: int = LINE) -> str:
    """`value` as one printable line of at most `limit` characters; a cut is told as `…(+N)`, N bytes or characters."""
    if isinstance(value, str) and len(value) <= limit and value.isascii() and value.isprintable():
        return _without_commands(value, limit)  # nothing to escape, as most often
    if len(value) <= limit and value.isascii():
        shown = (value if isinstance(value, str) else value.decode("ascii")).translate(_ASCII)
        if len(shown) <= limit:
            return _without_commands(shown, limit)
    text, size, unit = _head(value, limit)
    whole, used = _escape(text, limit)
    if used == len(text) and size == _measure(text, unit):
        return _without_commands(whole, limit)
    room = limit - len(f"…(+{size})")
    part, used = _escape(text, room)
    return _without_commands(part, room) + f"…(+{size - _measure(text[:used], unit)})"


def visible_lines(value: bytes | str, most: int = 200, limit: int = LINE) -> list[str]:
    """The lines of `value`, each made visible; of more than `most` lines the first and the last, a gap told as `…`."""
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) > most:
        lines = [*lines[: most // 2], f"… (+{len(lines) - most + 1})", *lines[len(lines) - (most - most // 2 - 1) :]]
    return [visible(line, limit) for line in lines]


def quoted(value: bytes | str, limit: int = QUOTED) -> str:
    """`value` made visible, between double quotes."""
    return f'"{visible(value, limit)}"'


def _head(value: bytes | str, limit: int) -> tuple[str, int, str]:
    """Enough of `value` to fill `limit` characters, the size of all of it, and what that counts."""
    if isinstance(value, str):
        return value[: limit + 1], len(value), "characters"
    # Four bytes are at least one character, so that the cut itself lies beyond what is shown.
    return value[: 4 * limit + 4].decode("utf-8", "surrogateescape"), len(value), "bytes"


def _measure(text: str, unit: str) -> int:
    return len(text) if unit == "characters" else len(text.encode("utf-8", "surrogateescape"))


def _escape(text: str, room: int) -> tuple[str, int]:
    """As much of `text` as fits into `room` characters, escaped, and how many characters of `text` that was."""
    shown: list[str] = []
    length = marks = 0
    for used, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        piece = _shown(character, category, flooded=marks > MOST_MARKS)
        length += len(piece)
        if length > room:
            return "".join(shown), used
        shown.append(piece)
    return "".join(shown), len(text)


def _shown(character: str, category: str, *, flooded: bool) -> str:
    if character == " " or (category not in _UNSAFE and not flooded):
        return character
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if _FIRST_ESCAPED_BYTE <= code <= _LAST_ESCAPED_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _without_commands(text: str, limit: int) -> str:
    if "::" not in text and "##" not in text:
        return text[:limit]
    text = _HASHES.sub(lambda _: "#\\#", text)
    return _COLONS.sub(r"\1\\::", text)[:limit]
