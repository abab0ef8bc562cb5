"""A capture that cannot be had, or that breaks, costs no verdict and is told."""

from __future__ import annotations

import pytest

from harness.dialect.builtin import KNOWN
from harness.engine.baseline import learn
from harness.engine.options import Options
from harness.engine.play import Attempt, play
from harness.engine.workers import Workers
from harness.evidence.ring import NoCapture
from harness.registry import Scenario
from harness.target import builtin


async def talk(room: object) -> None:
    """Two people talk."""
    people = await room.join("ana", "bia")  # type: ignore[attr-defined]
    await room.talk(*people)  # type: ignore[attr-defined]


SCENARIO = Scenario("tests/talk", "tests", "essential", {"en": "talk"}, "", talk)


def played() -> Attempt:
    """One play against the reference server, in a worker of its own."""
    options = Options(builtin("reference"), KNOWN["reference"])

    def work() -> Attempt:
        learned = learn(options, KNOWN["reference"])
        assert learned.baseline is not None
        return play(SCENARIO, options, KNOWN["reference"], learned.baseline, 1, None)

    with Workers(1) as workers:
        workers.start("play", work, 60)
        while True:
            for done in workers.wait():
                assert done.failure is None
                assert isinstance(done.value, Attempt)
                return done.value


def broken(*_: object) -> None:
    """Something in the reading of a capture."""
    raise RuntimeError("a packet out of its mind")


def refused(*_: object) -> None:
    """A system that does not allow it."""
    raise NoCapture("no capture here")


@pytest.mark.parametrize(("place", "defect", "told"), [
    ("harness.evidence.capture.flows", broken, "the capture broke: RuntimeError: a packet out of its mind"),
    ("harness.evidence.capture.Ring", refused, "no capture here"),
])  # fmt: skip
def test_no_verdict_is_lost_with_a_capture(
    monkeypatch: pytest.MonkeyPatch, place: str, defect: object, told: str
) -> None:
    first = played()
    if first.uncaptured is not None:
        pytest.skip(f"PACKETS ARE NOT CAPTURED HERE: {first.uncaptured}")
    whole = {j.id: j.outcome for j in first.judgements}
    monkeypatch.setattr(place, defect)
    attempt = played()
    judged = {j.id: j for j in attempt.judgements}
    assert {key: j.outcome for key, j in judged.items()} == whole
    assert set(whole.values()) == {"pass"}
    assert attempt.uncaptured == told
    assert told in (judged["handshake"].reason or "")
