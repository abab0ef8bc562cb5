"""Connections in numbers, as the API and the events tell them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from harness.toxiproxy.embedded import address


@dataclass(slots=True)
class Counter:
    """Bytes of one direction: taken from the sources, and given to the sinks."""

    received: int = 0
    sent: int = 0

    def add(self, other: Counter) -> None:
        """Count these as well."""
        self.received += other.received
        self.sent += other.sent

    def told(self) -> dict[str, int]:
        """As the API tells it."""
        return asdict(self)


class Account(NamedTuple):
    """A connection as events tell it: who, since when, how it ended, and the bytes of each direction."""

    number: int
    peer: tuple[Any, ...]
    opened_at: float
    by: str | None
    why: str
    upstream: Counter
    downstream: Counter

    def told(self) -> dict[str, Any]:
        """While it is there."""
        return {
            "connection": self.number,
            "client": address.text(self.peer),
            "opened": round(self.opened_at, 6),
            "upstream": self.upstream.told(),
            "downstream": self.downstream.told(),
            "by": self.by,
        }

    def told_when_over(self) -> dict[str, Any]:
        """When it is over."""
        return self.told() | {"why": self.why}
