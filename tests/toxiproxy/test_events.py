"""GET /events: what passed, and what was done to it, told to whoever listens and never at the traffic's cost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from through import PATIENCE_S, Through, connect, eventually, free_port, read, read_all

from harness.toxiproxy import Passage, Toxiproxy
from harness.toxiproxy.embedded.events import KEPT, READERS_MOST, WAITING_MOST, Events, TooManyReaders, Wanted


@contextlib.contextmanager
def listening(through: Through, query: str = "") -> Iterator[Iterator[dict[str, Any]]]:
    """The events as they come."""
    with (
        requests.Session() as session,
        session.get(through.toxiproxy.url + "/events" + query, stream=True, timeout=PATIENCE_S) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        assert "events" in answer.headers["X-Harness-Capabilities"]
        yield (json.loads(line) for line in answer.iter_lines(chunk_size=1))


def until(events: Iterator[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """All events up to the first of this kind."""
    seen: list[dict[str, Any]] = []
    for event in events:
        seen.append(event)
        if event["event"] == kind:
            return seen
    raise AssertionError(f"no {kind} came: {seen}")


def so_far(through: Through, query: str = "") -> list[dict[str, Any]]:
    answer = through.api("GET", "/events?follow=false" + query)
    return [json.loads(line) for line in answer.text.splitlines()]


def test_what_passes_and_what_was_done_to_it_is_told_as_it_happens(through_ours: Through) -> None:
    client, server = through_ours.pair()
    port = client.getsockname()[1]
    with listening(through_ours, "?proxy=line") as events:
        assert next(events)["event"] == "hello"
        known = until(events, "open")[-1]
        assert known["client"] == f"127.0.0.1:{port}"
        through_ours.line.add_toxic("latency", latency=30)
        through_ours.line.add_toxic("corrupt", offset=0)
        server.sendall(b"hello")
        assert read(client, 5) != b"hello"
        seen = until(events, "sent")
        told = {event["toxic"]: event for event in seen if event["event"] == "toxic"}
        assert (told["latency_downstream"]["delay_ms"], told["latency_downstream"]["altered"]) == (30.0, False)
        assert (told["corrupt_downstream"]["delay_ms"], told["corrupt_downstream"]["altered"]) == (0.0, True)
        came, left = (next(event for event in seen if event["event"] == kind) for kind in ("received", "sent"))
        assert came["total"] == left["total"] == 5
        assert left["at"] - came["at"] >= 0.0299
        client.shutdown(1)
        server.close()
        ends = until(events, "closed")
        assert [event["how"] for event in ends if event["event"] == "ended"] == ["fin", "fin"]
        assert (ends[-1]["why"], ends[-1]["by"]) == ("ended", "client")
        assert ends[-1]["downstream"] == {"received": 5, "sent": 5}


def test_what_a_cut_line_kept_is_told_of_each_connection(through_ours: Through) -> None:
    near, far = through_ours.pair()
    through_ours.line.add_toxic("latency", latency=60_000)
    far.sendall(b"held for a minute")
    eventually(lambda: through_ours.line.traffic().downstream_received > 0)  # type: ignore[union-attr]
    before = so_far(through_ours)[0]["next"]
    through_ours.line.disable()
    assert read_all(near)[0] == b""
    closed = [event for event in so_far(through_ours, f"&after={before - 1}") if event["event"] == "closed"]
    told = [(event["why"], event["by"], event["downstream"]) for event in closed]
    assert told == [("stopped", "proxy", {"received": 17, "sent": 0})]
    assert closed[0]["client"].endswith(f":{near.getsockname()[1]}")


def test_server_sent_events_are_numbered_and_taken_up_again(through_ours: Through) -> None:
    through_ours.line.disable()
    through_ours.line.enable()
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(so_far(through_ours)[0]["next"] - 3)}
    answer = through_ours.api("GET", "/events?follow=false", headers=headers)
    assert answer.headers["Content-Type"] == "text/event-stream"
    hello, stopped, listening_, rest = answer.text.split("\n\n")
    assert hello.startswith("event: hello\ndata: {")
    assert stopped.splitlines()[1] == "event: stopped"
    assert listening_.splitlines()[0] == f"id: {json.loads(hello.partition('data: ')[2])['next'] - 1}"
    assert rest == ""


def test_connections_that_fail_are_told_with_the_reason(through_ours: Through) -> None:
    through_ours.line.set_upstream(f"127.0.0.1:{free_port()}")
    with connect(through_ours.line.address) as client:
        read_all(client)
    told = [event for event in so_far(through_ours, "&proxy=line") if event["event"] == "failed"]
    assert "ECONNREFUSED" in told[-1]["why"]


@pytest.mark.parametrize("query", ["follow=maybe", "data=1", "after=x"])
def test_a_question_that_makes_no_sense_is_refused(through_ours: Through, query: str) -> None:
    assert through_ours.api("GET", f"/events?{query}").status_code == 400


def test_a_reader_who_does_not_read_stops_nobody_and_is_told_how_much_it_missed() -> None:
    async def play() -> None:
        events = Events()
        with events.listening(Wanted()) as reader:
            assert events.data
            for _ in range(WAITING_MOST + 7):
                events.pass_on("sent", "line", bytes=1)
            events.close()
            seen = [event async for batch in reader.batches() for event in batch]
        assert len(seen) == WAITING_MOST + 1
        assert seen[-1] | {"at": 0} == {"event": "skipped", "at": 0, "count": 7}
        assert not events.data
        assert not events.listened_to

    asyncio.run(play())


def test_no_more_than_the_last_is_kept_and_the_rest_is_counted() -> None:
    events = Events()
    for _ in range(KEPT + 5):
        events.tell("closed", "line")
    hello, skipped, *kept = events.so_far(Wanted())
    assert hello["next"] == KEPT + 5
    assert (skipped["event"], skipped["count"]) == ("skipped", 5)
    assert [event["n"] for event in kept] == list(range(5, KEPT + 5))
    assert [event["event"] for event in events.so_far(Wanted(after=KEPT + 3))] == ["hello", "closed"]


def test_readers_are_limited() -> None:
    async def play() -> None:
        events = Events()
        with contextlib.ExitStack() as stack:
            for _ in range(READERS_MOST):
                stack.enter_context(events.listening(Wanted(data=False)))
            with pytest.raises(TooManyReaders):
                stack.enter_context(events.listening(Wanted()))
        assert not events.listened_to

    asyncio.run(play())


def test_the_harness_asks_what_became_of_each_connection(through: Through) -> None:
    first, server = through.pair()
    server.sendall(b"hello")
    assert read(first, 5) == b"hello"
    before = time.monotonic()
    server.close()
    first.close()
    second, _ = through.pair()
    if through.real:
        assert through.line.passages() == []
        return
    asked: list[Passage] = []
    eventually(lambda: bool(asked.extend(through.line.passages()) or any(one.over for one in asked)))
    over = next(one for one in asked if one.over)
    assert (over.by, over.traffic.downstream_sent) == ("server", 5)
    assert over.opened < before < (over.over or 0.0) < time.monotonic()
    now = through.line.passages()  # what is over was told before
    assert [(one.client_port, one.over, one.by) for one in now] == [(second.getsockname()[1], None, None)]
    through.line.delete()
    assert [one.by for one in through.line.passages()] == ["proxy"]


def test_a_line_made_anew_is_not_told_of_the_connections_of_the_old_one(ours: Toxiproxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(2):
            line = ours.create("again", f"127.0.0.1:{listener.getsockname()[1]}")
            with connect(line.address) as client:
                listener.accept()[0].close()
                assert read_all(client) == (b"", "end")
                seen: list[Passage] = []
                eventually(lambda line=line, seen=seen: bool(seen.extend(line.passages()) or seen))  # type: ignore[misc]
                assert {one.client_port for one in seen} == {client.getsockname()[1]}
            line.delete()
