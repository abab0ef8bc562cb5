"""The wire: how connections begin and how polite ones end, judged from captured packets, else from the sockets.

A socket knows that its connection was made and how it ended; packets show it on the server's side too, and behind a
Toxiproxy. What only a capture could show is left out where there is none: it never fails anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from harness.history import Captured, Packet
from harness.properties.quoting import failed, passed, skipped
from harness.properties.scene import Scene
from harness.results import Judgement

_HANDSHAKE = "SYN, SYN-ACK, ACK"
#: Packets of one connection that a judgement quotes.
_QUOTED = 12
#: A server's answer may be stamped this long before the record of the word that it answers, in seconds.
_EARLY_S = 0.05


def handshake(scene: Scene) -> Judgement | None:
    """Completes SYN, SYN-ACK, ACK for each accepted connection."""
    capture = next(scene.history.of(Captured), None)
    if capture is None or not capture.packets:
        return _handshake_of_sockets(scene, capture)
    complete = unanswered = unseen = 0
    for packets in _flows(scene):
        if packets[0].leg == "client-proxy":
            continue
        if packets[0].flags != "SYN":
            unseen += 1
        elif _completed(packets):
            complete += 1
        elif not any(p.sender == "server" for p in packets):
            unanswered += 1
        elif capture.missed:
            unseen += 1
        elif packets[0].conn in scene.joined:
            who = scene.who(packets[0].conn or 0)
            return failed(
                "handshake", "incomplete", f"the handshake of {who}, who was let in, was never completed",
                expected=_HANDSHAKE, observed=told(packets), at_s=packets[0].at_s,
            )  # fmt: skip
    if not complete:
        lost = (
            f"{capture.missed} packets came when there was no more room for them, and no handshake was seen to its end"
        )
        return skipped("handshake", lost) if capture.missed else None
    more = f"; {unanswered} SYN got no answer" if unanswered else ""
    more += (
        f"; of {unseen} more only a part was seen ({capture.missed} packets were not kept)" if capture.missed else ""
    )
    return passed("handshake", f"{complete} times {_HANDSHAKE}, seen on the wire{more}")


def _handshake_of_sockets(scene: Scene, capture: Captured | None) -> Judgement | None:
    """A connection that was made and then served had its handshake."""
    why = capture.why if capture is not None and capture.why else "no packets were captured"
    served = [c for c, o in scene.opened.items() if o.way == "direct" and (c in scene.joined or c in scene.first_bytes)]
    if served:
        return passed("handshake", f"{len(served)} connections were made and served, as the sockets tell ({why})")
    return skipped("handshake", why) if scene.opened else None


def closes(scene: Scene) -> Judgement | None:
    """Ends a polite leave with FIN on both sides, not with RST."""
    if not scene.baseline.closes_on_leave:
        return skipped("closes", "this server has no word for leaving that ended the connection in the quiet run")
    wire = {p[0].conn: p for p in _flows(scene) if p[0].leg == _leg_of_server(scene, p[0].conn)}
    seen = by_socket = unseen = 0
    for conn, left in scene.left.items():
        if left.how != "polite" or not scene.well_behaved(conn):
            continue
        ended = scene.ended.get(conn)
        if scene.is_down(left.at_s, ended.at_s if ended else left.at_s + scene.deadlines.reply_s):
            continue
        packets = wire.get(conn, [])
        last = _last_of_server(packets, left.at_s - _EARLY_S)
        late = last is not None and ended is None and last.at_s > left.at_s + scene.deadlines.reply_s
        if last is not None and not scene.was_stopped(last.at_s):  # the wire has the word
            if "RST" in last.flags:
                return _ended_by_reset(scene, conn, last.at_s, told(packets))
            seen += 1
        elif scene.opened[conn].way == "proxy" and not late:
            unseen += 1  # how the proxy ends it is not how the server does
        elif ended is None:  # what its kernel sends for a server that was told to end is no answer to a good-bye
            return failed(
                "closes", "never", f"{scene.who(conn)} said good-bye and the server never closed the connection",
                expected="FIN", observed=told(packets) or "silence", at_s=left.at_s,
            )  # fmt: skip
        elif ended.how != "fin":
            return _ended_by_reset(scene, conn, ended.at_s, told(packets) or "RST")
        else:
            by_socket += 1
    if seen or by_socket:
        how = f"; {by_socket} of them as the client's socket tells" if by_socket else ""
        return passed("closes", f"{seen + by_socket} polite leaves{how}")
    return skipped("closes", _why_unseen(scene)) if unseen else None


def _leg_of_server(scene: Scene, conn: int | None) -> str:
    """On which leg a client's connection reaches the server."""
    return "proxy-server" if conn in scene.opened and scene.opened[conn].way == "proxy" else "direct"


def _why_unseen(scene: Scene) -> str:
    """Why nobody saw how the server ended what came through the Toxiproxy."""
    capture = next(scene.history.of(Captured), None)
    why = capture.why if capture is not None and capture.why else "its packets were not seen"
    return f"behind the Toxiproxy only packets show how the server ends a connection: {why}"


def _ended_by_reset(scene: Scene, conn: int, at_s: float, observed: str) -> Judgement:
    return failed(
        "closes", "reset", f"{scene.who(conn)} said good-bye and the server ended the connection with a reset",
        expected="FIN", observed=observed, at_s=at_s,
    )  # fmt: skip


def _flows(scene: Scene) -> list[list[Packet]]:
    """The captured packets, connection by connection on the wire."""
    ordered = sorted(scene.history.of(Packet), key=lambda p: (p.flow, p.at_s))
    return [list(packets) for _, packets in groupby(ordered, key=lambda p: p.flow)]


def _completed(packets: Iterable[Packet]) -> bool:
    """SYN from one side, SYN-ACK from the server, ACK from the first."""
    wanted = [("SYN", False), ("SYN-ACK", True), ("ACK", False)]
    for packet in packets:
        flags, of_server = wanted[0]
        named = (
            packet.flags == flags if flags != "ACK" else "ACK" in packet.flags.split("-") and "RST" not in packet.flags
        )
        if named and (packet.sender == "server") is of_server:
            wanted.pop(0)
            if not wanted:
                return True
    return False


def _last_of_server(packets: Iterable[Packet], since_s: float) -> Packet | None:
    """The first FIN or RST of the server from then on."""
    return next(
        (p for p in packets if p.sender == "server" and p.at_s >= since_s and {"FIN", "RST"} & set(p.flags.split("-"))),
        None,
    )


def told(packets: Iterable[Packet]) -> str:
    """Packets for people: `SYN (client), SYN-ACK (server), …`."""
    words = [f"{p.flags} ({p.sender})" for p in packets]
    if len(words) > _QUOTED:
        words = [*words[: _QUOTED // 2], "…", *words[-_QUOTED // 2 :]]
    return ", ".join(words)
