"""Tokens in the stream: the mark by which a message is recognised whatever a server puts around it.

A token is eleven printable ASCII characters: a fixed head, who said it, which message of theirs it is, and a checksum
of its text. A receiver looks for tokens in the raw bytes; the checksum tells a damaged token from a forged one.
"""

from __future__ import annotations

import re
import zlib

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
HEAD = "xq"
LENGTH = 11
TOKEN = re.compile(rb"xq[0-9a-z]{9}")


def base36(number: int, width: int) -> str:
    """`number` modulo 36**width in `width` digits of base 36."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def make(sender: int, number: int, text: str) -> str:
    """The token of message `number` of connection `sender`, whose words are `text`."""
    which = base36(sender, 2) + base36(number, 3)
    check = base36(zlib.crc32(f"{which}{text}".encode("utf-8", "surrogatepass")), 4)
    return HEAD + which + check


def find(data: bytes) -> list[str]:
    """All tokens in `data`, in order."""
    return [match.decode("ascii") for match in TOKEN.findall(data)]
