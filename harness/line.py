"""A line: one proxy of the Toxiproxy, as scenarios hold it. Every call is an HTTP request, made off the event loop."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Literal

from harness.client.log import Log
from harness.history import Carried, Opened, Toxic

if TYPE_CHECKING:
    from harness.toxiproxy import Line as ProxyLine

#: The client and the proxy write down the same opening, each in its turn, at most so far apart: ports are used again. Seconds.
SAME_OPENING_S = 2.0

Stream = Literal["upstream", "downstream", "both"]


class Line:
    """The way of some members to the server."""

    def __init__(self, proxy: ProxyLine, log: Log) -> None:
        self._proxy = proxy
        self._log = log
        self.address = proxy.address
        self.name = proxy.called
        self._toxics: set[str] = set()
        self._open = True

    async def toxic(
        self, kind: str, *, stream: Stream = "downstream", toxicity: float = 1.0, **attributes: int
    ) -> None:
        """Add a toxic to one stream or to both. Milliseconds, KB/s, bytes: Toxiproxy's own units."""
        await self._add(kind, stream, toxicity, None, attributes)

    async def now_and_then(
        self, kind: str, on_ms: int, off_ms: int, *, stream: Stream = "downstream", **attributes: int
    ) -> None:
        """Add a toxic that is on and off for so many milliseconds in turn. The scenario needs `own-toxics` for it."""
        await self._add(kind, stream, 1.0, (on_ms, off_ms), attributes)

    async def _add(
        self, kind: str, stream: Stream, toxicity: float, schedule: tuple[int, int] | None, attributes: dict[str, int]
    ) -> None:
        for one in ("upstream", "downstream") if stream == "both" else (stream,):
            name = f"{kind}_{one}"
            self._toxics.add(name)
            await asyncio.to_thread(
                partial(
                    self._proxy.add_toxic, kind, stream=one, name=name, toxicity=toxicity, schedule=schedule,
                    **attributes,
                )
            )  # fmt: skip
            told = [f"{key}={value}" for key, value in attributes.items()]
            if schedule is not None:
                told.append(f"{schedule[0]} ms on, {schedule[1]} ms off")
            self._note(f"toxic {name}({', '.join(told)}) on")

    async def change(self, kind: str, *, stream: Stream = "downstream", **attributes: int) -> None:
        """Change a toxic's attributes in mid-connection."""
        for one in ("upstream", "downstream") if stream == "both" else (stream,):
            await asyncio.to_thread(self._proxy.update_toxic, f"{kind}_{one}", **attributes)
            self._note(f"toxic {kind}_{one}({', '.join(f'{k}={v}' for k, v in attributes.items())}) changed")

    async def clear(self) -> None:
        """Take every toxic off; what they held back flows on."""
        if self._toxics:
            await asyncio.to_thread(self._proxy.clear)
            self._toxics.clear()
            self._note("toxics off")

    async def cut(self) -> None:
        """Disable the proxy: its listener closes, and so does every connection through it."""
        self._open = False
        await asyncio.to_thread(self._proxy.disable)
        self._note("line cut")

    async def mend(self) -> None:
        """Enable the proxy again."""
        await asyncio.to_thread(self._proxy.enable)
        self._open = True
        self._note("line open")

    async def hang_up(self) -> None:
        """Delete the proxy: whatever still hung on it is closed on both sides."""
        self._open = False
        await asyncio.to_thread(self._proxy.delete)
        self._note("line taken down")
        await self._count_each()

    async def count(self) -> None:
        """Write down what the proxy has passed on so far, where it can say: the judge asks before it blames a server."""
        seen = await asyncio.to_thread(self._proxy.traffic)
        if seen is not None:
            self._log.add(Carried(at_s=self._log.now(), line=self.name, **asdict(seen)))
        await self._count_each()

    async def _count_each(self) -> None:
        """The same for each connection that can be told from the others."""
        began = self._log.clock.began_s
        opened = defaultdict[int, list[Opened]](list)
        for record in self._log.records:
            if isinstance(record, Opened) and record.way == "proxy":
                opened[record.local_port].append(record)
        for one in await asyncio.to_thread(self._proxy.passages):
            at_s = one.opened - began
            nearest = min(opened[one.client_port], key=lambda own: abs(own.at_s - at_s), default=None)
            if nearest is None or abs(nearest.at_s - at_s) > SAME_OPENING_S:
                continue
            self._log.add(
                Carried(
                    at_s=self._log.now(), line=self.name, **asdict(one.traffic), conn=nearest.conn, by=one.by,
                    over_s=None if one.over is None else round(one.over - began, 6),
                )
            )  # fmt: skip

    def _note(self, what: str) -> None:
        clean = self._open and not self._toxics
        self._log.add(Toxic(at_s=self._log.now(), did=f"{self.name}: {what}", line=self.name, clean=clean))
        self._log.step(f"{what} ({self.name})", "toxiproxy")
