"""What the proxies do to bytes and to connections, the same against ours and against Shopify's.

Times are checked tightly for being early, which no toxic may be, and generously for being late, since machines are busy.
"""

from __future__ import annotations

import random
import socket
import threading
import time

import pytest
from divergences import expected
from through import PATIENCE_S, Through, connect, eventually, free_port, read, read_all, reset, silent, took

#: As late as a busy machine may be, seconds.
LATE_S = 1.5
BLOB = random.Random(0).randbytes(300_000)


def early_or_late(seconds: float, wanted: float, slack: float = 0.0015) -> bool:
    """Whether a time is outside its bounds; Shopify's is allowed a little earliness, as its clock is read elsewhere."""
    return not wanted - slack <= seconds <= wanted + LATE_S


# -- the plain line


def test_bytes_go_both_ways_as_they_are(through: Through) -> None:
    client, server = through.pair()
    for source, sink in ((client, server), (server, client)):
        writer = threading.Thread(target=source.sendall, args=(BLOB,))
        writer.start()
        assert read(sink, len(BLOB)) == BLOB
        writer.join()


def test_all_that_was_said_arrives_before_the_end(through: Through) -> None:
    client, server = through.pair()
    with took():
        writer = threading.Thread(target=lambda: (server.sendall(BLOB * 10), server.close()))
        writer.start()
        time.sleep(0.05)
        assert read_all(client) == (BLOB * 10, "end")
        writer.join()


def test_an_upstream_that_refuses_lets_the_client_in_and_out_at_once(through: Through) -> None:
    through.line.set_upstream(f"127.0.0.1:{free_port()}")
    client = connect(through.line.address)
    assert read_all(client) == (b"", "end")
    client.close()


@pytest.mark.parametrize("upstream", ["no.such.host.invalid:80", "http://127.0.0.1:80", "", "127.0.0.1:x"])
def test_an_upstream_that_is_none_lets_the_client_in_and_out(through_ours: Through, upstream: str) -> None:
    through_ours.line.set_upstream(upstream)
    client = connect(through_ours.line.address)
    assert read_all(client)[0] == b""
    client.close()


def test_disabled_it_closes_every_socket_and_refuses_new_ones(through: Through) -> None:
    pairs = [through.pair() for _ in range(5)]
    through.line.disable()
    for pair in pairs:
        for sock in pair:
            assert read_all(sock)[0] == b""
    with pytest.raises(ConnectionRefusedError):
        connect(through.line.address)
    through.line.enable()
    client, server = through.pair()
    client.sendall(b"x")
    assert server.recv(1) == b"x"


def test_deleted_it_closes_every_socket(through: Through) -> None:
    client, server = through.pair()
    through.line.delete()
    assert read_all(client)[0] == read_all(server)[0] == b""
    with pytest.raises(ConnectionRefusedError):
        connect(through.line.address)


def fill(sock: socket.socket) -> int:
    """Write until nothing is taken for a while; how much was taken."""
    sock.setblocking(False)
    sent = 0
    deadline = time.monotonic() + PATIENCE_S
    stalled_since = time.monotonic()
    while time.monotonic() - stalled_since < 0.3:
        assert time.monotonic() < deadline, "it takes everything"
        try:
            sent += sock.send(BLOB)
            stalled_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    sock.settimeout(PATIENCE_S)
    return sent


def test_a_reader_that_stalls_stalls_the_writer(through: Through) -> None:
    client, server = through.pair()
    sent = fill(server)
    assert sent < 64 << 20
    assert len(read(client, sent)) == sent


@pytest.mark.parametrize(
    ("toxic", "attributes", "most"),
    [
        ("bandwidth", {"rate": 0}, 1 << 20),
        ("slicer", {"average_size": 10, "delay": 10**9}, 1 << 20),
        ("reset_peer", {"timeout": 10**9}, 1 << 20),
        ("latency", {"latency": 10**9}, 20 << 20),
    ],
)
def test_a_toxic_that_holds_data_holds_little(
    through_ours: Through, toxic: str, attributes: dict[str, int], most: int
) -> None:
    client, server = through_ours.pair()
    through_ours.line.add_toxic(toxic, stream="upstream", **attributes)
    sent = fill(client)
    traffic = through_ours.line.traffic()
    assert traffic is not None
    assert traffic.upstream_received < most
    through_ours.line.clear()
    assert len(read(server, sent)) == sent


def test_a_server_that_resets_at_once_resets_the_client(through: Through) -> None:
    for _ in range(10):
        client, server = through.pair()
        reset(server)
        assert read_all(client) == (b"", expected("a reset from a peer", through.real))


# -- the toxics


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency_delays_its_own_direction_and_is_never_early(through: Through, stream: str) -> None:
    client, server = through.pair()
    through.line.add_toxic("latency", stream=stream, latency=60)
    slow, fast = ((client, server), (server, client))[:: 1 if stream == "upstream" else -1]
    for _ in range(5):
        with took() as seconds:
            slow[0].sendall(b"ping")
            assert read(slow[1], 4) == b"ping"
        assert not early_or_late(seconds[0], 0.06)
        with took() as seconds:
            fast[0].sendall(b"pong")
            assert read(fast[1], 4) == b"pong"
        assert seconds[0] < LATE_S


def test_the_embedded_one_is_not_early_by_a_hair(through_ours: Through) -> None:
    client, server = through_ours.pair()
    through_ours.line.add_toxic("latency", stream="upstream", latency=7)
    for _ in range(30):
        with took() as seconds:
            client.sendall(b"x")
            server.recv(1)
        assert seconds[0] >= 0.007


def test_two_latencies_for_messages_close_together(through: Through) -> None:
    client, server = through.pair()
    for name in ("one", "two"):
        through.line.add_toxic("latency", stream="upstream", name=name, latency=100)
    starts = []
    for _ in range(5):
        starts.append(time.monotonic())
        client.sendall(b"x")
        time.sleep(0.03)
    delays = []
    for start in starts:
        server.recv(1)
        delays.append(time.monotonic() - start)
    assert (expected("a second latency", through.real) == "adds up") == (min(delays) >= 0.2)


def test_latency_does_not_throttle(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("latency", latency=100)
    writer = threading.Thread(target=server.sendall, args=(BLOB * 30,))
    with took() as seconds:
        writer.start()
        assert read(client, len(BLOB) * 30) == BLOB * 30
    writer.join()
    assert seconds[0] < 3


def test_bandwidth_takes_its_time(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("bandwidth", stream="upstream", rate=400)
    with took() as seconds:
        client.sendall(BLOB[:120_000])
        assert read(server, 120_000) == BLOB[:120_000]
    assert not early_or_late(seconds[0], 0.3, slack=0.02)


def test_bandwidth_zero_stalls_until_it_is_taken_off(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("bandwidth", stream="upstream", rate=0)
    client.sendall(b"held back")
    client.shutdown(socket.SHUT_WR)
    assert silent(server, 0.2)
    through.line.clear()
    assert read_all(server) == (b"held back", "end")


def test_removing_latency_lets_everything_go_at_once_and_in_order(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("latency", stream="upstream", latency=60_000)
    for n in range(5):
        client.sendall(bytes([n]) * 1000)
        time.sleep(0.01)
    assert silent(server, 0.1)
    with took() as seconds:
        through.line.remove_toxic("latency_upstream")
        assert read(server, 5000) == b"".join(bytes([n]) * 1000 for n in range(5))
    assert seconds[0] < LATE_S


def test_no_message_is_lost_while_toxics_come_and_go(through: Through) -> None:
    client, server = through.pair()
    said = b"".join(n.to_bytes(2) for n in range(20_000))
    writer = threading.Thread(target=lambda: [client.sendall(said[n : n + 200]) for n in range(0, len(said), 200)])
    writer.start()
    for kind, attributes in (("latency", {"latency": 1000}), ("slicer", {"average_size": 50, "delay": 10})) * 4:
        through.line.add_toxic(kind, stream="upstream", **attributes)
        time.sleep(0.01)
        through.line.remove_toxic(f"{kind}_upstream")
    assert read(server, len(said)) == said
    writer.join()
    client.close()
    assert read_all(server) == (b"", "end")


def test_slow_close_holds_the_end_of_its_stream(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("slow_close", stream="upstream", delay=200)
    client.sendall(b"bye")
    with took() as seconds:
        client.close()
        assert read(server, 3) == b"bye"
        assert read_all(server) == (b"", "end")
    assert not early_or_late(seconds[0], 0.2)


def test_slow_close_taken_off_ends_the_stream_at_once(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("slow_close", stream="upstream", delay=60_000)
    client.close()
    assert silent(server, 0.1)
    through.line.clear()
    assert read_all(server) == (b"", "end")


def test_timeout_swallows_and_closes_when_nothing_came_for_so_long(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("timeout", stream="upstream", timeout=250)
    for _ in range(4):
        client.sendall(b"gone")
        server.sendall(b"here")
        assert read(client, 4) == b"here"
        time.sleep(0.1)
    with took() as seconds:
        assert read_all(server)[0] == b""
        assert read_all(client)[0] == b""
    assert not early_or_late(seconds[0], 0.15, slack=0.05)


def test_timeout_zero_waits_for_ever_and_its_removal_closes(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("timeout", timeout=0)
    server.sendall(b"gone")
    assert silent(client, 0.2)
    with took() as seconds:
        through.line.clear()
        assert read_all(client)[0] == read_all(server)[0] == b""
    assert seconds[0] < LATE_S


def test_a_timeout_that_passed_everything_is_removed(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("timeout", toxicity=0.0, timeout=10)
    server.sendall(b"here")
    assert read(client, 4) == b"here"
    through.line.clear()
    assert silent(client, 0.1) == (expected("removing a timeout that passed everything", through.real) == "open")


@pytest.mark.parametrize("wait", [0, 100])
def test_reset_peer_resets_both_ends_after_the_first_data(through: Through, wait: int) -> None:
    through.line.add_toxic("reset_peer", timeout=wait)
    client, server = through.pair()
    assert silent(client, 0.1)
    with took() as seconds:
        server.sendall(b"x")
        assert read_all(client) == (b"", "reset")
    assert not early_or_late(seconds[0], wait / 1000)
    assert read_all(server) == (b"", "reset")


def test_reset_peer_on_a_live_connection(through: Through) -> None:
    client, server = through.pair()
    client.sendall(b"x")
    server.recv(1)
    through.line.add_toxic("reset_peer", stream="upstream", timeout=10)
    client.sendall(b"y")
    ends = {read_all(client), read_all(server)}
    assert ends == {(b"", expected("reset_peer on a live connection", through.real))}


def test_reset_peer_can_be_interrupted(through: Through) -> None:
    client, server = through.pair()
    at_once = expected("interrupting reset_peer", through.real) == "at once"
    through.line.add_toxic("reset_peer", stream="upstream", timeout=60_000 if at_once else 1_000)
    client.sendall(b"x")
    assert silent(server, 0.05)
    with took() as seconds:
        through.line.clear()
    if at_once:
        assert server.recv(1) == b"x"
        assert seconds[0] < 30
    else:
        assert seconds[0] > 0.5


def test_limit_data_passes_exactly_so_much_and_closes(through: Through) -> None:
    through.line.add_toxic("limit_data", bytes=1000)
    client, server = through.pair()
    server.sendall(BLOB[:600])
    assert read(client, 600) == BLOB[:600]
    server.sendall(BLOB[600:1000])
    assert read_all(client) == (BLOB[600:1000], "end")
    assert read_all(server)[0] == b""


def test_slicer_sends_small_pieces(through: Through) -> None:
    through.line.add_toxic("slicer", average_size=1, delay=10_000)
    client, server = through.pair()
    server.sendall(b"x" * 24)
    pieces = []
    with took() as seconds:
        while sum(pieces) < 24:
            pieces.append(len(client.recv(100)))
    assert seconds[0] >= 0.2
    assert len(pieces) >= 6  # 24, unless this reader slept


def test_toxicity_one_in_three_works_on_about_a_third(through: Through) -> None:
    through.line.add_toxic("limit_data", toxicity=0.33, bytes=1)
    hit = 0
    for _ in range(90):
        client, server = through.pair()
        server.sendall(b"xy")
        server.shutdown(socket.SHUT_WR)
        hit += len(read_all(client)[0]) == 1
        client.close()
        server.close()
    assert 12 <= hit <= 50


@pytest.mark.parametrize("limit_first", [True, False])
def test_toxics_work_in_the_order_in_which_they_came(through: Through, limit_first: bool) -> None:
    toxics: list[tuple[str, dict[str, int]]] = [("limit_data", {"bytes": 10}), ("timeout", {"timeout": 0})]
    for kind, attributes in toxics if limit_first else reversed(toxics):
        through.line.add_toxic(kind, **attributes)
    client, server = through.pair()
    server.sendall(b"x" * 20)
    if limit_first:  # it cuts, and what it let through is swallowed
        assert read_all(client) == (b"", "end")
    else:  # all is swallowed before it is counted
        assert silent(client, 0.2)


@pytest.mark.parametrize("how", ["an update", "the next toxic"])
def test_the_dice_are_thrown_again(through: Through, how: str) -> None:
    through.line.add_toxic("timeout", toxicity=0.5, timeout=0)
    client, server = through.pair()
    rounds = 24
    for number in range(rounds):
        if how == "an update":
            through.api("PATCH", "/proxies/line/toxics/timeout_downstream", {})
        elif number % 2:
            through.line.remove_toxic("next")
        else:
            through.line.add_toxic("noop", name="next")
        server.sendall(b"x")
        time.sleep(0.01)  # let it through, or be swallowed, before the next throw: it is one of many
    passed = 0
    while not silent(client, 0.1):
        passed += len(client.recv(rounds))
    thrown = how == "an update" or expected("the dice when the next toxic changes", through.real) == "thrown again"
    assert (0 < passed < rounds) == thrown


def test_with_nothing_changed_the_dice_stay(through: Through) -> None:
    through.line.add_toxic("timeout", toxicity=0.5, timeout=0)
    for _ in range(6):
        client, server = through.pair()
        server.sendall(b"x")
        swallowed = silent(client, 0.1)
        for _ in range(5):
            server.sendall(b"x")
            time.sleep(0.002)  # in chunks of their own
        if swallowed:
            assert silent(client, 0.05)
        else:
            assert read(client, 6) == b"x" * 6


def test_noops_and_resets_leave_a_live_connection_alone(through: Through) -> None:
    client, server = through.pair()
    for stream in ("upstream", "downstream"):
        through.line.add_toxic("noop", stream=stream)
    for _ in range(3):
        client.sendall(b"x")
        assert server.recv(1) == b"x"
        through.toxiproxy.reset()
    for _ in range(20):
        through.line.add_toxic("noop")
        server.sendall(b"y")
        through.line.clear()
        assert client.recv(1) == b"y"


def test_latency_and_closing_do_not_race(through: Through) -> None:
    for _ in range(60):
        through.line.add_toxic("latency", latency=1, jitter=1)
        client, server = through.pair()
        client.sendall(b"x")
        server.close()
        client.close()
        through.line.clear()


# -- how connections end


def test_a_half_close_is_half_a_close(through: Through) -> None:
    client, server = through.pair()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    assert read_all(server) == (b"question", "end")
    if expected("a half-close", through.real) == "half-open":
        assert silent(client, 0.1)
        server.sendall(BLOB)
        server.close()
        assert read_all(client) == (BLOB, "end")
    else:
        assert read_all(client) == (b"", "end")


def test_a_half_close_of_the_server(through_ours: Through) -> None:
    client, server = through_ours.pair()
    server.shutdown(socket.SHUT_WR)
    assert read_all(client) == (b"", "end")
    for n in range(3):
        client.sendall(bytes([n]))
        assert server.recv(1) == bytes([n])
    client.close()
    assert read_all(server) == (b"", "end")


@pytest.mark.parametrize("who", ["client", "server"])
@pytest.mark.parametrize("toxic", [None, "noop", "latency", "slicer"])
def test_a_reset_of_a_peer(through: Through, who: str, toxic: str | None) -> None:
    if toxic is not None:
        attributes = {"latency": {"latency": 30}, "slicer": {"average_size": 2}}.get(toxic, {})
        for stream in ("upstream", "downstream"):
            through.line.add_toxic(toxic, stream=stream, **attributes)
    client, server = through.pair()
    first, second = (client, server) if who == "client" else (server, client)
    second.sendall(b"read this")
    assert read(first, 9) == b"read this"
    first.sendall(b"last words")
    assert read(second, 10) == b"last words"
    reset(first)
    assert read_all(second) == (b"", expected("a reset from a peer", through.real))


@pytest.mark.parametrize("size", [1, 200_000])
def test_a_reset_right_behind_data_comes_through_behind_it(through_ours: Through, size: int) -> None:
    for _ in range(20):
        client, server = through_ours.pair()
        client.sendall(BLOB[:size])
        reset(client)
        data, end = read_all(server)
        assert end == "reset"
        assert BLOB.startswith(data)
    eventually(lambda: connections(through_ours) == 0)


def test_a_reset_comes_through_a_line_that_is_not_read(through_ours: Through) -> None:
    client, server = through_ours.pair()
    fill(server)
    reset(client)
    assert read_all(server) == (b"", "reset")


def test_a_reset_after_a_half_close_still_comes_through(through_ours: Through) -> None:
    client, server = through_ours.pair()
    client.shutdown(socket.SHUT_WR)
    assert read_all(server) == (b"", "end")
    server.sendall(b"x")
    assert client.recv(1, socket.MSG_PEEK) == b"x"
    client.close()  # something unread: the kernel resets

    def told() -> bool:
        try:
            server.send(b"?")
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    eventually(told)
    eventually(lambda: connections(through_ours) == 0)


def connections(through: Through) -> int:
    return int(through.api("GET", "/proxies/line/traffic").json()["connections"])


def test_a_connection_that_has_ended_is_forgotten(through_ours: Through) -> None:
    for _ in range(20):
        client, server = through_ours.pair()
        client.sendall(b"x")
        assert server.recv(1) == b"x"
        client.close()
        assert server.recv(1) == b""
        server.close()
    eventually(lambda: connections(through_ours) == 0)


def test_nothing_is_lost_when_a_toxic_goes_behind_a_client_that_stalls(through_ours: Through) -> None:
    client, server = through_ours.pair()
    through_ours.line.add_toxic("latency", latency=60_000)
    said = BLOB * 27
    writer = threading.Thread(target=server.sendall, args=(said,))
    writer.start()
    time.sleep(0.2)
    with took() as seconds:
        through_ours.line.clear()
    assert seconds[0] < LATE_S
    time.sleep(0.2)
    assert read(client, len(said)) == said
    writer.join()


def test_removing_a_toxic_behind_a_client_that_stalls(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("latency", latency=60_000)
    said = BLOB * 40
    writer = threading.Thread(target=server.sendall, args=(said,))
    writer.start()
    time.sleep(0.3)
    removing = threading.Thread(target=through.line.clear)
    removing.start()
    removing.join(6.0)  # the real one gives each chunk five seconds, and then drops it
    server_done = threading.Thread(target=lambda: (writer.join(), server.close()))
    server_done.start()
    heard = read_all(client)[0]
    removing.join()
    server_done.join()
    if expected("removing a toxic behind a stalled client", through.real) == "everything":
        assert heard == said
    else:
        assert len(heard) < len(said)


# -- counters


def test_the_counters_move_with_the_data(through_ours: Through) -> None:
    client, server = through_ours.pair()
    client.sendall(b"12345")
    assert read(server, 5) == b"12345"
    traffic = through_ours.line.traffic()
    assert traffic is not None
    assert (traffic.upstream_received, traffic.upstream_sent) == (5, 5)
    through_ours.line.add_toxic("latency", latency=60_000)
    server.sendall(b"123")

    def arrived() -> bool:
        now = through_ours.line.traffic()
        return now is not None and (now.downstream_received, now.downstream_sent) == (3, 0)

    eventually(arrived)


def test_the_real_one_cannot_say(through: Through) -> None:
    assert (through.line.traffic() is None) == through.real
