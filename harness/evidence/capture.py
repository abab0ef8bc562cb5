"""The capture of one scenario: begun before its server starts, read when everything is over.

`Capture` is never in the way: where packets cannot be had, or a capture breaks, it says why and everything else goes on.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import harness
from harness.client.trace import Sent
from harness.evidence import pcapng
from harness.evidence.flows import Flow, flows, packets
from harness.evidence.ring import Frame, NoCapture, Ring
from harness.evidence.segments import FIN, RST, Segment, segments
from harness.evidence.steps import Told
from harness.history import Captured, Leg, Opened, Record

#: A packet may be stamped so long before the record of what sent it (False), or of what saw it come (True), in seconds.
_BEFORE_S = {False: 0.002, True: 0.25}


@dataclass(frozen=True)
class Taken:
    """What was captured: the packets, the flows they make, and how many more there were."""

    frames: tuple[Frame, ...]
    flows: tuple[Flow, ...]
    missed: int
    began_ns: int  # the history's beginning on the packets' clock

    def pcapng(self, scenario: str, records: Sequence[Record], told: Sequence[Told] = ()) -> bytes:
        """The file to open with Wireshark, with the steps of the story as comments."""
        about = f"harness scenario {scenario}; comments tell its steps, interfaces the legs"
        if self.missed:
            about += f"; {self.missed} more packets came when there was no more room"
        legs: dict[int, Leg] = {s.frame: flow.leg for flow in self.flows for _, s in flow.segments}
        return pcapng.write(self.frames, legs, self._comments(records, told), about, f"harness {harness.__version__}")

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

    def _comments(self, records: Sequence[Record], told: Sequence[Told]) -> dict[int, list[str]]:
        """Each step on its own packet, else on the first one after it; whose connection it is on each flow's first packet."""
        comments: dict[int, list[str]] = {}
        who = {r.conn: r.who for r in records if isinstance(r, Opened)}
        own: dict[int, Flow] = {}
        for flow in self.flows:
            if flow.conn is not None and flow.segments:
                first = flow.segments[0][1].frame
                comments.setdefault(first, []).append(f"{who.get(flow.conn, '?')} (connection {flow.conn}), {flow.leg}")
                if flow.leg != "proxy-server":
                    own[flow.conn] = flow
        times = [frame.at_ns for frame in self.frames]
        for step in told:
            number = packet_of(step, own[step.conn]) if step.conn in own else None
            if number is None:
                number = min(bisect_left(times, self.began_ns + int(step.at_s * 1e9)), len(times) - 1)
            comments.setdefault(number, []).append(f"{step.at_s:.3f} s: {step.who + ' ' if step.who else ''}{step.did}")
        return comments


def packet_of(step: Told, flow: Flow) -> int | None:
    """The number of the packet that this step of a connection sent, or that ended it; None where none was captured."""
    if step.mark == "syn":
        return flow.segments[0][1].frame
    if step.mark == "last-data":  # written down when it had been sent, and so at any time after its packet
        return next((s.frame for _, s in reversed(flow.segments) if s.length and s.source == flow.client), None)
    theirs = step.mark.startswith("end-")
    bit = {"fin": FIN, "rst": RST}.get(step.mark.removeprefix("end-"), 0)
    found = (
        s
        for at_s, s in flow.segments
        if (s.source == flow.client) is not theirs and at_s >= step.at_s - _BEFORE_S[theirs]
    )
    if bit:
        return next((s.frame for s in found if s.flags & bit), None)
    return next((s.frame for s in found if s.length), None) if step.mark == "data" else None


def between_clocks_ns() -> int:
    """What the packets' clock is ahead of the monotonic one, in nanoseconds.

    They cannot be read at the same moment: on a busy machine this thread may be put off between the two, by more than
    lies between two packets. Of several readings the one that took the shortest time is the best.
    """

    def reading() -> tuple[int, int]:
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        return after - before, wall - (before + after) // 2

    return min(reading() for _ in range(9))[1]


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
        began_ns = int(clock_began_s * 1e9) + between_clocks_ns()
        self._closing = threading.Thread(target=self._ring.close)
        self._closing.start()  # the kernel waits for its other processors: meanwhile there is enough to do
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
