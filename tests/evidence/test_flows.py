"""Whose a connection on the wire is: of a proxy's own ones only what is certain."""

from __future__ import annotations

from harness.evidence.flows import Flow, flows
from harness.evidence.segments import ACK, RST, SYN, Segment
from harness.history import Opened

SERVER, PROXY = 5000, 6000


class Wire:
    """Segments at these times (in seconds), and who opened which connection."""

    def __init__(self) -> None:
        self.seen: list[Segment] = []
        self.opened: list[Opened] = []

    def syn(self, at_s: float, port: int, target: int, answer: int = SYN | ACK) -> None:
        client, server = (b"\x7f\0\0\1", port), (b"\x7f\0\0\1", target)
        at_ns = int(at_s * 1e9)
        self.seen.append(Segment(len(self.seen), at_ns, client, server, SYN, port, 0, 0))
        self.seen.append(Segment(len(self.seen), at_ns + 1000, server, client, answer, 1, port + 1, 0))

    def comes(self, at_s: float, port: int, conn: int) -> None:
        """A client of the proxy."""
        self.syn(at_s, port, PROXY)
        self.opened.append(
            Opened(at_s=at_s, conn=conn, who=f"p{conn}", name="", way="proxy", role="bystander", local_port=port)
        )

    def told(self) -> list[tuple[str, int | None]]:
        """The connections to the server, in turn: which leg, and whose."""
        found: list[Flow] = flows(sorted(self.seen, key=lambda s: s.at_ns), self.opened, [SERVER, PROXY], 0)
        return [(flow.leg, flow.conn) for flow in found if flow.leg != "client-proxy"]


def test_each_dial_is_that_of_the_client_that_waits_for_one() -> None:
    wire = Wire()
    wire.comes(1.0, 101, 1)
    wire.syn(1.1, 900, SERVER)
    wire.comes(1.2, 102, 2)
    wire.syn(1.3, 901, SERVER)
    assert wire.told() == [("proxy-server", 1), ("proxy-server", 2)]


def test_a_knock_at_a_stopped_server_is_not_blamed_on_a_client_of_the_proxy() -> None:
    """Two waited at a time, and nobody knew whose the dials were: a later connection is not the second one's dial."""
    wire = Wire()
    wire.comes(1.0, 101, 1)
    wire.comes(1.5, 102, 2)
    wire.syn(1.6, 900, SERVER)
    wire.syn(1.7, 901, SERVER)
    wire.syn(4.2, 902, SERVER, RST | ACK)  # within the time in which the second might have been dialled for
    assert [conn for _, conn in wire.told()] == [None, None, None]
    one = Wire()
    one.comes(1.0, 101, 1)
    one.comes(1.5, 102, 2)
    one.syn(1.6, 900, SERVER)
    one.syn(4.2, 902, SERVER, RST | ACK)
    assert [conn for _, conn in one.told()] == [None, None]


def test_who_was_refused_by_the_proxy_waits_for_no_dial() -> None:
    wire = Wire()
    wire.syn(1.0, 101, PROXY, RST | ACK)
    wire.comes(1.2, 102, 2)
    wire.syn(1.3, 900, SERVER)
    wire.syn(1.4, 901, SERVER, RST | ACK)
    assert wire.told() == [("proxy-server", 2), ("proxy-server", None)]
