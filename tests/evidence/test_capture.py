"""The capture: real packets through the ring, written as pcapng, read back by dpkt and by tshark."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.evidence.capture import Capture, Taken, between_clocks_ns, packet_of
from harness.evidence.flows import flows, packets
from harness.evidence.packets import as_table, read
from harness.evidence.pcapng import write
from harness.evidence.ring import TALK, Frame, Ring, port_filter, why_no_capture
from harness.evidence.segments import Segment, segments
from harness.evidence.steps import Told
from harness.history import Captured, Opened

NO_CAPTURE = why_no_capture()
needs_capture = pytest.mark.skipif(NO_CAPTURE is not None, reason=f"PACKETS ARE NOT CAPTURED HERE: {NO_CAPTURE}")


def ended_well(address: tuple[str, int], listener: socket.socket, *, reset: bool) -> int:
    """One connection with a word in it; the client's port."""
    client = socket.create_connection(address)
    server, _ = listener.accept()
    port: int = client.getsockname()[1]
    client.sendall(b"good evening\n")
    assert server.recv(100) == b"good evening\n"
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        with pytest.raises(ConnectionResetError):
            server.recv(1)
    else:
        client.close()
        assert server.recv(1) == b""
    server.close()
    return port


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.bind((request.param, 0))
    except OSError:
        sock.close()
        pytest.skip(f"{request.param} is not to be had here")
    sock.listen()
    with sock:
        yield sock


def taken_of(ports: tuple[int, ...], listener: socket.socket) -> tuple[Taken, list[int], Capture]:
    """Two connections, one ended by FIN and one by RST, captured."""
    capture = Capture(wanted=True)
    for port in ports:
        capture.watch(port)
    address = listener.getsockname()[:2]
    clients = [ended_well(address, listener, reset=False), ended_well(address, listener, reset=True)]
    taken = capture.taken([], 0.0)
    assert taken is not None
    return taken, clients, capture


@needs_capture
def test_a_polite_and_an_abrupt_end_are_told_apart_by_their_packets(listener: socket.socket) -> None:
    taken, clients, capture = taken_of((listener.getsockname()[1],), listener)
    capture.close()
    by_port = {flow.client[1]: flow for flow in taken.flows}
    flags = {port: [p.flags for p in packets([by_port[port]])] for port in clients}
    assert flags[clients[0]][:3] == flags[clients[1]][:3] == ["SYN", "SYN-ACK", "ACK"]
    assert flags[clients[0]][3:] == ["FIN-ACK", "FIN-ACK"]
    assert [("RST" in name) for name in flags[clients[1]][3:]] == [True]


@needs_capture
def test_only_the_ports_that_are_watched_are_captured(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    taken, _, capture = taken_of((port, port - 1 or 2), listener)
    capture.close()
    assert taken.frames
    assert all(port in (s.source[1], s.target[1]) for s in segments(taken.frames))
    with Capture_of(1) as quiet:
        ended_well(listener.getsockname()[:2], listener, reset=False)
        assert quiet.read() == ([], 0)


class Capture_of:
    """A ring on one port, closed at the end."""

    def __init__(self, *ports: int) -> None:
        self.ring = Ring()
        for port in ports:
            self.ring.watch(port)

    def __enter__(self) -> Ring:
        return self.ring

    def __exit__(self, *_: object) -> None:
        self.ring.close()


@needs_capture
def test_a_full_ring_keeps_the_beginning_and_counts_the_rest_and_loses_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Capture_of(listener.getsockname()[1]) as ring:
        with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as server:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(TALK.most):
                client.send(b"x")
                server.recv(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        frames, missed = ring.read()
    found = [one.flags for one in segments(frames)]
    turns = [flags for flags in found if flags & 0x07]
    assert len(frames) == TALK.most + len(turns)
    assert missed > 0
    assert found[0] == 0x02  # the SYN is still there
    assert turns[-1] & 0x04  # and the RST, which came long after there was no more room for talk
    assert [f.at_ns for f in frames] == sorted(f.at_ns for f in frames)


def a_capture(listener: socket.socket) -> tuple[bytes, Taken, list[object]]:
    port = listener.getsockname()[1]
    taken, clients, capture = taken_of((port,), listener)
    capture.close()
    first = taken.flows[0].began_s
    records = [
        Opened(
            at_s=first + 0.001, conn=1, who="ana", name="ana", way="direct", role="bystander", local_port=clients[0]
        ),
    ]
    told = [
        Told(first + 0.001, "connects \x1b[31m\u202e", "ana", 1, "syn"),
        Told(first + 0.001, "closes", "ana", 1, "fin"),
    ]
    named = Taken(
        taken.frames, tuple(flows(segments(taken.frames), records, [port], taken.began_ns)), 7, taken.began_ns
    )
    return named.pcapng("tests/capture", records, told), named, list(records)


@needs_capture
def test_the_file_is_read_back_with_its_packets_and_comments(listener: socket.socket) -> None:
    file, taken, records = a_capture(listener)
    back = list(read(file))
    assert [p.data for p in back] == [f.data for f in taken.frames]
    told = [comment for p in back for comment in p.comments]
    assert any("ana (connection 1), direct" in comment for comment in told)
    assert not any("\x1b" in comment or "\u202e" in comment for comment in told)
    table = json.loads(as_table(file, taken, records))  # type: ignore[arg-type]
    assert table["captured"] == len(taken.frames)
    assert table["missed"] == 7
    named = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    rows = [row for row in named if row["who"] == "ana"]
    assert [row["flags"] for row in rows[:3]] == ["SYN", "SYN-ACK", "ACK"]
    assert any(row["data"] == "good evening\\n" and row["bytes"] == 13 for row in rows)
    assert [row["seq"] for row in rows[:3]] == [0, 0, 1]
    assert "ana connects" in rows[0]["notes"]  # on the SYN, although the record was written after the handshake
    (closes,) = [row for row in rows if "ana closes" in row["notes"]]
    assert (closes["from"], closes["flags"]) == ("client", "FIN-ACK")


@needs_capture
def test_tshark_reads_a_capture_without_complaint(listener: socket.socket, tmp_path: Path) -> None:
    file, taken, _ = a_capture(listener)
    (tmp_path / "capture.pcapng").write_bytes(file)
    done = read_by_tshark(tmp_path / "capture.pcapng")
    assert len(done) == len(taken.frames)
    assert {line.split("\t")[0] for line in done} == {"client-server"}
    assert any("ana (connection 1)" in line for line in done)


def read_by_tshark(path: Path) -> list[str]:
    """A line a packet: interface, flags, comments, what is malformed. Fails when tshark complains.

    What is said is no protocol that tshark knows: by their numbers alone it takes one ephemeral port in a hundred for one.
    """
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("NO TSHARK: apt-get install -y tshark")
    done = subprocess.run(
        [program, "-r", str(path), "-d", "tcp.port==1-65535,data", "-T", "fields", "-e", "frame.interface_name",
         "-e", "tcp.flags", "-e", "frame.comment", "-e", "_ws.malformed"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if line.strip() and "Running as user" not in line]
    assert (done.returncode, complaints) == (0, [])
    assert not any("malformed" in line.lower() for line in done.stdout.splitlines())
    return done.stdout.splitlines()


def test_a_filter_says_no_to_everything_until_it_is_told_a_port() -> None:
    assert port_filter([]) == [(0x06, 0, 0, 0)]


def test_what_is_no_tcp_and_what_is_cut_short_is_left_out() -> None:
    assert list(segments([Frame(0, b"", 0), Frame(0, b"\0" * 12 + b"\x08\x00" + b"\x45", 15)])) == []


def test_a_file_without_packets_is_still_a_file() -> None:
    assert list(read(write([], {}, {}, "empty", "harness"))) == []


def test_without_a_capture_the_reason_is_in_the_history() -> None:
    capture = Capture(wanted=False)
    capture.watch(5000)
    assert capture.taken([], 0.0) is None
    assert capture.records(None, 1.0) == [Captured(at_s=1.0, why="capturing was switched off (--capture off)")]


def test_a_whole_run_keeps_the_capture_of_a_documented_test(tmp_path: Path) -> None:
    verdicts = {}
    for capture in ("auto", "off"):
        out = tmp_path / capture
        subprocess.run(
            [sys.executable, "-m", "harness", "run", "disconnect/abrupt", "latency/narrow", "--server", "reference",
             "--capture", capture, "--seed", "1", "-q", "--out", str(out)],
            check=True, capture_output=True, timeout=100,
        )  # fmt: skip
        results = json.loads((out / "results.json").read_text(encoding="utf-8"))
        verdicts[capture] = [(p["id"], p["outcome"]) for s in results["scenarios"] for p in s["properties"]]
    assert verdicts["auto"] == verdicts["off"]
    assert ("handshake", "pass") in verdicts["auto"]
    assert not list((tmp_path / "off").glob("**/capture.pcapng"))
    history = (tmp_path / "auto" / "scenarios" / "disconnect" / "abrupt" / "history.jsonl").read_text(encoding="utf-8")
    if '"kind":"Packet"' not in history:
        pytest.skip("NO PACKETS COULD BE CAPTURED HERE, see harness doctor")
    kept = {path.parent.name for path in (tmp_path / "auto").glob("**/capture.pcapng")}
    assert kept == {"abrupt"}  # latency/narrow passed, and is no documented test
    lines = read_by_tshark(tmp_path / "auto" / "scenarios" / "disconnect" / "abrupt" / "capture.pcapng")
    assert any("connects" in line for line in lines)


def test_a_pause_between_the_two_clocks_does_not_move_the_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is put off between its two readings would see every packet come after what it belongs to."""
    ahead_ns, now = 1_000_000_000_000, iter(range(0, 10**12, 100))
    put_off = {1: 7_000_000, 4: 9_000_000}  # before these readings of the monotonic clock, in nanoseconds
    passed = [0]
    readings = [0]

    def monotonic_ns() -> int:
        passed[0] += put_off.get(readings[0], 0)
        readings[0] += 1
        return next(now) + passed[0]

    monkeypatch.setattr("time.monotonic_ns", monotonic_ns)
    monkeypatch.setattr("time.time_ns", lambda: next(now) + passed[0] + ahead_ns)
    assert abs(between_clocks_ns() - ahead_ns) < 1000


def test_a_handshake_whose_bare_ack_was_not_captured_is_not_blamed() -> None:
    """Acknowledgements are cumulative: that of the greeting is one of the SYN-ACK as well."""
    client, server = (b"\x7f\0\0\1", 40000), (b"\x7f\0\0\1", 5000)
    seen = [
        Segment(0, 1_000, client, server, 0x02, 100, 0, 0),
        Segment(1, 2_000, server, client, 0x12, 2**32 - 1, 101, 0),
        Segment(2, 4_000, server, client, 0x18, 0, 101, 9),
        Segment(3, 5_000, client, server, 0x10, 101, 9, 0),
        Segment(4, 6_000, client, server, 0x10, 101, 9, 0),
    ]
    told = packets(flows(seen, [], [5000], 0))
    assert [(p.sender, p.flags) for p in told] == [("client", "SYN"), ("server", "SYN-ACK"), ("client", "ACK")]
    refused = [*seen[:2], Segment(2, 3_000, client, server, 0x14, 101, 0, 0)]
    assert [p.flags for p in packets(flows(refused, [], [5000], 0))] == ["SYN", "SYN-ACK", "RST-ACK"]


def test_a_goodbye_stands_on_its_own_packet_however_late_it_was_written_down() -> None:
    """It is written down once it has been sent: on a busy machine the server's answer may have come by then."""
    client, server = (b"\x7f\0\0\1", 40000), (b"\x7f\0\0\1", 5000)
    seen = [
        Segment(0, 10_000_000, client, server, 0x02, 100, 0, 0),
        Segment(1, 20_000_000, client, server, 0x18, 101, 1, 4),
        Segment(2, 30_000_000, client, server, 0x18, 105, 1, 6),
        Segment(3, 40_000_000, server, client, 0x11, 1, 111, 0),
        Segment(4, 50_000_000, client, server, 0x10, 111, 2, 0),
    ]
    (flow,) = flows(seen, [], [5000], 0)
    assert packet_of(Told(0.9, "says good-bye", "bia", 1, "last-data"), flow) == 2
    assert packet_of(Told(0.03, "says a word", "bia", 1, "data"), flow) == 2
    assert packet_of(Told(0.02, "says a word", "bia", 1, "data"), flow) == 1
