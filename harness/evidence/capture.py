"""The capture of one scenario: begun before its server starts, read when everything is over.

`Capture` is never in the way: where packets cannot be had, or a capture breaks, it says why and everything else goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import harness
from harness.evidence import pcapng
from harness.evidence.flows import Flow, flows, packets
from harness.evidence.ring import Frame, NoCapture, Ring
from harness.evidence.segments import Segment, segments
from harness.history import Captured, Leg, Opened, Record, Step


@dataclass(frozen=True, slots=True)
class Sent:
    """A segment with data from a client: the data as far as it was kept, and how long it was."""

    at_s: float
    conn: int
    data: bytes
    length: int


@dataclass(frozen=True)
class Taken:
    """What was captured: the packets, the flows they make, and how many more there were."""

    frames: tuple[Frame, ...]
    flows: tuple[Flow, ...]
    missed: int
    began_ns: int  # the history's beginning on the packets' clock

    def pcapng(self, scenario: str, records: Sequence[Record]) -> bytes:
        """The file to open with Wireshark, with the steps of the story as comments."""
        about = f"harness scenario {scenario}; comments tell its steps, interfaces the legs"
        if self.missed:
            about += f"; {self.missed} more packets came when there was no more room"
        legs: dict[int, Leg] = {s.frame: flow.leg for flow in self.flows for _, s in flow.segments}
        return pcapng.write(self.frames, legs, self._comments(records), about, f"harness {harness.__version__}")

    def sent(self) -> list[Sent]:
        """What clients sent, piece by piece as it was seen on their own leg, its beginning as far as kept."""
        found = []
        for flow in self.flows:
            if flow.conn is not None and flow.leg != "proxy-server":
                up = ((at_s, s) for at_s, s in flow.segments if s.length and s.source == flow.client)
                found += [Sent(at_s, flow.conn, self._data(s), s.length) for at_s, s in up]
        return sorted(found, key=lambda sent: sent.at_s)

    def _data(self, segment: Segment) -> bytes:
        frame = self.frames[segment.frame]
        return frame.data[max(0, len(frame.data) - (segment.length - (frame.length - len(frame.data)))) :]

    def _comments(self, records: Sequence[Record]) -> dict[int, list[str]]:
        """Each step on the first packet after it; whose connection it is on each flow's first packet."""
        comments: dict[int, list[str]] = {}
        who = {r.conn: r.who for r in records if isinstance(r, Opened)}
        for flow in self.flows:
            if flow.conn is not None and flow.segments:
                first = flow.segments[0][1].frame
                comments.setdefault(first, []).append(f"{who.get(flow.conn, '?')} (connection {flow.conn}), {flow.leg}")
        number = 0
        for step in sorted((r for r in records if isinstance(r, Step)), key=lambda r: r.at_s):
            at_ns = self.began_ns + int(step.at_s * 1e9)
            while number < len(self.frames) - 1 and self.frames[number].at_ns < at_ns:
                number += 1
            told = f"{step.at_s:.3f} s: {step.who + ' ' if step.who else ''}{step.did}"
            comments.setdefault(number, []).append(told)
        return comments


class Capture:
    """A capture that may or may not run. `why` says why it does not."""

    def __init__(self, *, wanted: bool) -> None:
        self.why: str | None = None if wanted else "capturing was switched off (--capture off)"
        self._ring: Ring | None = None
        self._ports: list[int] = []
        self._closing: threading.Thread | None = None
        if wanted:
            try:
                self._ring = Ring()
            except NoCapture as error:
                self.why = str(error)

    def watch(self, port: int) -> None:
        """Capture this port too, from now on; the server's is the first."""
        if port not in self._ports:
            self._ports.append(port)
        if self._ring is not None:
            self._ring.watch(port)

    def taken(self, records: Sequence[Record], clock_began_s: float) -> Taken | None:
        """Everything so far, tied to the history; None without a capture. `clock_began_s` on the monotonic clock."""
        if self._ring is None or self._closing is not None or not self._ports:
            return None
        frames, missed = self._ring.read()
        self._closing = threading.Thread(target=self._ring.close)
        self._closing.start()  # the kernel waits for its other processors: meanwhile there is enough to do
        began_ns = int(clock_began_s * 1e9) + time.time_ns() - time.monotonic_ns()
        return Taken(tuple(frames), tuple(flows(segments(frames), records, self._ports, began_ns)), missed, began_ns)

    def records(self, taken: Taken | None, at_s: float) -> list[Record]:
        """What the judges learn from it."""
        if taken is None:
            return [Captured(at_s=at_s, why=self.why or "no packet was captured")]
        return [*packets(taken.flows), Captured(at_s=at_s, packets=len(taken.frames), missed=taken.missed)]

    def close(self) -> None:
        """Give the ring back. Harmless when repeated."""
        if self._closing is not None:
            self._closing.join()
        elif self._ring is not None:
            self._ring.close()
        self._ring = self._closing = None
