"""Manners: the framings other than bare lines and chunks, as guesses, and what a server's first bytes say for them.

Sans-I/O. A manner is a `Profile` of which only the framing's keys matter. What the source shows comes first, then what
is usual; what the bytes themselves show outranks both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.dialect.framing import LONGEST_UNIT, readable
from harness.dialect.hints import Hints
from harness.dialect.profile import Profile

#: Framings by which a message is told from the next without a look at its text.
COUNTED = ("header", "length", "utf")
#: Header widths and lengths that are usual, the most usual first.
HEADERS = (64, 10)
LENGTHS = ((4, "big"), (2, "big"), (4, "little"), (1, "big"), (2, "little"), (8, "big"), (8, "little"))


def of(framing: str, **keys: Any) -> Profile:
    """A manner: the framing and its own keys."""
    return Profile.model_validate({"framing": framing, **keys})


def _length(width: int, order: str) -> Profile:
    return of("length", length={"bytes": width, "order": order})


def hinted(hints: Hints) -> list[Profile]:
    """The manners that a source speaks for, the likeliest first."""
    found: list[Profile] = []
    for kind in hints.framings:
        if kind == "header":
            found += [of("header", header=width) for width in hints.headers or HEADERS]
        elif kind == "length":
            found += [_length(width, order) for width, order in hints.lengths or LENGTHS[:1]]
        elif kind == "nul":
            found += [of("nul", terminator=end) for end in hints.terminators or ("\0",)]
        elif kind == "fixed":
            found += [of("fixed", fixed={"name": name, "message": message}) for name, message in hints.blocks]
        else:
            found.append(of(kind))
    return found


def usual(*, java: bool = False) -> list[Profile]:
    """The manners that are tried on a server of which nothing is known. `java`: two bytes of length are `writeUTF`."""
    counted = [of("utf") if (width, java) == (2, True) and order == "big" else _length(width, order)
               for width, order in LENGTHS]  # fmt: skip
    return [*(of("header", header=width) for width in HEADERS), *counted[:3], of("json"), of("nul"), *counted[3:]]


def shown(data: bytes, *, java: bool = False) -> list[Profile]:
    """The manners in which these bytes are whole messages, when they are no plain text; the likeliest first."""
    found: list[Profile] = []
    padded = re.match(rb"(\d{1,7}) +|0*(\d{1,7})(?=\D)", data)
    if (padded is not None and padded[1]) or (padded is not None and len(padded[0]) > 2 and padded[0].startswith(b"0")):
        found.append(of("header", header=len(padded[0])))
    if data.lstrip()[:1] == b"{" and readable(data) != data.strip():
        found.append(of("json"))
    if data[:1] and (data[0] < 32 or b"\0" in data[:8]):
        found += [m for m in usual(java=java) if m.framing in ("length", "utf")]
    if data.endswith(b"\0"):
        found.append(of("nul"))
    return sorted((manner for manner in found if fits(manner, data)), key=lambda manner: _unfinished(manner, data))


def _unfinished(manner: Profile, data: bytes) -> bool:
    """Whether something is left when all whole messages are taken out."""
    framing = manner.receiving()
    framing.feed(data)
    return bool(framing.pending.strip())


def fits(manner: Profile, data: bytes) -> bool:
    """Whether these bytes, the first that came, may be messages in this manner; never true of a plain text."""
    match manner.framing_name("receive"):
        case "header":
            return _headed(data, manner.header)
        case "length":
            return _counts(data, manner.length.bytes, manner.length.order)
        case "utf":
            return _counts(data, 2, "big")
        case "nul":
            return manner.terminator.encode() in data
        case "fixed":
            return bool(data) and len(data) % (manner.fixed.name + manner.fixed.message) == 0
        case "json":
            return data.lstrip()[:1] in (b"{", b"[") and readable(data) != data.strip()
        case _:
            return False


def _headed(data: bytes, width: int) -> bool:
    """Whether the bytes are frames with a decimal header, one behind the other; a last one may be unfinished.

    A line that begins with a number and one blank (`220 ready`) is a reply code rather than the half of such a frame.
    """
    at, told = 0, b""
    while at < len(data):
        told = data[at : at + width]
        padded = b" " in told or b"\0" in told or told.startswith(b"0")
        if len(told) < width or not padded or not told.strip(b" \0").isdigit():
            return False
        at += width + int(told.strip(b" \0"))
    coded = data.endswith(b"\n") and len(told.strip(b" ")) == width - 1
    return bool(data) and (at == len(data) or (width > 3 and not coded))


def _counts(data: bytes, width: int, order: str) -> bool:
    """Whether the bytes are frames one behind the other; a last one may be unfinished if its size looks like none of a text."""
    at = 0
    while at < len(data):
        head = data[at : at + width]
        size = int.from_bytes(head, "big" if order == "big" else "little")
        if len(head) < width or not 0 < size <= LONGEST_UNIT:
            return False
        if at + width + size > len(data):
            return b"\0" in head if width > 1 else head[0] < 32 and head not in b"\t\n\r\x1b"
        at += width + size
    return bool(data)


class Lens:
    """What a guest is shown of a stream that may be framed: a line for each message, or the bytes as they are.

    Which of both it is, the first bytes decide: many a server counts what it reads and answers in bare text.
    """

    def __init__(self, manner: Profile) -> None:
        self.framed: bool | None = None
        self._manner = manner
        self._framing = manner.receiving()

    def feed(self, data: bytes) -> bytes:
        """The messages that are complete, a line each; their JSON as the text in it."""
        if self.framed is None:
            self.framed = fits(self._manner, data)
        if not self.framed:
            return data
        units = self._framing.feed(data)
        return b"".join((readable(u) if u[:1] in (b"{", b"[") else u) + b"\n" for u in units)


def distinct(manners: Sequence[Profile]) -> list[Profile]:
    """Each once, the order kept."""
    return list({_key(manner): manner for manner in reversed(manners)}.values())[::-1]


def _key(manner: Profile) -> tuple[str, bytes]:
    return manner.framing_name("send"), manner.sending().encode(b"x")
