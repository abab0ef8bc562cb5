"""When an unknown server's silence counts: not while it stands ready without a processor, unless it spends all it gets."""

from __future__ import annotations

import pytest

from harness.client.patience import Processor
from harness.engine.guests import SPENT_S, starved

BEFORE = Processor(waited_s=5.0, ran_s=2.0)


@pytest.mark.parametrize(
    ("waited_s", "ran_s", "is_starved"),
    [
        (0.0, 0.0, False),  # it slept
        (0.1, 0.05, False),
        (0.3, 0.05, True),  # it stood ready: what it was sent may not have been looked at
        (0.3, 2 * SPENT_S, False),  # irc.server spins: each wait for a moment of silence took all the three seconds
    ],
)
def test_one_that_spins_has_had_its_time_when_it_has_run(waited_s: float, ran_s: float, is_starved: bool) -> None:
    after = Processor(BEFORE.waited_s + waited_s, BEFORE.ran_s + ran_s)
    assert starved(BEFORE, after, 0.4) is is_starved
