"""Bytes as Python writes them: short, and framed as the server's dialect frames them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.client.trace import Sent
from harness.dialect.profile import Profile


class Literals:
    """The bytes of a server's dialect as literals."""

    def __init__(self, profile: Profile) -> None:
        self._profile, self._framing = profile, profile.sending()

    def literal(self, data: bytes) -> str:
        """Bytes as Python; what is one framed message is shown as one."""
        for message in self._messages(data):
            if message and self._framing.encode(message) == data:
                return f"framed({_bytes(message)})"
        return _bytes(data)

    def _messages(self, data: bytes) -> Iterable[bytes]:
        """What a framing may have been put around."""
        for head in (0, 1, 2, 4, 8, self._profile.header):
            yield data[head:]
        for end in {self._profile.newline or "\n", self._profile.terminator}:
            yield data.removesuffix(end.encode())


def _bytes(data: bytes) -> str:
    """A literal; long repetitions as a product."""
    for size in (1, 2, 3, 4, 8, 16, 32):
        count = len(data) // size if size else 0
        if len(data) > 60 and count * size == len(data) and data[:size] * count == data:
            return f"{data[:size]!r} * {count}"
    parts, at = list[str](), 0
    for run in re.finditer(rb"(.)\1{59,}", data, re.DOTALL):
        if run.start() > at:
            parts.append(repr(data[at : run.start()]))
        parts.append(f"{run[1]!r} * {run.end() - run.start()}")
        at = run.end()
    if at < len(data) or not parts:
        parts.append(repr(data[at:]))
    return " + ".join(parts)


def runs(pieces: Sequence[Sent], others: Sequence[float]) -> list[list[Sent]]:
    """Pieces that follow one another closely are one call, unless somebody else speaks between them (at `others`)."""
    calls = list[list[Sent]]()
    for piece in pieces:
        before_s = calls[-1][-1].at_s if calls else piece.at_s
        alone = not any(before_s < at < piece.at_s for at in others)
        if calls and len(calls[-1]) < 40 and piece.at_s - before_s < 0.5 and alone:
            calls[-1].append(piece)
        else:
            calls.append([piece])
    return calls
