"""The toxics that Toxiproxy does not have, with a made-up clock: each does its job, in its bounds, and nothing else."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from clockwork import chain_of, data_of, patiently, run_dry, spec
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.toxiproxy.embedded.chain import Chain
from harness.toxiproxy.embedded.schedule import Schedule
from harness.toxiproxy.embedded.toxics import OWN, TOXICS, Ending
from harness.toxiproxy.embedded.toxics.latency_normal import LatencyNormal
from harness.toxiproxy.embedded.toxics.latency_pareto import LatencyPareto

few = settings(patiently, max_examples=40)
pieces = st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=8)
cuts = st.lists(st.integers(1, 599), max_size=6)


def feed_all(chain: Chain, said: list[bytes], now: float = 0.0) -> None:
    for one in said:
        chain.feed(one, now)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place for place in places if place < len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if end > start]


# -- latencies


@few
@given(st.integers(0, 400), st.integers(0, 200), st.lists(st.floats(0, 0.1), min_size=1, max_size=12))
def test_a_normal_latency_is_counted_from_the_arrival_and_stays_within_four_deviations(
    mean: int, deviation: int, gaps: list[float]
) -> None:
    chain, now, arrivals, out = chain_of(spec("latency_normal", mean=mean, deviation=deviation)), 0.0, [], []
    for gap in gaps:
        out += run_dry(chain, now, until=now + gap)
        now += gap
        arrivals.append(now)
        chain.feed(b"x", now)
    out += run_dry(chain, now)
    for arrived, (left, _) in zip(arrivals, out, strict=True):
        assert left >= arrived + max(0, mean - 4 * deviation) / 1000 - 1e-9
        assert left <= arrived + (mean + 4 * deviation) / 1000 + 1e-9 or left == max(at for at, _ in out)


def test_normal_and_pareto_delays_have_the_shape_that_was_asked_for() -> None:
    normal = LatencyNormal({"mean": 100, "deviation": 10}, Random(1))
    delays = sorted(normal.delay_ms() for _ in range(4000))
    assert delays[2000] == pytest.approx(100, abs=1)
    assert delays[3364] - delays[2000] == pytest.approx(10, abs=1)  # one deviation above the mean
    pareto = LatencyPareto({"least": 10, "p99": 200, "most": 0}, Random(1))
    delays = sorted(pareto.delay_ms() for _ in range(20_000))
    assert delays[0] >= 10
    assert delays[10_000] == pytest.approx(10 * 2 ** (math.log(20) / math.log(100)), rel=0.05)
    assert delays[19_800] == pytest.approx(200, rel=0.25)
    assert delays[-1] <= 2000


# -- corruption


@few
@given(st.binary(min_size=1, max_size=600), cuts, st.integers(1, 1_000_000), st.integers(-1, 700), st.integers(0, 99))
def test_corruption_depends_on_the_place_and_the_seed_and_not_on_the_cuts(
    data: bytes, places: list[int], rate: int, offset: int, seed: int
) -> None:
    results = []
    for said in ([data], cut(data, places)):
        chain = Chain(str(seed))
        chain.add(spec("corrupt", per_million=rate, offset=offset), 0.0)
        feed_all(chain, said)
        results.append(data_of(run_dry(chain)))
    assert results[0] == results[1]
    assert len(results[0]) == len(data)
    flips = [(a ^ b).bit_count() for a, b in zip(data, results[0], strict=True)]
    assert max(flips) <= 1
    if rate == 1_000_000:
        assert min(flips) == 1


@few
@given(st.binary(min_size=1, max_size=100), cuts, st.integers(0, 120))
def test_corruption_at_an_offset_flips_one_bit_there(data: bytes, places: list[int], offset: int) -> None:
    chain = chain_of(spec("corrupt", offset=offset))
    feed_all(chain, cut(data, places))
    changed = [n for n, (a, b) in enumerate(zip(data, data_of(run_dry(chain)), strict=True)) if a != b]
    assert changed == ([offset] if offset < len(data) else [])


def test_corruption_hits_as_many_bytes_as_its_rate_says() -> None:
    chain = chain_of(spec("corrupt", per_million=10_000))
    chain.feed(bytes(200_000), 0.0)
    assert 1700 <= sum(byte != 0 for byte in data_of(run_dry(chain))) <= 2300


# -- chunks


@few
@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(1, 100))
def test_duplicate_delivers_chunks_once_or_twice_in_order(sizes: list[int], percent: int) -> None:
    chain = chain_of(spec("duplicate", percent=percent))
    said = [bytes([n]) * size for n, size in enumerate(sizes)]
    feed_all(chain, said)
    out = [item for _, item in run_dry(chain)]
    assert list(dict.fromkeys(out)) == said
    assert out == sorted(out)
    assert all(out.count(one) <= 2 for one in said)
    assert percent < 100 or len(out) == 2 * len(said)


def test_duplicate_hits_as_many_as_it_was_told() -> None:
    chain = chain_of(spec("duplicate", percent=30))
    feed_all(chain, [b"x"] * 1000)
    assert 1240 <= len(data_of(run_dry(chain))) <= 1360


@few
@given(st.integers(1, 12), st.integers(1, 100), st.lists(st.floats(0, 0.3), min_size=12, max_size=12))
def test_reorder_moves_chunks_by_one_place_and_loses_none(count: int, percent: int, gaps: list[float]) -> None:
    chain, now, out = chain_of(spec("reorder", percent=percent, wait=100)), 0.0, []
    arrived = {}
    for n in range(count):
        out += run_dry(chain, now, until=now + gaps[n])
        now += gaps[n]
        arrived[n] = now
        chain.feed(bytes([n]), now)
    chain.feed(Ending.END, now)
    out += run_dry(chain, now)
    order = list(data_of(out))
    assert sorted(order) == list(range(count))
    assert all(abs(place - n) <= 1 for place, n in enumerate(order))
    assert out[-1][1] is Ending.END
    assert all(at <= arrived[item[0]] + 0.1 + 1e-9 for at, item in out if isinstance(item, bytes))


def test_reorder_lets_the_second_overtake_the_first_and_nobody_waits_for_ever() -> None:
    chain = chain_of(spec("reorder", wait=100))
    feed_all(chain, [b"1", b"2", b"3"])
    assert run_dry(chain) == [(0.0, b"2"), (0.0, b"1"), (0.1, b"3")]


@few
@given(pieces, st.integers(1, 100), st.floats(0, 0.05))
def test_coalesce_joins_up_to_its_size_and_keeps_nothing_longer_than_its_wait(
    said: list[bytes], size: int, gap: float
) -> None:
    chain, now, out = chain_of(spec("coalesce", size=size, wait=100)), 0.0, []
    for one in said:
        out += run_dry(chain, now, until=now + gap)
        now += gap
        chain.feed(one, now)
    out += run_dry(chain, now)
    assert data_of(out) == b"".join(said)
    assert chain.held == 0
    assert out[-1][0] <= now + 0.1 + 1e-9
    assert all(len(item) < size + 60 for _, item in out if isinstance(item, bytes))


def test_coalesce_makes_one_of_many_and_the_end_takes_them_along() -> None:
    chain = chain_of(spec("coalesce", size=6, wait=1000))
    feed_all(chain, [b"ab", b"cd", b"ef", b"g"])
    assert chain.advance(0.0) == [b"abcdef"]
    chain.feed(Ending.END, 0.5)
    assert chain.advance(0.5) == [b"g", Ending.END]


@pytest.mark.parametrize("kind", ["coalesce", "reorder"])
def test_what_they_kept_flows_on_when_they_are_removed_or_changed(kind: str) -> None:
    one = spec(kind, wait=10_000)
    chain = chain_of(one)
    chain.feed(b"a", 0.0)
    assert chain.advance(0.0) == []
    assert chain.held > 0
    assert chain.change(one, 1.0) == [b"a"]
    chain.feed(b"b", 1.0)
    assert chain.advance(1.0) == []
    assert chain.remove(one, 2.0) == [b"b"]


# -- stalls, holes, ends


@few
@given(st.binary(min_size=1, max_size=300), cuts, st.integers(0, 320), st.integers(1, 3000))
def test_a_stall_comes_behind_its_byte_and_ends(data: bytes, places: list[int], limit: int, duration: int) -> None:
    chain = chain_of(spec("stall", bytes=limit, duration=duration))
    feed_all(chain, [*cut(data, places)])
    chain.feed(Ending.END, 0.0)
    out = run_dry(chain)
    assert data_of([one for one in out if one[0] == 0.0]) == data[:limit]
    assert data_of(out) == data
    assert out[-1] == ((duration / 1000 if len(data) >= max(1, limit) else 0.0), Ending.END)


def test_a_stall_happens_once_and_is_over_for_a_stream_that_was_silent() -> None:
    chain = chain_of(spec("stall", bytes=2, duration=1000))
    chain.feed(b"ab", 0.0)
    chain.feed(b"c", 5.0)
    chain.feed(b"d", 9.0)
    assert run_dry(chain) == [(0.0, b"ab"), (5.0, b"c"), (9.0, b"d")]


@few
@given(st.binary(min_size=1, max_size=100), cuts, st.integers(0, 120))
def test_a_blackhole_passes_its_bytes_and_then_nothing_not_even_the_end(
    data: bytes, places: list[int], limit: int
) -> None:
    one = spec("blackhole", bytes=limit)
    chain = chain_of(one)
    feed_all(chain, cut(data, places))
    chain.feed(Ending.END, 0.0)
    out = chain.advance(1e6)
    whole = limit > len(data)
    assert data_of([(0.0, item) for item in out]) == data[:limit]
    assert (Ending.END in out) == whole
    assert chain.due == math.inf
    if not whole:
        assert chain.remove(one, 1e6) == [Ending.CLOSE if limit < len(data) else Ending.END]


@few
@given(st.binary(min_size=1, max_size=100), cuts, st.integers(0, 120))
def test_a_reset_comes_at_exactly_its_byte(data: bytes, places: list[int], limit: int) -> None:
    chain = chain_of(spec("reset_after", bytes=limit))
    feed_all(chain, cut(data, places))
    out = chain.advance(0.0)
    assert data_of([(0.0, item) for item in out]) == data[:limit]
    assert (out[-1:] == [Ending.RESET_BEHIND]) == (len(data) >= limit)


def test_full_close_makes_the_end_of_one_direction_the_end_of_both() -> None:
    chain = chain_of(spec("full_close"))
    chain.feed(b"x", 0.0)
    chain.feed(Ending.END, 0.0)
    assert chain.advance(0.0) == [b"x", Ending.CLOSE]


# -- schedules


@few
@given(st.integers(10, 500), st.integers(10, 500), st.integers(0, 500), st.lists(st.floats(0, 1e4), max_size=20))
def test_a_schedule_is_on_and_off_for_as_long_as_it_says(on: int, off: int, after: int, moments: list[float]) -> None:
    schedule = Schedule(on, off, after)
    at, spans = 0.0, []
    while len(spans) < 9:
        working, until = schedule.phase(at)
        assert until > at
        if until - at > 1e-6:
            spans.append((working, until - at))
        at = until
    if after:
        assert spans.pop(0) == (False, pytest.approx(after / 1000))
    for n, (working, length) in enumerate(spans):
        assert working == (n % 2 == 0)
        assert length == pytest.approx((on if working else off) / 1000)
    for moment in moments:
        working, until = schedule.phase(moment)
        assert until > moment
        place = (moment * 1000 - after) % (on + off)
        if moment * 1000 > after and min(abs(place - on), place, on + off - place) > 1e-3:
            assert working == (place < on)


def test_a_schedule_that_never_goes_off_is_on_for_good() -> None:
    assert Schedule(10, 0, 500).phase(0.2) == (False, 0.5)
    assert Schedule(10, 0, 500).phase(0.5) == (True, math.inf)


def test_what_a_toxic_held_flows_on_when_its_schedule_goes_off() -> None:
    chain = chain_of(spec("bandwidth", rate=0, schedule=Schedule(1000, 500)))
    feed_all(chain, [b"a", b"b"], 0.5)
    chain.feed(Ending.END, 0.6)
    assert run_dry(chain, 0.6) == [(1.0, b"a"), (1.0, b"b"), (1.0, Ending.END)]


def test_a_toxic_that_is_off_does_nothing_and_begins_anew_when_it_is_on() -> None:
    chain, out = chain_of(spec("latency", latency=100, schedule=Schedule(1000, 1000))), []
    for at in (0.0, 1.5, 2.5, 7.5, 8.0):
        chain.feed(b"x", at)
        out += run_dry(chain, at)
    assert [round(at, 6) for at, _ in out] == [0.1, 1.5, 2.6, 7.5, 8.1]


def test_a_timeout_on_a_schedule_waits_anew_each_time_and_closes_when_it_goes_off() -> None:
    chain = chain_of(spec("timeout", timeout=900, schedule=Schedule(500, 500, after=500)))
    chain.feed(b"x", 0.1)
    assert run_dry(chain, 0.1) == [(0.1, b"x"), (1.0, Ending.CLOSE)]


def test_an_idle_stream_is_not_woken_by_schedules() -> None:
    for kind in sorted(TOXICS):
        if not TOXICS[kind].acts_when_idle:
            assert chain_of(spec(kind, schedule=Schedule(10, 10))).due == math.inf


# -- all of them


def test_the_same_seed_makes_the_same_choices_whatever_the_toxic() -> None:
    def run(seed: str) -> list[tuple[float, object]]:
        chain = Chain(seed)
        chain.add(spec("duplicate", "0", percent=50), 0.0)
        chain.add(spec("reorder", "1", percent=50), 0.0)
        chain.add(spec("corrupt", "2", per_million=100_000), 0.0)
        chain.add(spec("latency_pareto", "3", least=1, p99=100), 0.0)
        chain.add(spec("latency_normal", "4", mean=50, deviation=20), 0.0)
        feed_all(chain, [bytes([n]) * 20 for n in range(30)])
        return list(run_dry(chain))

    assert run("a") == run("a")
    assert run("a") != run("b")


def test_the_names_of_our_own_are_not_those_of_toxiproxy() -> None:
    theirs = {"noop", "latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"}
    assert not OWN & (theirs | {"packet_loss"})
    assert set(TOXICS) == OWN | theirs
