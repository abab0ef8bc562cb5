"""The trace: what each client handed to the kernel, send by send. A failure is played again from it."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Of one send, and of all sends of a scenario, so many bytes are kept.
MOST_OF_ONE = 1 << 17
MOST_OF_ALL = 8 << 20
MOST_SENDS = 20_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One send: `data` is its beginning, `length` all of it. `at_s` as in the history."""

    at_s: float
    conn: int
    data: bytes
    length: int


@dataclass(slots=True)
class Trace:
    """All sends of a scenario, bounded: a flood is told by its first bytes."""

    sends: list[Sent] = field(default_factory=list)
    _kept: int = 0

    def add(self, at_s: float, conn: int, data: bytes) -> None:
        """Write one down."""
        if len(self.sends) < MOST_SENDS:
            kept = data[: max(0, min(MOST_OF_ONE, MOST_OF_ALL - self._kept))]
            self._kept += len(kept)
            self.sends.append(Sent(at_s, conn, kept, len(data)))
