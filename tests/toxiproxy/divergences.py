"""Where the embedded proxy differs from Shopify's on purpose: the whole list. A test that meets one asks here what to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Divergence:
    """What each does, and why ours does otherwise."""

    ours: Any
    real: Any
    why: str


DIVERGENCES = {
    "a reset from a peer": Divergence("reset", "end", "servers must meet the resets that clients send"),
    "a half-close": Divergence("half-open", "closed", "clients that end their stream may still listen"),
    "reset_peer on a live connection": Divergence("reset", "end", "a fault added in mid-connection is the same fault"),
    "toxics in a populate body": Divergence(1, 0, "one file describes proxies and their faults"),
    "toxics in a create body": Divergence(1, 0, "one request, no moment without the fault"),
    "slicer without attributes": Divergence(400, "crash", "average 0 recurses for ever there"),
    "bandwidth below zero": Divergence(400, "crash", "division ends the whole process there"),
    "a toxic for both streams": Divergence(200, 400, "one request, an asymmetric line"),
    "a toxic of our own": Divergence(200, 400, "what Toxiproxy cannot do has names that it does not use"),
    "a float without a fraction": Divergence(200, 400, "Python's 100.0 is 100"),
    "a refused change of a toxic": Divergence(0, 99, "refused is refused: nothing of it is kept"),
    "removing a toxic behind a stalled client": Divergence("everything", "a hole", "a byte stream has no holes"),
    "removing a timeout that passed everything": Divergence("open", "end", "nothing was swallowed, so nothing is cut"),
    "a second latency": Divergence("adds up", "is short", "two delays in a row take their sum"),
    "a foreign Host header": Divergence(403, 200, "a web page could rebind its own name to the loopback"),
    "the dice when the next toxic changes": Divergence(
        "as they lay", "thrown again", "toxicity is drawn per connection: what nobody changed stays as it is"
    ),
    "what a toxic holds when the next one comes": Divergence(
        "held", "let go", "a message late by 60 s is late by 60 s, whatever else is added meanwhile"
    ),
    "a page of another site": Divergence(403, 200, "any page may send a request to the loopback"),
    "the counters": Divergence("at once", "at the end", "a test asks what has passed so far"),
    "Go's own metrics": Divergence("none", "told", "no Go runs here; the process' own have the same names"),
    "interrupting reset_peer": Divergence("at once", "after the wait", "the API must not hang on a toxic"),
}


def expected(what: str, real: bool) -> Any:
    """What Shopify's (`real`) or ours does."""
    return DIVERGENCES[what].real if real else DIVERGENCES[what].ours
