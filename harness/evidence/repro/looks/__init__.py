"""Looks: what a repro.py looks at when the acts are over, for each property; and whom it needs for that."""

from __future__ import annotations

from harness.evidence.repro.acts import MOST_LINES, Untellable
from harness.evidence.repro.folding import folded
from harness.evidence.repro.looks.availability import accepts, responsive, serves, survives
from harness.evidence.repro.looks.delivery import delivers, genuine, intact, once, ordered, private
from harness.evidence.repro.looks.endings import closes, life
from harness.evidence.repro.looks.resources import growing, idles, memory
from harness.evidence.repro.looks.sessions import admits, expires, forgets, identity, resumes, welcomes
from harness.evidence.repro.looks.telling import Teller, Telling


def told(telling: Telling) -> list[str]:
    """The lines of `play`. Raises Untellable."""
    teller = _TELLERS.get(telling.judgement.id)
    if teller is None:
        raise Untellable("this property cannot be seen from a bare socket")
    lines = folded(teller(telling))
    size = "\n".join(lines).count("\n") + 1
    if size > MOST_LINES:
        raise Untellable(f"it takes {size} steps: too many for a file that is read")
    return lines


_TELLERS: dict[str, Teller] = {
    "refuses": life, "restarts": life, "stops": life, "accepts": accepts, "survives": survives, "serves": serves, "responsive": responsive,
    "welcomes": welcomes, "admits": admits, "forgets": forgets, "identity": identity, "expires": expires,
    "resumes": resumes, "delivers": delivers, "once": once, "ordered": ordered, "intact": intact,
    "private": private, "genuine": genuine, "threads": growing("task", "threads"),
    "sockets": growing("fd", "open files and sockets"), "memory": memory, "idles": idles, "closes": closes,
}  # fmt: skip
