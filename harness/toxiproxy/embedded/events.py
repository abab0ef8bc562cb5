"""What happens in the proxy, as a stream of events: what passed, and what was done to it.

Two sorts. What becomes of proxies, toxics and connections is told always, and the last of it is kept for readers who come later. What
passes within a connection is told while somebody listens, and costs nothing else. A reader who is too slow misses events, and is told how
many; the traffic never waits for a reader.

Times are seconds of the machine's monotonic clock; the first event of every answer, `hello`, tells the wall clock's beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: Events that are kept for those who come later.
KEPT = 4096
#: Events that wait for one reader, and readers at a time.
WAITING_MOST = 8192
READERS_MOST = 16
#: A reader is handed so many at once.
BATCH = 256
#: So often an idle reader is asked whether it is still there, seconds.
LOOK_S = 1.0

Event = dict[str, Any]


class TooManyReaders(Exception):
    """No more are taken."""


@dataclass(frozen=True)
class Wanted:
    """What a reader wants: events behind number `after`, of one proxy or all, with or without what passes.

    Only what is kept has a number, `n`.
    """

    after: int = -1
    proxy: str | None = None
    data: bool = True

    def fits(self, event: Event) -> bool:
        """Whether it wants this one."""
        return (
            event.get("n", math.inf) > self.after
            and (self.proxy is None or event.get("proxy") == self.proxy)
            and (self.data or event["event"] not in ("received", "sent", "toxic"))
        )


class Reader:
    """Someone who listens. What waits for it is bounded."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.over = False
        self._waiting: deque[Event] = deque()
        self._skipped = 0
        self._woken = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Wait for the reader, or be counted as skipped."""
        if not self.wanted.fits(event):
            return
        if len(self._waiting) >= WAITING_MOST:
            self._skipped += 1
        else:
            if self._skipped:
                self._waiting.append(_skip(self._skipped))
                self._skipped = 0
            self._waiting.append(event)
        self._woken.set()

    def end(self) -> None:
        """Nothing more comes."""
        self.over = True
        self._woken.set()

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """What happened since, again and again; empty from time to time when nothing did. Ends when the proxy does."""
        while True:
            if not self._waiting and not self.over:
                self._woken.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), LOOK_S)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting and self._skipped:
                batch.append(_skip(self._skipped))
                self._skipped = 0
            yield batch
            if self.over and not self._waiting:
                return


def _skip(count: int) -> Event:
    return {"event": "skipped", "at": _now(), "count": count}


#: What is kept of an event: its number, time, name, proxy, and what tells the rest.
_Kept = tuple[int, float, str, str, Callable[[], dict[str, Any]]]


def _whole(kept: _Kept) -> Event:
    number, at, event, proxy, told = kept
    return {"n": number, "at": round(at, 6), "event": event, "proxy": proxy, **told()}


def _now() -> float:
    return round(time.monotonic(), 6)


class Events:
    """All that happens in one process."""

    def __init__(self) -> None:
        #: Whether anybody wants to know what passes. Looked at for every chunk.
        self.data = False
        #: Whether there is a reader at all.
        self.listened_to = False
        self._count = 0
        self._kept: deque[_Kept] = deque(maxlen=KEPT)
        self._readers: list[Reader] = []

    def tell(self, event: str, proxy: str, told: Callable[[], dict[str, Any]] = dict) -> None:
        """Something became of a proxy, a toxic or a connection. `told` makes the rest of the event when somebody reads it."""
        one = (self._count, time.monotonic(), event, proxy, told)
        self._count += 1
        self._kept.append(one)
        if self._readers:
            self._offer(_whole(one))

    def pass_on(self, event: str, proxy: str, **fields: object) -> None:
        """Something that nobody asks for later. To be called while there is a reader."""
        self._offer({"at": _now(), "event": event, "proxy": proxy, **fields})

    def _offer(self, event: Event) -> None:
        for reader in self._readers:
            reader.offer(event)

    def so_far(self, wanted: Wanted) -> Iterator[Event]:
        """`hello`, and what is kept; where some of it is gone already, how many, as `skipped`."""
        first = self._kept[0][0] if self._kept else self._count
        clock = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        yield {"event": "hello", "at": _now(), "time": clock, "next": self._count}
        if wanted.after + 1 < first:
            yield _skip(first - wanted.after - 1)
        yield from [event for event in map(_whole, self._kept) if wanted.fits(event)]

    @contextlib.contextmanager
    def listening(self, wanted: Wanted) -> Iterator[Reader]:
        """A reader while the block runs. Raises TooManyReaders."""
        if len(self._readers) >= READERS_MOST:
            raise TooManyReaders
        reader = Reader(wanted)
        self._readers.append(reader)
        self._settle()
        try:
            yield reader
        finally:
            self._readers.remove(reader)
            self._settle()

    def _settle(self) -> None:
        self.listened_to = bool(self._readers)
        self.data = any(reader.wanted.data for reader in self._readers)

    def close(self) -> None:
        """The proxy ends: every reader has what waits for it, and its end."""
        for reader in self._readers:
            reader.end()
