"""Chains of toxics on a made-up clock: how the tests build them, and let the time run."""

from __future__ import annotations

import math

from hypothesis import HealthCheck, settings

from harness.toxiproxy.embedded.chain import Chain, ToxicSpec
from harness.toxiproxy.embedded.schedule import Schedule
from harness.toxiproxy.embedded.toxics import TOXICS, Item

#: The machine may be busy: only the made-up clock counts.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def spec(
    kind: str, name: str = "", toxicity: float = 1.0, schedule: Schedule | None = None, **attributes: int
) -> ToxicSpec:
    """A toxic as a request would make it; one that the API refuses is a mistake of the test."""
    full = {key: TOXICS[kind].defaults.get(key, 0) for key in TOXICS[kind].names} | attributes
    return ToxicSpec(name or kind, kind, "downstream", toxicity, full, schedule)


def chain_of(*specs: ToxicSpec, now: float = 0.0) -> Chain:
    chain = Chain("seed")
    for one in specs:
        chain.add(one, now)
    return chain


def run_dry(chain: Chain, now: float = 0.0, until: float = math.inf) -> list[tuple[float, Item]]:
    """Let the clock jump from one due time to the next; what left, and when."""
    out: list[tuple[float, Item]] = [(now, item) for item in chain.advance(now)]
    while (due := chain.due) <= until and due < math.inf:
        now = max(now, due)
        out += [(now, item) for item in chain.advance(now)]
    return out


def data_of(out: list[tuple[float, Item]]) -> bytes:
    return b"".join(item for _, item in out if isinstance(item, bytes))
