"""What a member has been shown: raw bytes (bounded), framed units, tokens."""

from __future__ import annotations

import re

from harness.dialect.framing import ChunkFraming, Framing, LineFraming, Readable
from harness.dialect.masking import fold, text_of
from harness.dialect.tokens import LENGTH, TOKEN

#: What is kept of the raw stream: enough for every introduction, too little for a flood to hurt.
KEPT_BYTES = 1 << 18


class Inbox:
    """Fed with what the wire read; asked for text that was expected, and for tokens."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        #: The stream is what a person reads; of other framings the units are, a line each.
        self._plain = isinstance(framing, LineFraming | ChunkFraming)
        self._tail = b""
        self.raw = bytearray()
        self.total = 0
        self.tokens: set[str] = set()
        self.notices = 0
        self.mark = 0  # raw bytes before this were answered already

    def feed(self, data: bytes) -> list[tuple[bytes, list[str]]]:
        """Take bytes; give the units that they complete, each with the tokens in it."""
        self.total += len(data)
        units = self._framing.feed(data)
        shown = data if self._plain else b"".join(unit + b"\n" for unit in units)
        room = KEPT_BYTES - len(self.raw)
        if room > 0:
            self.raw += shown[:room]
        found = [(unit, self._tokens_of(unit)) for unit in units]
        for _, tokens in found:
            self.tokens.update(tokens)
        return found

    def _tokens_of(self, unit: bytes) -> list[str]:
        """Tokens of a unit; one that a chunk's border has cut in two is found when its second half comes."""
        tokens = [m.decode("ascii") for m in TOKEN.findall(unit)]
        across = [m.decode("ascii") for m in TOKEN.findall(self._tail + unit[: LENGTH - 1])] if self._tail else []
        tokens = [t for t in across if t not in tokens and t not in self.tokens] + tokens
        if isinstance(self._framing, ChunkFraming | Readable):
            self._tail = (self._tail + unit)[-(LENGTH - 1) :]
        return tokens

    def since_mark(self) -> bytes:
        """The raw bytes since the last login step."""
        return bytes(self.raw[self.mark :])

    def shows(self, expected: str) -> bool:
        """Whether `expected` stands in the bytes since the mark, case and accents folded."""
        return fold(expected) in fold(text_of(self.since_mark()))

    def find(self, pattern: str) -> str | None:
        """The first group of `pattern` in everything that was shown so far."""
        match = re.search(pattern, text_of(bytes(self.raw)))
        return match[1] if match else None
