"""Chains of toxics with a made-up clock: no byte lost or invented, order kept, delays within their bounds, never early."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from clockwork import chain_of, data_of, patiently, run_dry, spec
from hypothesis import given
from hypothesis import strategies as st

from harness.toxiproxy.embedded.chain import Chain, ToxicSpec
from harness.toxiproxy.embedded.schedule import Schedule
from harness.toxiproxy.embedded.toxics import TOXICS, Ending

steady = st.lists(
    st.one_of(
        st.builds(spec, st.just("noop")),
        st.builds(spec, st.just("latency"), latency=st.integers(-5, 500), jitter=st.integers(-5, 600)),
        st.builds(spec, st.just("bandwidth"), rate=st.integers(1, 1000)),
        st.builds(spec, st.just("slow_close"), delay=st.integers(-5, 1000)),
        st.builds(
            spec,
            st.just("slicer"),
            average_size=st.integers(1, 100),
            size_variation=st.integers(-5, 100),
            delay=st.integers(-5, 5000),
        ).filter(lambda one: one.attributes["size_variation"] <= one.attributes["average_size"]),
        st.builds(spec, st.just("latency_normal"), mean=st.integers(0, 500), deviation=st.integers(0, 300)),
        st.builds(spec, st.just("latency_pareto"), least=st.integers(1, 9), p99=st.integers(9, 99)),
        st.builds(spec, st.just("coalesce"), size=st.integers(1, 500), wait=st.integers(1, 500)),
        st.builds(spec, st.just("stall"), bytes=st.integers(0, 500), duration=st.integers(1, 2000)),
        st.builds(spec, st.just("refuse")),
    ),
    max_size=4,
).map(lambda specs: [replace(one, name=f"{n}") for n, one in enumerate(specs)])
schedules = st.one_of(
    st.none(),
    st.builds(Schedule, st.integers(10, 900), st.just(0) | st.integers(10, 900), st.integers(0, 900)),
)
#: Toxics that lose nothing, always on or now and then.
harmless = st.tuples(steady, st.lists(schedules, min_size=4, max_size=4)).map(
    lambda both: [replace(one, schedule=schedule) for one, schedule in zip(both[0], both[1], strict=False)]
)
chunks = st.lists(st.tuples(st.binary(min_size=1, max_size=300), st.floats(0, 2)), max_size=8)


@patiently
@given(harmless, chunks)
def test_nothing_is_lost_invented_or_out_of_order(specs: list[ToxicSpec], said: list[tuple[bytes, float]]) -> None:
    chain = chain_of(ToxicSpec("first", "noop", "downstream"), *specs)
    now, out = 0.0, []
    for data, pause in said:
        out += run_dry(chain, now, until=now + pause)
        now += pause
        chain.feed(data, now)
    chain.feed(Ending.END, now)
    out += run_dry(chain, now)
    assert data_of(out) == b"".join(data for data, _ in said)
    assert [item for _, item in out if isinstance(item, Ending)] == [Ending.END]
    assert out[-1][1] is Ending.END
    assert all(a <= b for (a, _), (b, _) in pairwise(out))
    assert chain.held == 0


@patiently
@given(harmless, st.binary(min_size=1, max_size=600), st.lists(st.integers(1, 599), max_size=6))
def test_any_cut_of_the_input_gives_the_same_bytes(specs: list[ToxicSpec], data: bytes, cuts: list[int]) -> None:
    chain = chain_of(ToxicSpec("first", "noop", "downstream"), *specs)
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    for start, end in pairwise(edges):
        chain.feed(data[start:end], 0.0)
    assert data_of(run_dry(chain)) == data


@patiently
@given(harmless, chunks, st.data())
def test_toxics_removed_and_changed_in_mid_stream_lose_nothing(
    specs: list[ToxicSpec], said: list[tuple[bytes, float]], draw: Any
) -> None:
    chain = chain_of(ToxicSpec("first", "noop", "downstream"), *specs)
    left = list(specs)
    now, out = 0.0, []
    for data, pause in said:
        chain.feed(data, now)
        if left and draw.draw(st.booleans()):
            one = left.pop(draw.draw(st.integers(0, len(left) - 1)))
            out += [(now, item) for item in chain.remove(one, now)]
        if left and draw.draw(st.booleans()):
            out += [(now, item) for item in chain.change(left[0], now)]
        out += run_dry(chain, now, until=now + pause)
        now += pause
    for one in left:
        out += [(now, item) for item in chain.remove(one, now)]
    out += run_dry(chain, now)
    assert data_of(out) == b"".join(data for data, _ in said)


@patiently
@given(st.integers(0, 1000), st.integers(0, 500), st.lists(st.floats(0, 0.1), min_size=1, max_size=20))
def test_latency_is_counted_from_the_arrival_and_stays_in_bounds(latency: int, jitter: int, gaps: list[float]) -> None:
    chain = chain_of(spec("latency", latency=latency, jitter=jitter))
    now, arrivals, out = 0.0, [], []
    for gap in gaps:
        out += run_dry(chain, now, until=now + gap)
        now += gap
        arrivals.append(now)
        chain.feed(b"x", now)
    out += run_dry(chain, now)
    latest = 0.0
    for arrived, (left, _) in zip(arrivals, out, strict=True):
        latest = max(latest, arrived + (latency + max(0, jitter - 1)) / 1000)
        assert left >= arrived + max(0, latency - jitter) / 1000 - 1e-9
        assert left <= latest + 1e-9


def test_two_latencies_take_their_sum_for_messages_close_together_too() -> None:
    chain = chain_of(spec("latency", "one", latency=100), spec("latency", "two", latency=100))
    for n in range(5):
        chain.feed(b"x", n * 0.03)
    assert [round(at, 6) for at, _ in run_dry(chain)] == [0.2, 0.23, 0.26, 0.29, 0.32]


def test_a_change_of_latency_lets_the_first_go_and_holds_the_others_for_the_new_time() -> None:
    one = spec("latency", latency=10_000)
    chain = chain_of(one)
    for n in range(3):
        chain.feed(bytes([n]), 0.0)
    assert chain.advance(1.0) == []
    one.attributes["latency"] = 3000
    assert chain.change(one, 1.0) == [b"\0"]
    assert run_dry(chain, 1.0) == [(3.0, b"\1"), (3.0, b"\2")]


@patiently
@given(st.integers(1, 1000), st.binary(min_size=1, max_size=40_000))
def test_bandwidth_takes_as_long_as_the_rate_says_in_pieces_of_a_tenth_of_a_second(rate: int, data: bytes) -> None:
    chain = chain_of(spec("bandwidth", rate=rate))
    chain.feed(data, 5.0)
    out = run_dry(chain, 5.0)
    assert data_of(out) == data
    assert out[-1][0] == pytest.approx(5.0 + len(data) / rate / 1000)
    assert all(len(item) <= rate * 100 for _, item in out if isinstance(item, bytes))


def test_idle_time_earns_no_credit() -> None:
    chain = chain_of(spec("bandwidth", rate=1))
    chain.feed(b"x" * 50, 100.0)
    assert run_dry(chain, 100.0) == [(100.05, b"x" * 50)]


def test_rate_zero_stalls_data_and_the_end_behind_it_until_it_is_removed() -> None:
    one = spec("bandwidth", rate=0)
    chain = chain_of(one)
    chain.feed(b"abc", 0.0)
    chain.feed(Ending.END, 0.0)
    assert chain.advance(1e6) == []
    assert chain.due == math.inf
    assert chain.remove(one, 1e6) == [b"abc", Ending.END]


def test_rate_zero_lets_a_bare_end_pass() -> None:
    chain = chain_of(spec("bandwidth", rate=0))
    chain.feed(Ending.END, 0.0)
    assert chain.advance(0.0) == [Ending.END]


def test_slow_close_holds_the_end_alone_and_a_change_begins_the_delay_anew() -> None:
    one = spec("slow_close", delay=1000)
    chain = chain_of(one)
    chain.feed(b"abc", 0.0)
    chain.feed(Ending.END, 0.0)
    assert chain.advance(0.5) == [b"abc"]
    assert chain.change(one, 0.5) == []
    assert run_dry(chain, 0.5) == [(1.5, Ending.END)]


def test_timeout_swallows_and_every_chunk_begins_the_wait_anew() -> None:
    chain = chain_of(spec("timeout", timeout=300))
    for n in range(1, 6):
        chain.feed(b"x", n * 0.25)
        assert chain.advance(n * 0.25) == []
    assert run_dry(chain, 1.25) == [(1.55, Ending.CLOSE)]


@pytest.mark.parametrize("wait", [0, -1])
def test_timeout_zero_never_closes_but_lets_the_end_pass(wait: int) -> None:
    chain = chain_of(spec("timeout", timeout=wait))
    chain.feed(b"x", 0.0)
    assert chain.advance(1e6) == []
    assert chain.due == math.inf
    chain.feed(Ending.END, 1e6)
    assert chain.advance(1e6) == [Ending.END]


def test_timeout_removed_closes_and_a_change_does_not() -> None:
    one = spec("timeout", timeout=0)
    chain = chain_of(one)
    one.attributes["timeout"] = 100
    assert chain.change(one, 1.0) == []
    assert chain.due == pytest.approx(1.1)
    assert chain.remove(one, 1.05) == [Ending.CLOSE]


def test_timeout_that_the_dice_passed_over_is_removed_without_a_trace() -> None:
    one = spec("timeout", toxicity=0.0, timeout=10)
    chain = chain_of(one)
    chain.feed(b"x", 0.0)
    assert chain.advance(1.0) == [b"x"]
    assert chain.remove(one, 2.0) == []


def test_reset_peer_resets_after_the_first_data_and_never_an_idle_stream() -> None:
    chain = chain_of(spec("reset_peer", timeout=500))
    assert chain.due == math.inf
    chain.feed(b"x", 10.0)
    chain.feed(b"y", 10.2)
    assert run_dry(chain, 10.2) == [(10.5, Ending.RESET)]


def test_reset_peer_removed_while_it_waits_lets_everything_flow_on() -> None:
    one = spec("reset_peer", timeout=30_000)
    chain = chain_of(one)
    chain.feed(b"x", 0.0)
    chain.feed(b"y", 0.0)
    assert chain.advance(1.0) == []
    assert chain.remove(one, 1.0) == [b"x", b"y"]


@patiently
@given(st.integers(-3, 100), st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6))
def test_limit_data_passes_exactly_so_many_bytes_and_closes_at_once(limit: int, said: list[bytes]) -> None:
    chain = chain_of(spec("limit_data", bytes=limit))
    for data in said:
        chain.feed(data, 0.0)
    out = chain.advance(0.0)
    whole = b"".join(said)
    assert data_of([(0.0, item) for item in out]) == whole[: max(0, limit)]
    assert (out[-1:] == [Ending.CLOSE]) == (len(whole) >= limit)


def test_limit_data_keeps_its_count_over_a_change() -> None:
    one = spec("limit_data", bytes=10)
    chain = chain_of(one)
    chain.feed(b"123456", 0.0)
    assert chain.advance(0.0) == [b"123456"]
    one.attributes["bytes"] = 8
    assert chain.change(one, 0.0) == []
    chain.feed(b"789", 0.0)
    assert chain.advance(0.0) == [b"78", Ending.CLOSE]


def test_slicer_halves_until_the_pieces_are_small_and_waits_after_each() -> None:
    chain = chain_of(spec("slicer", average_size=100, delay=1000))
    chain.feed(b"x" * 1024, 0.0)
    chain.feed(b"y", 0.0)
    out = run_dry(chain)
    assert [len(item) for _, item in out if isinstance(item, bytes)] == [64] * 16 + [1]
    assert [round(at, 6) for at, _ in out] == [round(n / 1000, 6) for n in range(17)]


def test_slicer_without_variation_cuts_single_bytes() -> None:
    chain = chain_of(spec("slicer", average_size=1))
    chain.feed(b"x" * 24, 0.0)
    assert [len(item) for item in chain.advance(0.0) if isinstance(item, bytes)] == [1] * 24


def test_slicer_changed_in_the_middle_lets_the_rest_go_in_one_piece() -> None:
    one = spec("slicer", average_size=1, delay=1_000_000)
    chain = chain_of(one)
    chain.feed(b"abcdef", 0.0)
    assert chain.advance(1.0) == [b"a", b"b"]
    assert chain.change(one, 1.0) == [b"cdef"]


@patiently
@given(st.integers(0, 2**32))
def test_the_same_seed_throws_the_same_dice(seed: int) -> None:
    def lucky() -> list[bool]:
        chain = Chain(str(seed))
        for n in range(8):
            chain.add(spec("noop", str(n), toxicity=0.5), 0.0)
        return [stage.active for stage in chain.stages]

    assert lucky() == lucky()


def test_toxicity_is_how_often_a_toxic_works() -> None:
    works = 0
    for n in range(1000):
        chain = Chain(f"{n}")
        chain.add(spec("noop", toxicity=0.3), 0.0)
        works += chain.stages[0].active
    assert 240 <= works <= 360


@patiently
@given(st.sampled_from(sorted(TOXICS)), st.data())
def test_no_attributes_whatever_that_are_accepted_make_a_toxic_fail(kind: str, draw: Any) -> None:
    numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3))
    attributes = {name: draw.draw(numbers) for name in TOXICS[kind].names}
    if TOXICS[kind].problem(attributes) is not None:
        return
    toxic = TOXICS[kind](attributes, Random(0))
    toxic.start(0.0)
    for item in (b"x" * 70, Ending.END):
        times = [at for at, _ in toxic.apply(item, 0.0, 0.0)]
        assert times == sorted(times)
        assert all(at >= 0.0 for at in times)
