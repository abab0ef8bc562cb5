"""How fast one client may talk: a token bucket for lines and one for bytes.

A burst is free. Beyond it a client is not refused but slowed down to the rate: it is not read from until the bucket
has filled again, and TCP passes that on to the sender. Nothing is lost, and nobody else waits.
"""

from __future__ import annotations

LINES_BURST = 5000
LINES_PER_S = 2000.0
BYTES_BURST = 256 * 1024  # below outbox.SOFT_BYTES: no burst of one speaker fills a healthy reader's queue
BYTES_PER_S = 4.0 * 1024 * 1024


class Bucket:
    """Tokens that come back at `per_s`, up to `burst`. It may run into debt by one line."""

    def __init__(self, burst: float, per_s: float, now: float) -> None:
        self.level = burst
        self._burst = burst
        self._per_s = per_s
        self._at = now

    def refill(self, now: float) -> None:
        self.level = min(self._burst, self.level + (now - self._at) * self._per_s)
        self._at = now

    def wait_s(self) -> float:
        """Seconds until there is a whole token again; 0 when there is one."""
        return max(0.0, (1.0 - self.level) / self._per_s)


class Pace:
    """Both buckets of one client."""

    def __init__(self, now: float) -> None:
        self._lines = Bucket(LINES_BURST, LINES_PER_S, now)
        self._bytes = Bucket(BYTES_BURST, BYTES_PER_S, now)

    def refill(self, now: float) -> None:
        self._lines.refill(now)
        self._bytes.refill(now)

    def spend(self, size: int) -> bool:
        """Pay for one line of `size` bytes; False, and nothing is paid, when it has to wait."""
        if self._lines.level < 1 or self._bytes.level < 1:
            return False
        self._lines.level -= 1
        self._bytes.level -= size
        return True

    def wait_s(self) -> float:
        return max(self._lines.wait_s(), self._bytes.wait_s())
