"""Flows: the segments of a capture, connection by connection, and whose each of them is.

A packet knows addresses and ports; the history knows who opened a connection from which local port. Put together they
say "ana's SYN". A line of the Toxiproxy makes two flows of one connection: from the client to the proxy, and from the
proxy to the server; the second is ana's when at that moment the proxy had only her connection to pass on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.evidence.segments import ACK, FIN, RST, SYN, Endpoint, Segment, flag_names
from harness.history import Leg, Opened, Packet, Record, Sender

#: The client's socket knows that it is connected a little before or after the packets are stamped.
_SLACK_S = 0.005
#: A proxy dials the server within this time after a client has come, or the two are not taken for one.
_DIAL_S = 3.0


@dataclass(slots=True)
class Flow:
    """One TCP connection as it was seen on the wire; the times of its segments are seconds of the history."""

    number: int
    leg: Leg
    client: Endpoint
    server: Endpoint
    syn_seq: int | None
    segments: list[tuple[float, Segment]] = field(default_factory=list)
    conn: int | None = None

    @property
    def began_s(self) -> float:
        """When its first segment was seen."""
        return self.segments[0][0]

    @property
    def accepted(self) -> bool:
        """Whether its SYN was not answered by a reset."""
        answer = next((s for _, s in self.segments if s.source == self.server), None)
        return answer is None or not answer.flags & RST or bool(answer.flags & SYN)

    def sender(self, segment: Segment) -> Sender:
        """Who sent this segment."""
        if segment.source == self.client:
            return "proxy" if self.leg == "proxy-server" else "client"
        return "proxy" if self.leg == "client-proxy" else "server"


def flows(segments: Iterable[Segment], records: Iterable[Record], ports: Iterable[int], began_ns: int) -> list[Flow]:
    """The flows to these listening ports, the server's first; `began_ns` is the history's beginning on the packets' clock."""
    server, *lines = dict.fromkeys(ports)
    listening = {server, *lines}
    found: list[Flow] = []
    current: dict[tuple[Endpoint, Endpoint], Flow] = {}
    for segment in segments:
        up = segment.target[1] in listening
        ends = (segment.source, segment.target) if up else (segment.target, segment.source)
        flow = current.get(ends)
        opening = up and segment.flags & (SYN | ACK) == SYN
        if flow is None or (opening and flow.syn_seq != segment.seq):
            leg: Leg = "client-proxy" if ends[1][1] != server else "direct"
            flow = Flow(len(found) + 1, leg, *ends, segment.seq if opening else None)
            current[ends] = flow
            found.append(flow)
        flow.segments.append(((segment.at_ns - began_ns) / 1e9, segment))
    _name(found, [r for r in records if isinstance(r, Opened)])
    return found


def _name(found: list[Flow], opened: list[Opened]) -> None:
    """Say whose each flow is, as far as that is certain."""
    by_port: dict[tuple[int, bool], list[Flow]] = {}
    for flow in found:
        by_port.setdefault((flow.client[1], flow.leg == "client-proxy"), []).append(flow)
    for record in opened:
        same = by_port.get((record.local_port, record.way == "proxy"), ())
        before = [flow for flow in same if flow.began_s <= record.at_s + _SLACK_S]
        if before:  # a port may be used again: the last one that began before it was known to be open
            max(before, key=lambda flow: flow.began_s).conn = record.conn
    came = [flow.began_s for flow in found if flow.leg == "client-proxy"]
    for flow in found:
        if flow.conn is None and flow.leg == "direct" and any(0 <= flow.began_s - c < _DIAL_S for c in came):
            flow.leg = "proxy-server"
    _name_dials(sorted(found, key=lambda flow: flow.began_s))


def _name_dials(found: Iterable[Flow]) -> None:
    """Whose the proxy's own connections are. A client waits for one from its coming on; where several wait, any of them
    may be meant, then and later: another connection may follow that is none of theirs."""
    waiting: list[Flow] = []
    unsure: set[int] = set()
    for flow in found:
        if flow.leg == "client-proxy" and flow.accepted:
            waiting.append(flow)
        elif flow.leg == "proxy-server":
            waiting = [w for w in waiting if flow.began_s - w.began_s < _DIAL_S]
            if len(waiting) > 1:
                unsure |= {w.number for w in waiting}
            if waiting and (first := waiting.pop(0)).number not in unsure:
                flow.conn = first.conn


def packets(found: Iterable[Flow]) -> list[Packet]:
    """The segments that open and close connections, as records of the history, in the order of their times."""
    return sorted((packet for flow in found for packet in _turning_points(flow)), key=lambda p: p.at_s)


def _turning_points(flow: Flow) -> list[Packet]:
    """SYN, SYN-ACK and the ACK that completes them; FIN; RST."""
    first: dict[bool, int] = {}  # the sequence numbers from which each side counts
    told: list[Packet] = []
    wanted: int | None = None
    for at_s, segment in flow.segments:
        up = segment.source == flow.client
        base = first.setdefault(up, segment.seq)
        third = up and wanted is not None and segment.flags & (ACK | RST) == ACK and _reaches(segment.ack, wanted)
        if segment.flags & (SYN | FIN | RST) or third:
            told.append(
                Packet(
                    at_s=at_s, flow=flow.number, leg=flow.leg, conn=flow.conn, sender=flow.sender(segment),
                    flags=flag_names(segment.flags), seq=(segment.seq - base) & 0xFFFFFFFF, length=segment.length,
                )
            )  # fmt: skip
        if segment.flags & (SYN | ACK) == SYN | ACK and not up:
            wanted = (segment.seq + 1) & 0xFFFFFFFF
        elif third:
            wanted = None
    return told


def _reaches(ack: int, wanted: int) -> bool:
    """Acknowledgements are cumulative (RFC 9293, 3.4): one of a later byte is one of the SYN too."""
    return (ack - wanted) & 0xFFFFFFFF < 1 << 31
