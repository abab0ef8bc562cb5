"""Where what came departs from what was expected: the place of the caret.

Only properties that quote a server's bytes on both sides have one. An expectation may hold the masks of the quiet run:
`#` stands for a number, `{name}` for a name.
"""

from __future__ import annotations

import re

from harness.report.safe import visible
from harness.results import Judgement

#: Properties whose `expected` and `observed` both quote what a server sends.
QUOTING = frozenset({"welcomes", "intact"})
#: A quotation in the page may take, in characters.
SHOWN = 2000
_TOKENS = re.compile(r"\{name\}|.", re.DOTALL)


def quotations(judgement: Judgement) -> tuple[str | None, str | None, int | None]:
    """Expected and observed, safe to show, and how many characters of the latter stand before the caret, if any."""
    expected = None if judgement.expected is None else visible(judgement.expected, SHOWN)
    observed = None if judgement.observed is None else visible(judgement.observed, SHOWN)
    if judgement.id not in QUOTING or not expected or not observed:
        return expected, observed, None
    return expected, observed, first_wrong(expected, observed)


def first_wrong(expected: str, observed: str) -> int | None:
    """The index of the first character of `observed` that `expected` does not allow; None when there is none.

    `len(observed)` when it is right as far as it goes, and ends too early. Takes time linear in both.
    """
    at = 0
    tokens = _TOKENS.findall(expected)
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        end = _taken(token, following, observed, at)
        if end is None:
            return at
        at = end
    return None if at == len(observed) else at


def _taken(token: str, following: str, observed: str, at: int) -> int | None:
    """Where `observed` goes on behind what `token` stands for; None when it does not stand there."""
    if token == "#":
        end = at
        while end < len(observed) and observed[end].isdigit():
            end += 1
        return end if end > at else None
    if token == "{name}":
        end = at
        while end < len(observed) and not observed[end].isspace() and (end == at or observed[end] != following):
            end += 1
        return end if end > at else None
    return at + 1 if observed[at : at + 1] == token else None
