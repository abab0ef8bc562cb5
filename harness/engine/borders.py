"""Does a server part messages at newlines? Asked of one that passes half a line on at once.

Who takes a read for a message knows no lines: what comes together goes on together, in one frame, as it came. Who cuts each
read at its newlines means lines, and shows it: each has a frame of its own, or a blank one in between is gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.dialect.profile import fill

#: What a frame may end or begin with, however many messages are in it.
_EDGES = b"\r\n\0 "


def framed_apart(shown: bytes, texts: Sequence[str], say: str, name: str) -> bool:
    """Whether each of these, said as lines of one segment, was shown in a frame of its own (a name, a time, a colour).

    Lines of unequal lengths: a read that is merely short parts no two of them at their ends.
    """
    command = fill(say, text="", name=name).encode().strip()
    gaps = _between(shown, texts)
    return bool(gaps) and all(gap.strip(_EDGES).removeprefix(command).strip() for gap in gaps)


def blanks_swallowed(shown: bytes, texts: Sequence[str]) -> bool:
    """Whether of these, said as lines with a blank one in between, the lines remained and the blank one did not."""
    gaps = _between(shown, texts)
    return bool(gaps) and all(gap.count(b"\n") == 1 for gap in gaps)


def _between(shown: bytes, texts: Sequence[str]) -> list[bytes]:
    """What was shown between each and the next; nothing unless all came, in their order."""
    gaps, end = list[bytes](), -1
    for text in texts:
        start = shown.find(text.encode(), max(end, 0))
        if start < 0:
            return []
        if end >= 0:
            gaps.append(shown[end:start])
        end = start + len(text.encode())
    return gaps
