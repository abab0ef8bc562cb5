"""What Toxiproxy's own tests assert and the other files here do not: the same against ours and against Shopify's.

The names in brackets are those of its tests. What they ask of Go objects in one process is asked over the API here.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from typing import Any

import pytest
from divergences import expected
from test_toxiproxy_data import BLOB, LATE_S
from through import Through, connect, eventually, free_port, read, read_all, silent, took

UP = "127.0.0.1:9"


def accepts(listen: str) -> bool:
    host, _, port = listen.rpartition(":")
    try:
        connect((host, int(port))).close()
    except ConnectionRefusedError:
        return False
    return True


def create(through: Through, name: str, **fields: Any) -> dict[str, Any]:
    answer = through.api("POST", "/proxies", {"name": name, "upstream": UP, "listen": "localhost:0", **fields})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


# -- proxies over the API


def test_a_blank_upstream_is_missing(through: Through) -> None:
    """[CreateProxyBlankUpstream]"""
    answer = through.api("POST", "/proxies", {"name": "test", "upstream": "", "listen": ""})
    assert (answer.status_code, answer.json()["error"]) == (400, "missing required field: upstream")


def test_what_was_made_is_what_is_listed_and_found(through: Through) -> None:
    """[ListingProxies, CreateAndGetProxy, CreateProxyWithSave]"""
    made = create(through, "master", upstream="localhost:20001")
    assert made["listen"].startswith("127.0.0.1:")
    assert (made["upstream"], made["enabled"], made["toxics"]) == ("localhost:20001", True, [])
    assert accepts(made["listen"])
    assert through.api("GET", "/proxies").json()["master"] == through.api("GET", "/proxies/master").json() == made


def test_a_deleted_proxy_is_down_unlisted_and_unknown(through: Through) -> None:
    """[DeleteProxy]"""
    made = create(through, "master")
    assert accepts(made["listen"])
    assert through.api("DELETE", "/proxies/master").status_code == 204
    assert not accepts(made["listen"])
    assert "master" not in through.api("GET", "/proxies").json()
    again = through.api("DELETE", "/proxies/master")
    assert (again.status_code, again.json()["error"]) == (404, "proxy not found")


def test_a_whole_proxy_sent_back_is_an_update(through: Through) -> None:
    """[CreateDisabledProxy, CreateDisabledProxyAndEnable]: clients send all fields, as they were told."""
    listen = f"localhost:{free_port()}"
    made = create(through, "master", listen=listen, enabled=False)
    assert (made["enabled"], made["listen"]) == (False, listen)
    assert not accepts(listen)
    for enabled in (True, False):
        made = through.api("POST", "/proxies/master", {**made, "enabled": enabled}).json()
        assert made["enabled"] is enabled
        assert accepts(listen) is enabled


def test_another_proxys_port_is_taken_until_that_one_goes(through: Through) -> None:
    """[CreateProxyPortConflict, StartTwoProxiesOnSameAddress, RestartFailedToStartProxy]"""
    listen = create(through, "first")["listen"]
    body = {"name": "second", "upstream": UP, "listen": listen}
    refused = through.api("POST", "/proxies", body)
    assert (refused.status_code, refused.json()["error"]) == (500, f"listen tcp {listen}: bind: address already in use")
    assert "second" not in through.api("GET", "/proxies").json()
    assert through.api("POST", "/proxies", {**body, "enabled": False}).status_code == 201
    assert through.api("POST", "/proxies/second", {"enabled": True}).status_code == 500
    assert through.api("GET", "/proxies/second").json()["enabled"] is False
    assert accepts(listen)  # the first one's still
    assert through.api("POST", "/proxies/first", {"enabled": False}).status_code == 200
    assert not accepts(listen)
    assert through.api("POST", "/proxies/second", {"enabled": True}).json()["enabled"] is True
    assert accepts(listen)


def test_a_name_is_taken_whatever_the_address(through: Through) -> None:
    """[CreateProxyNameConflict]"""
    create(through, "master")
    other = {"name": "master", "upstream": "localhost:20001", "listen": f"localhost:{free_port()}"}
    refused = through.api("POST", "/proxies", other)
    assert (refused.status_code, refused.json()["error"]) == (409, "proxy already exists")
    assert not accepts(other["listen"])
    through.api("DELETE", "/proxies/master")
    assert through.api("POST", "/proxies", other).status_code == 201
    assert accepts(other["listen"])


def test_stopped_and_started_as_often_as_one_likes(through: Through) -> None:
    """[ClosingProxyMultipleTimes, StopProxyBeforeStarting]"""
    listen = create(through, "idle", listen=f"127.0.0.1:{free_port()}", enabled=False)["listen"]
    for enabled in (False, False, True, True, False, False, False, True):
        answer = through.api("POST", "/proxies/idle", {"enabled": enabled})
        assert (answer.status_code, answer.json()["enabled"]) == (200, enabled)
        assert accepts(listen) is enabled


def test_an_address_told_is_an_address_that_may_be_sent_back(through: Through) -> None:
    """[ProxyUpdate]: port 0 moves it; the address that came back does not; disabled, it is down."""
    before = create(through, "moving")["listen"]
    moved = through.api("POST", "/proxies/moving", {"listen": "localhost:0", "upstream": UP, "enabled": True}).json()
    assert moved["listen"] not in (before, "localhost:0")
    assert accepts(moved["listen"])
    same = through.api("POST", "/proxies/moving", {"listen": moved["listen"], "upstream": UP, "enabled": True}).json()
    assert same == moved
    through.api("POST", "/proxies/moving", {"listen": moved["listen"], "upstream": UP, "enabled": False})
    assert not accepts(moved["listen"])


def test_populate_keeps_by_resolved_address_and_moves_the_other(through: Through) -> None:
    """[PopulateProxy, PopulateExistingProxy, PopulateAddToxic]"""
    one, two = (create(through, name)["listen"] for name in ("one", "two"))
    through.api("POST", "/proxies/one/toxics", {"type": "latency"})
    elsewhere = f"127.0.0.1:{free_port()}"
    given = [
        {"name": "one", "listen": one.replace("127.0.0.1", "localhost"), "upstream": UP, "enabled": True},
        {"name": "two", "listen": elsewhere, "upstream": "localhost:7676", "enabled": True},
    ]
    told = through.api("POST", "/populate", given).json()["proxies"]
    assert [(proxy["name"], proxy["listen"]) for proxy in told] == [("one", one), ("two", elsewhere)]
    assert [toxic["type"] for toxic in through.api("GET", "/proxies/one/toxics").json()] == ["latency"]
    assert [accepts(address) for address in (one, elsewhere, two)] == [True, True, False]
    assert through.api("POST", "/proxies/two/toxics", {"type": "latency"}).status_code == 200


def test_populate_does_nothing_behind_its_failure(through: Through) -> None:
    """[PopulateProxyWithBadDataShouldReturnError]"""
    third = f"localhost:{free_port()}"
    listens = {"one": "localhost:0", "two": "local373", "three": third}
    answer = through.api("POST", "/populate", [{"name": n, "upstream": UP, "listen": at} for n, at in listens.items()])
    assert answer.status_code == 500
    assert sorted(through.api("GET", "/proxies").json()) == ["line", "one"]
    assert not accepts(third)


def test_reset_leaves_it_up_without_toxics(through: Through) -> None:
    """[ResetState]"""
    listen = create(through, "master")["listen"]
    toxic = {"type": "latency", "stream": "downstream", "attributes": {"latency": 100, "jitter": 10}}
    assert through.api("POST", "/proxies/master/toxics", toxic).json()["attributes"] == toxic["attributes"]
    assert through.api("POST", "/reset").status_code == 204
    assert through.api("GET", "/proxies/master").json()["enabled"] is True
    assert through.api("GET", "/proxies/master/toxics").json() == []
    assert accepts(listen)


# -- toxics over the API


def test_names_of_toxics_by_default_and_by_choice(through: Through) -> None:
    """[AddToxic, AddMultipleToxics, AddConflictingToxicsMultistreamDefaults, AddNoop]"""
    for body in (
        {"type": "latency", "stream": "upstream"},
        {"type": "latency", "stream": "downstream"},
        {"type": "latency", "name": "second"},
        {"type": "noop", "name": "third"},
    ):
        assert through.api("POST", "/proxies/line/toxics", body).status_code == 200
    nothing = {"latency": 0, "jitter": 0}
    assert [
        (toxic["name"], toxic["type"], toxic["stream"], toxic["toxicity"], toxic["attributes"])
        for toxic in through.api("GET", "/proxies/line/toxics").json()
    ] == [
        ("latency_upstream", "latency", "upstream", 1, nothing),
        ("latency_downstream", "latency", "downstream", 1, nothing),
        ("second", "latency", "downstream", 1, nothing),
        ("third", "noop", "downstream", 1, {}),
    ]


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_a_conflict_leaves_the_first_as_it_was(through: Through, stream: str) -> None:
    """[AddConflictingToxic, AddConflictingToxicsMultistream]"""
    first = through.api("POST", "/proxies/line/toxics", {"type": "latency", "name": "foobar", "stream": stream}).json()
    for kind in ("slow_close", "latency"):
        refused = through.api("POST", "/proxies/line/toxics", {"type": kind, "name": "foobar", "stream": "downstream"})
        assert (refused.status_code, refused.json()["error"]) == (409, "toxic already exists")
    assert through.api("GET", "/proxies/line/toxics").json() == [first]


def test_a_toxicity_is_changed_alone_and_kept_alone(through: Through) -> None:
    """[UpdateToxics, AddToxicWithToxicity, RemoveToxic]"""
    body = {"type": "latency", "toxicity": 0.2, "attributes": {"latency": 100, "jitter": 10}}
    assert through.api("POST", "/proxies/line/toxics", body).json()["toxicity"] == 0.2
    path = "/proxies/line/toxics/latency_downstream"
    for change, toxicity, latency in (
        ({"toxicity": 0.5, "attributes": {"latency": 1000}}, 0.5, 1000),
        ({"attributes": {"latency": 500}}, 0.5, 500),
        ({"toxicity": 0}, 0, 500),
    ):
        told = through.api("PATCH", path, change).json()
        assert (told["toxicity"], told["attributes"]) == (toxicity, {"latency": latency, "jitter": 10})
        assert through.api("GET", path).json() == told
    assert through.api("DELETE", path).status_code == 204
    assert through.api("GET", path).status_code == 404


# -- what passes


def test_a_toxic_of_toxicity_0_works_when_it_is_raised(through: Through) -> None:
    """[Toxicity]"""
    through.line.add_toxic("timeout", name="t", toxicity=0.0, timeout=0)
    client, server = through.pair()
    server.sendall(b"*")
    assert client.recv(1) == b"*"
    through.api("PATCH", "/proxies/line/toxics/t", {"toxicity": 1, "attributes": {"timeout": 100}})
    with took() as seconds:
        server.sendall(b"*")
        assert read_all(client) == (b"", "end")
    assert 0.09 <= seconds[0] <= 0.1 + LATE_S


def test_stalled_lines_with_a_sender_that_goes_on_let_go_of_their_toxics(through: Through) -> None:
    """[RemoveToxicWithBrokenConnection]"""
    client, server = through.pair()
    for stream in ("upstream", "downstream"):
        through.line.add_toxic("bandwidth", stream=stream, rate=0)
    over = threading.Event()

    def speak(sock: socket.socket) -> None:
        sock.sendall(b"42")  # once at least, however late it has its turn
        while not over.wait(0.001):
            sock.sendall(b"42")

    speakers = [threading.Thread(target=speak, args=(sock,)) for sock in (client, server)]
    for speaker in speakers:
        speaker.start()
    for stream in ("upstream", "downstream"):
        assert through.api("DELETE", f"/proxies/line/toxics/bandwidth_{stream}").status_code == 204
    over.set()
    for speaker in speakers:
        speaker.join()
    if (
        not through.real
    ):  # the original's line may stay stuck for good: its own test asks no more than that the calls return
        assert read(server, 2) == read(client, 2) == b"42"


@pytest.mark.parametrize(("up", "down"), [(100, 0), (0, 100), (60, 120), (0, 0)])
def test_each_way_has_its_own_latency_for_a_long_line(through: Through, up: int, down: int) -> None:
    """[Upstream-, Downstream-, FullstreamLatency…, ZeroLatency]"""
    client, server = through.pair()
    through.line.add_toxic("latency", name="up", stream="upstream", latency=up)
    through.line.add_toxic("latency", name="down", stream="downstream", latency=down)
    line = BLOB[:33_000]
    for source, sink, wait in ((client, server, up), (server, client, down)):
        with took() as seconds:
            source.sendall(line)
            assert read(sink, len(line)) == line
        assert wait / 1000 - 0.0015 <= seconds[0] <= wait / 1000 + LATE_S


def test_two_latencies_take_their_sum_for_one_message(through: Through) -> None:
    """[TwoLatencyToxics]"""
    client, server = through.pair()
    for name in ("one", "two"):
        through.line.add_toxic("latency", name=name, stream="upstream", latency=100)
    with took() as seconds:
        client.sendall(b"x")
        assert server.recv(1) == b"x"
    assert 0.1985 <= seconds[0] <= 0.2 + LATE_S


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ([50], 50),  # less than the limit: it stays open
        ([100], 100),
        ([150], 100),
        ([25, 25, 25, 25], 100),
        ([90, 20], 100),
    ],
)
def test_a_limit_of_data_however_it_comes(through: Through, said: list[int], heard: int) -> None:
    """[LimitDataToxic…]"""
    through.line.add_toxic("limit_data", bytes=100)
    client, server = through.pair()
    for size in said:
        server.sendall(BLOB[:size])
        time.sleep(0.01)  # let it be a chunk of its own
    whole = b"".join(BLOB[:size] for size in said)[:heard]
    assert read(client, heard) == whole
    if heard < 100:
        assert silent(client, 0.05)
        server.close()
    assert read_all(client)[0] == b""


def test_a_limit_of_nothing_cuts_at_the_first_data_and_no_sooner(through: Through) -> None:
    """[LimitDataToxicLimitIsSetToZero, …MayBeInterrupted]"""
    through.line.add_toxic("limit_data", bytes=0)
    client, server = through.pair()
    through.api("PATCH", "/proxies/line/toxics/limit_data_downstream", {})
    assert silent(client, 0.05)
    server.sendall(b"x")
    assert read_all(client)[0] == b""


def test_a_limit_lets_the_end_pass_and_counts_on_over_a_change(through: Through) -> None:
    """[LimitDataToxicNilShouldClosePipe, …MayBeRestarted]"""
    through.line.add_toxic("limit_data", bytes=100)
    client, server = through.pair()
    server.close()
    assert read_all(client) == (b"", "end")
    client, server = through.pair()
    server.sendall(BLOB[:90])
    assert read(client, 90) == BLOB[:90]
    through.api("PATCH", "/proxies/line/toxics/limit_data_downstream", {})
    server.sendall(BLOB[:20])
    assert read_all(client)[0] == BLOB[:10]


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
@pytest.mark.parametrize("wait", [0, 100])
def test_reset_peer_is_told_to_the_client_once_and_then_it_is_over(through: Through, stream: str, wait: int) -> None:
    """[ResetToxicNoTimeout, …WithTimeout, …WithTimeoutDownstream]"""
    through.line.add_toxic("reset_peer", stream=stream, timeout=wait)
    client, server = through.pair()
    with took() as seconds:
        client.sendall(b"payload\n")
        if stream == "downstream":
            assert read(server, 8) == b"payload\n"
            server.sendall(b"answer\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert client.recv(1) == b""
    assert wait / 1000 - 0.0015 <= seconds[0] <= wait / 1000 + LATE_S


def test_a_slicer_loses_nothing_of_a_long_text(through: Through) -> None:
    """[SlicerToxic]"""
    through.line.add_toxic("slicer", average_size=1024, size_variation=512, delay=10)
    client, server = through.pair()
    writer = threading.Thread(target=server.sendall, args=(BLOB,))
    writer.start()
    assert read(client, len(BLOB)) == BLOB
    writer.join()


def test_latency_before_a_timeout_is_taken_off_at_once(through: Through) -> None:
    """[TimeoutToxicDoesNotCauseHang]"""
    client, server = through.pair()
    through.line.add_toxic("latency", name="before", stream="upstream", latency=10)
    through.line.add_toxic("timeout", name="behind", stream="upstream", timeout=0)
    for _ in range(5):
        client.sendall(b"hello")
        time.sleep(0.03)  # for it to be in one, and then in the other
    with took() as seconds:
        through.line.remove_toxic("before")
    assert seconds[0] < LATE_S
    assert silent(server, 0.05)


def test_echoes_pass_while_noops_come_and_go_as_fast_as_they_can(through: Through) -> None:
    """[ToxicAddRemove, PersistentConnections]"""
    client, server = through.pair()
    over = threading.Event()
    statuses = set[int]()

    def toggle() -> None:
        for add, remove in itertools.cycle([("upstream", "downstream"), ("downstream", "upstream")]):
            if over.is_set():
                return
            body = {"type": "noop", "stream": add}
            statuses.add(through.api("POST", "/proxies/line/toxics", body).status_code)
            statuses.add(through.api("DELETE", f"/proxies/line/toxics/noop_{remove}").status_code)

    toggler = threading.Thread(target=toggle)
    toggler.start()
    eventually(lambda: len(statuses) > 1)
    for _ in range(100):
        for source, sink in ((client, server), (server, client)):
            source.sendall(b"hello world\n")
            assert read(sink, 12) == b"hello world\n"
    over.set()
    toggler.join()
    assert statuses == {200, 204, 404}  # 404: the very first removes what was never there


# -- a neighbour in the chain


def test_a_toxic_behind_another_leaves_what_that_one_holds(through: Through) -> None:
    client, server = through.pair()
    through.line.add_toxic("latency", stream="upstream", latency=60_000)
    client.sendall(b"x")
    assert silent(server, 0.05)
    through.line.add_toxic("noop", name="behind", stream="upstream")
    held = expected("what a toxic holds when the next one comes", through.real) == "held"
    assert silent(server, 0.2) == held
