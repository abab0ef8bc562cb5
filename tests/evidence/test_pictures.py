"""Plots, and the beginning and end of a connection on the wire."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET

import pytest
from properties.histories import Story, ordinary

from harness.evidence import diagram, handshake
from harness.evidence.capture import Taken
from harness.evidence.flows import flows, packets
from harness.evidence.plots import plots
from harness.evidence.ring import Frame
from harness.evidence.segments import ACK, FIN, PSH, RST, SYN, segments
from harness.evidence.words import PORTUGUESE
from harness.history import Left, Opened, OpenFailed, Phase, Record, ServerEvent, Toxic
from harness.properties.scene import Scene

SERVER, LINE = 5000, 6000


def texts(svg: str) -> list[str]:
    """The words of a picture, read as XML."""
    return ["".join(e.itertext()) for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def frame(at_s: float, source: int, target: int, flags: int, seq: int = 0, ack: int = 0, data: bytes = b"") -> Frame:
    """One packet between two ports of the loopback."""
    tcp = struct.pack("!HHIIBBHHH", source, target, seq, ack, 5 << 4, flags, 512, 0, 0) + data
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    packet = bytes(12) + b"\x08\0" + ip + tcp
    return Frame(int(at_s * 1e9), packet, len(packet))


def connection(at_s: float, port: int, to: int = SERVER, end: int = FIN) -> list[Frame]:
    """A whole connection: handshake, a word, and its end."""
    opening = [
        frame(at_s, port, to, SYN, 100),
        frame(at_s + 0.001, to, port, SYN | ACK, 900, 101),
        frame(at_s + 0.002, port, to, ACK, 101, 901),
        frame(at_s + 0.003, port, to, PSH | ACK, 101, 901, b"hello\n"),
        frame(at_s + 0.004, to, port, ACK, 901, 107),
    ]
    if end == RST:
        return [*opening, frame(at_s + 0.5, port, to, RST, 107, 0)]
    closing = [frame(at_s + 0.5, to, port, FIN | ACK, 901, 107), frame(at_s + 0.501, port, to, FIN | ACK, 107, 902)]
    return [*opening, *closing, frame(at_s + 0.502, to, port, ACK, 902, 108)]


def opened(at_s: float, conn: int, who: str, port: int, way: str = "direct") -> Opened:
    """The client's record of the same connection."""
    return Opened(at_s=at_s, conn=conn, who=who, name=who, way=way, role="bystander", local_port=port)  # type: ignore[arg-type]


def taken(frames: list[Frame], records: list[Record], *ports: int) -> Taken:
    """These packets as a capture."""
    frames = sorted(frames, key=lambda f: f.at_ns)
    return Taken(tuple(frames), tuple(flows(segments(frames), records, ports or (SERVER,), 0)), 0, 0)


def test_a_line_makes_two_flows_of_one_connection_and_both_are_hers() -> None:
    records: list[Record] = [opened(1.0021, 7, "bia", 41000, "proxy"), opened(2.0021, 8, "ana", 43000)]
    frames = connection(1.0, 41000, LINE) + connection(1.01, 42000) + connection(2.0, 43000)
    told = {(flow.leg, flow.conn) for flow in taken(frames, records, SERVER, LINE).flows}
    assert told == {("client-proxy", 7), ("proxy-server", 7), ("direct", 8)}


def test_two_who_come_through_the_proxy_at_once_are_not_guessed_apart() -> None:
    records: list[Record] = [opened(1.0021, 1, "ana", 41000, "proxy"), opened(1.0022, 2, "bia", 41001, "proxy")]
    frames = connection(1.0, 41000, LINE) + connection(1.001, 41001, LINE)
    frames += connection(1.01, 42000) + connection(1.011, 42001)
    behind = [flow.conn for flow in taken(frames, records, SERVER, LINE).flows if flow.leg == "proxy-server"]
    assert behind[0] is None


def test_a_port_that_is_used_again_is_another_connection() -> None:
    records: list[Record] = [opened(1.0021, 1, "ana", 41000), opened(3.0021, 2, "bia", 41000)]
    second = [
        Frame(f.at_ns, f.data.replace(struct.pack("!I", 100), struct.pack("!I", 555)), f.length)
        for f in connection(3.0, 41000)
    ]
    found = taken([*connection(1.0, 41000), *second], records).flows
    assert [flow.conn for flow in found] == [1, 2]


def test_a_syn_without_an_answer_is_not_taken_for_the_connection_that_used_its_port_later() -> None:
    lonely = frame(1.0, 41000, SERVER, SYN, 7)
    found = taken([lonely, *connection(9.0, 41000)], [opened(9.0021, 3, "ana", 41000)]).flows
    assert [flow.conn for flow in found] == [None, 3]


def test_the_turning_points_are_told_from_the_talk() -> None:
    found = taken(connection(1.0, 41000), [opened(1.0021, 1, "ana", 41000)]).flows
    assert [(p.flags, p.sender, p.seq) for p in packets(found)] == [
        ("SYN", "client", 0), ("SYN-ACK", "server", 0), ("ACK", "client", 1),
        ("FIN-ACK", "server", 1), ("FIN-ACK", "client", 7),
    ]  # fmt: skip


def left_and_reset() -> tuple[Story, Taken]:
    """Nina says good-bye, Bia resets."""
    story = ordinary()
    nina, bia = (next(o for o in story.find(Opened, who=who)) for who in ("nina", "bia"))
    frames = connection(nina.at_s - 0.002, nina.local_port) + connection(bia.at_s - 0.002, bia.local_port, end=RST)
    return story, taken(frames, story.records)


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
def test_a_polite_and_an_abrupt_leave_stand_side_by_side(lang: str) -> None:
    story, capture = left_and_reset()
    svg = handshake.draw(story.history(), capture, lang)
    assert svg is not None
    shown = texts(svg)
    for words in ("SYN", "SYN-ACK", "ACK", "FIN-ACK", "RST"):
        assert words in shown
    for sentence in ("FIN from both sides: an orderly end", "RST: what was on its way is lost"):
        assert (sentence if lang == "en" else PORTUGUESE[sentence]) in shown


def closed(server_fin_s: float | None, *, told_to_end: bool = False, then: list[Frame] | None = None) -> str:
    """The words beneath the panel of bia, who closes without a word half a second after she came."""
    story = ordinary(lambda story: story.leave("bia", "fin"))
    bia = next(o for o in story.find(Opened, who="bia"))
    began, port = bia.at_s - 0.002, bia.local_port
    gone = next(r.at_s for r in story.find(Left) if r.conn == bia.conn)
    frames = [*connection(began, port)[:5], frame(gone, port, SERVER, FIN | ACK, 107, 901),
              frame(gone + 1e-5, SERVER, port, ACK, 901, 108)]  # fmt: skip
    if server_fin_s is not None:
        frames.append(frame(gone + server_fin_s, SERVER, port, FIN | ACK, 901, 108))
    if told_to_end and server_fin_s is not None:
        story.records = [r for r in story.records if not isinstance(r, ServerEvent)]
        story.add(ServerEvent(at_s=gone + server_fin_s - 0.01, what="signal", detail="SIGTERM"))
    svg = handshake.draw(story.history(), taken([*frames, *(then or [])], story.records), "en")
    assert svg is not None
    return svg


def test_the_sentence_under_a_connection_is_not_cut_off_at_the_pictures_edge() -> None:
    svg = closed(9.3, told_to_end=True)
    width = float(re.search(r'viewBox="0 0 ([\d.]+) ', svg)[1])  # type: ignore[index]
    lines = re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="middle" class="small strong bad">([^<]+)<', svg)
    assert "CLOSE_WAIT" in lines[-1][1]
    assert all(float(x) + len(text) * handshake._STRONG / 2 <= width for x, text in lines)


def test_a_server_that_closes_its_side_only_when_it_is_told_to_end_is_not_orderly() -> None:
    """Bia's FIN at 0.2 s, the server's at 9.5 s, after SIGTERM: the picture once called that an orderly end, in green."""
    shown = texts(closed(9.3, told_to_end=True))
    assert " ".join(shown[-2:]) == (
        "FIN from bia only; the server's came 9.300 s later, when it was told to end: CLOSE_WAIT until then"
    )
    assert "9.300 s later: told to end" in shown
    assert "orderly" not in " ".join(shown)


def test_each_end_has_its_own_words() -> None:
    assert "FIN without a good-bye; the server answered it with its own" in " ".join(texts(closed(0.0004)))
    assert "FIN from bia only: the server never closed its side" in texts(closed(None))
    assert "FIN from both sides, but the server's came 3.000 s after that of bia" in " ".join(texts(closed(3.0)))
    story = ordinary(lambda story: story.leave("bia", "fin"))
    bia = next(o for o in story.find(Opened, who="bia"))
    gone = next(r.at_s for r in story.find(Left) if r.conn == bia.conn)
    wrote_on = [frame(gone + 0.01, SERVER, bia.local_port, PSH | ACK, 901, 108, b"hi\n"),
                frame(gone + 0.0101, bia.local_port, SERVER, RST, 108)]  # fmt: skip
    assert "bia had closed, and the server wrote on: RST" in texts(closed(None, then=wrote_on))
    assert "the server ended it with RST, not with FIN" in texts(
        closed(None, then=[frame(gone + 0.01, SERVER, bia.local_port, RST | ACK, 901, 108)])
    )


def test_a_packet_that_is_sent_again_is_called_so_and_moments_have_microseconds() -> None:
    story = ordinary(lambda story: story.leave("bia", "fin"))
    bia = next(o for o in story.find(Opened, who="bia"))
    gone = next(r.at_s for r in story.find(Left) if r.conn == bia.conn)
    shown = texts(closed(0.3, then=[frame(gone + 0.2, bia.local_port, SERVER, FIN | ACK, 107, 901)]))
    assert "FIN-ACK  retransmission" in shown
    assert sum(text.startswith("FIN-ACK") for text in shown) == 3
    assert f"{gone + 1e-5:.6f} s" in shown


def test_odd_bytes_on_the_wire_stand_in_the_diagram() -> None:
    story = ordinary()
    bia = next(o for o in story.find(Opened, who="bia"))
    odd = b"\xff\xfe\x1b[2J" + b"x" * 50
    sent = frame(2.5, bia.local_port, SERVER, PSH | ACK, 107, 901, odd)
    capture = taken([*connection(bia.at_s - 0.002, bia.local_port)[:5], sent], story.records)
    assert [(piece.conn, piece.data) for piece in capture.sent()] == [(bia.conn, b"hello\n"), (bia.conn, odd)]
    shown = texts(diagram.draw(Scene(story.history()), (), "en", lambda j: "", capture.sent()))
    assert "56 bytes: \\xff\\xfe\\x1b[2J" + "x" * 18 + "…" in shown
    assert not any("hello" in text for text in shown if "bytes" in text)  # that was the login


def test_a_refusal_is_a_syn_and_its_rst() -> None:
    capture = taken([frame(1.0, 41000, SERVER, SYN, 5), frame(1.001, SERVER, 41000, RST | ACK, 0, 6)], [])
    svg = handshake.draw(ordinary(bystanders=False).history(), capture, "en")
    assert svg is not None
    assert "RST answers the SYN: the connection is refused" in texts(svg)


def test_a_capture_of_nothing_draws_nothing() -> None:
    assert handshake.draw(ordinary().history(), taken([], []), "en") is None


def test_the_plots_that_have_something_to_say() -> None:
    story = ordinary()
    assert set(plots(Scene(story.history()), "en")) == {"plot-rtt", "plot-process"}
    quiet = ordinary(bystanders=False)
    quiet.cut(0.1)
    assert plots(Scene(quiet.history()), "en") == {}


def test_the_round_trips_show_the_fault_and_what_was_lost() -> None:
    story = ordinary()
    story.add(Toxic(at_s=2.0, did="line: toxic latency_downstream(latency=200) on"))
    story.at(2.5).says("ana", "slow", after=0.21)
    story.at(2.6).says("ana", "gone", heard=False)
    story.add(Toxic(at_s=7.0, did="line: toxics off"))
    svg = plots(Scene(story.history()), "en")["plot-rtt"]
    assert 'class="toxic"' in svg
    assert {"toxic on", "lost (1)", "reaches everybody"} <= set(texts(svg))
    assert 'class="lbad"' in svg


def test_a_storm_shows_how_many_are_there() -> None:
    story = ordinary()
    story.at(4.0)
    for number in range(20):
        story.join(f"m{number}", role="crowd", counts=False, told=False)
    story.add(OpenFailed(at_s=4.5, who="m99", error="ECONNREFUSED", way="direct", role="crowd"))
    for left in story.find(Left):
        assert left.at_s > 0
    shown = texts(plots(Scene(story.history()), "pt-BR")["plot-connections"])
    assert {"conectados", "não conseguiu conectar (1)", "Quantos clientes estão conectados"} <= set(shown)


def test_of_very_many_that_were_refused_the_last_ones_are_marked_too_and_all_are_counted() -> None:
    story = ordinary()
    story.at(4.0)
    for number in range(20):
        story.join(f"m{number}", role="crowd", counts=False, told=False)
    begin, end = 4.0, story.find(Phase)[-1].at_s
    for number in range(1200):
        at_s = begin + (end - begin) * number / 1200
        story.add(OpenFailed(at_s=at_s, who="m99", error="ECONNREFUSED", way="direct", role="crowd"))
    svg = plots(Scene(story.history()), "en")["plot-connections"]
    assert "could not connect (1200)" in texts(svg)
    crosses = [float(x) for x in re.findall(r'd="M([\d.]+) [\d.]+l7.0 7.0m', svg)]
    assert 300 <= len(crosses) <= 400
    assert max(crosses) > min(crosses) + 200


def test_what_grew_is_marked_beside_the_level_of_rest() -> None:
    story = ordinary()
    story.at(18.9).sample("after-2", threads=60)
    shown = texts(plots(Scene(story.history()), "en")["plot-process"])
    assert "60" in shown
    assert "3" in shown
    assert "at rest, before the fault" in shown


def test_words_beside_the_parts_of_a_play_do_not_stand_on_one_another() -> None:
    """`a falha acaboua falha de novo`: what lies close together stands in two rows."""
    story = ordinary()
    rest = next(record for record in story.find(Phase) if record.name == "rest")
    calm = next(record for record in story.find(Phase) if record.name == "calm")
    story.change(rest, at_s=calm.at_s + 0.2)
    svg = plots(Scene(story.history()), "pt-BR")["plot-process"]
    named = {"a falha acabou", "a falha de novo"}
    rows = [
        element.attrib["y"]
        for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
        if "".join(element.itertext()) in named
    ]
    assert len(rows) == len(set(rows)) == 2


def test_the_plots_show_where_the_fault_is_over_and_where_it_is_only_repeated() -> None:
    story = ordinary()
    rest = next(record.at_s for record in story.find(Phase) if record.name == "rest")
    shown = texts(plots(Scene(story.history()), "en")["plot-process"])
    assert {"the fault is over", "at rest", "the end"} <= set(shown)
    story.add(opened(rest + 1e-3, 99, "vera", 49999))
    assert "the fault again" in texts(plots(Scene(story.history()), "en")["plot-process"])
    assert "a falha de novo" in texts(plots(Scene(story.history()), "pt-BR")["plot-process"])
