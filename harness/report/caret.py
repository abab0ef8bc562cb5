"""What a quotation shows: the place of the caret, under the first byte that is wrong, and the part that is missing.

Pure, and cautious: a caret stands only where one byte is really the first wrong one. What is quoted may hold escapes, and
an expectation the masks of the quiet run (`#` stands for a number, `{name}` for a name); a message is recognised by its
token, so that what a server puts around it is not taken for a difference.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.report.safe import visible
from harness.results import Judgement

#: A quotation in the page may take, in characters.
SHOWN = 2000
#: Of a part that is shown in part, so much must be there to say where it ends: characters, and a share.
BEGUN, SHARE = 4, 0.5
#: Between the parts of an introduction, and between several messages of one quotation.
PARTS, MESSAGES = " / ", " | "

_TOKENS = re.compile(r"\{name\}|.", re.DOTALL)
_MESSAGE = re.compile(r"xq[0-9a-z]{9}")  # the mark that every message carries
_CHARACTER = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\[nrt\\]|.", re.DOTALL)
_CUT = re.compile(r"(?:… \(\d+ characters\)|…\(\+\d+\))$")
_BEGINS = r"(?:(?<!\w)|(?<=\\[nrt])|(?<=\\x[0-9a-f]{2}))"  # an escape before a word is no letter of it
_BREAKS = frozenset("\r\n")

Place = tuple[int, str]  # characters before the caret, and what stands there
Finder = Callable[[Judgement, str, str], Place | None]  # given expected and observed as they are shown


@dataclass(frozen=True, slots=True)
class Quotation:
    """Expected and observed, safe to show. `at` characters of the latter stand before the caret, where there is one, and
    `note` says in English what stands there; `missing` is the first part of what was expected that never came."""

    expected: str | None
    observed: str | None
    at: int | None = None
    note: str = ""
    missing: str = ""


def quotation(judgement: Judgement) -> Quotation:
    """What a judgement quotes, and where to look in it."""
    expected = None if judgement.expected is None else visible(judgement.expected, SHOWN)
    observed = None if judgement.observed is None else visible(judgement.observed, SHOWN)
    missing = _missing(judgement) if judgement.id == "welcomes" else ""
    find = _PLACES.get(judgement.id)
    place = find(judgement, expected or "", observed) if find and observed else None
    at, note = place or (None, "")
    return Quotation(expected, observed, at, note, "" if missing == expected else missing)


def first_wrong(expected: str, observed: str) -> int | None:
    """The index of the first character of `observed` that `expected` does not allow; None when there is none.

    `len(observed)` when it is right as far as it goes, and ends too early. Takes time linear in both.
    """
    at, matched = _matched(_TOKENS.findall(expected), observed)
    return None if matched == len(_TOKENS.findall(expected)) and at == len(observed) else at


def _matched(tokens: Sequence[str], observed: str) -> tuple[int, int]:
    """How far `observed` is what `tokens` stand for: up to which character, and how many of them."""
    at = 0
    for number, (token, following) in enumerate(zip(tokens, [*tokens[1:], ""], strict=True)):
        end = _taken(token, following, observed, at)
        if end is None:
            return at, number
        at = end
    return at, len(tokens)


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


# -- what is quoted, character by character --------------------------------------------------------------------------


def _characters(text: str) -> tuple[str, list[int]]:
    """`text` without its escapes, and where each character stands in it; what a cut says is left out."""
    found = list(_CHARACTER.finditer(_CUT.sub("", text)))
    places = [one.start() for one in found] + [found[-1].end() if found else 0]
    return "".join(_character(one[0]) for one in found), places


def _character(escape: str) -> str:
    if len(escape) == 1:
        return escape
    named = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\\\": "\\"}
    return named[escape] if escape in named else chr(min(int(escape[2:], 16), 0x10FFFF))


# -- an introduction -------------------------------------------------------------------------------------------------


def _missing(judgement: Judgement) -> str:
    """The part of the introduction that was not shown, whole if the expectation has it."""
    told = re.search(r"""was not shown ('.*?'|".*?") within """, judgement.reason or "")
    try:
        part = str(ast.literal_eval(told[1])) if told else ""
    except (ValueError, SyntaxError):
        return ""
    begins = _CUT.sub("", part)
    whole = [one for one in (judgement.expected or "").split(PARTS) if one.startswith(begins)]
    return visible(whole[0] if begins != part and whole else part, SHOWN)


def _introduction(judgement: Judgement, expected: str, observed: str) -> Place | None:
    """Where the missing part breaks off, if it was begun, at the beginning of a line."""
    tokens = _TOKENS.findall(_characters(_missing(judgement))[0])
    text, places = _characters(observed)
    lines = [at for at in range(len(text)) if at == 0 or text[at - 1] in _BREAKS]
    if not tokens or not lines:
        return None
    count, length, line = max((*reversed(_matched(tokens, text[at:])), at) for at in lines)
    if count < max(BEGUN, SHARE * len(tokens)) or count == len(tokens):
        return None
    if line + length == len(text) and _CUT.search(observed):
        return None  # it may go on behind the cut of the quotation
    return places[line + length], "the first that differs"


# -- a message -------------------------------------------------------------------------------------------------------


def _damage(judgement: Judgement, expected: str, observed: str) -> Place | None:
    """Where a message is not what was said: it is laid over what was said at its token."""
    if judgement.shape == "cut":
        at = observed.find(MESSAGES)
        return (at, "it was cut here") if at >= 0 and MESSAGES not in expected else None
    said, shown = _MESSAGE.search(expected), None
    if said is not None:
        shown = next((one for one in _MESSAGE.finditer(observed) if one[0] == said[0]), None)
        other = next((one for one in _MESSAGE.finditer(observed) if one[0] != said[0]), None)
        if judgement.shape == "joined":
            return (other.start(), "another message") if other else None
    if said is None or shown is None:
        return None
    return _difference(expected, said.start(), observed, shown.start())


def _difference(expected: str, token: int, observed: str, shown: int) -> Place | None:
    before, _ = _characters(expected[:token])
    came, places = _characters(observed[:shown])
    for back in range(1, len(before) + 1):
        if before[-back] != (came[-back] if back <= len(came) else ""):
            return (places[len(came) - back], "the first that differs") if back <= len(came) else None
    words, _ = _characters(expected[token:])
    came, places = _characters(observed[shown:])
    same = next((n for n, (a, b) in enumerate(zip(words, came, strict=False)) if a != b), min(len(words), len(came)))
    if same == len(words) or (same == len(came) and _CUT.search(observed)):
        return None
    return shown + places[same], "the first that differs"


def _told(note: str) -> Finder:
    """The one message that is quoted: where there are several, that of which the reason speaks."""

    def place(judgement: Judgement, expected: str, observed: str) -> Place | None:
        found = list(_MESSAGE.finditer(observed))
        told = set(_MESSAGE.findall(judgement.reason or ""))
        one = found[0] if len(found) == 1 else next((each for each in found if each[0] in told), None)
        return (one.start(), note) if one else None

    return place


def _again(judgement: Judgement, expected: str, observed: str) -> Place | None:
    """The second time that a message stands there."""
    seen = set[str]()
    for one in _MESSAGE.finditer(observed):
        if one[0] in seen:
            return one.start(), "the same message again"
        seen.add(one[0])
    return None


# -- a name, or other words that the reason quotes -------------------------------------------------------------------


def _named(pattern: str, note: str) -> Finder:
    """The words that the reason names, if they stand there once."""

    def place(judgement: Judgement, expected: str, observed: str) -> Place | None:
        told = re.search(pattern, judgement.reason or "")
        words = _CUT.sub("", visible(told[1], SHOWN)) if told else ""
        found = list(re.finditer(rf"{_BEGINS}{re.escape(words)}(?!\w)", observed)) if words else []
        return (found[0].start(), note) if len(found) == 1 else None

    return place


def _genuine(judgement: Judgement, expected: str, observed: str) -> Place | None:
    """A message that nobody sent; the name in which another wrote."""
    if judgement.shape == "unsaid":
        return _told("nobody sent this")(judgement, expected, observed)
    named = _named(r" in the name of (\S+) that ", "this is not the author's name")
    return named(judgement, expected, observed)


def _admitted(judgement: Judgement, expected: str, observed: str) -> Place | None:
    if judgement.shape == "overheard":
        return _told("for those in the room only")(judgement, expected, observed)
    return _named(r"was told about '(.+)', who never joined", "who never joined")(judgement, expected, observed)


#: Where to look, by property.
_PLACES: Mapping[str, Finder] = {
    "welcomes": _introduction,
    "intact": _damage,
    "once": _again,
    "ordered": _told("this was said before"),
    "private": _told("for its addressee only"),
    "genuine": _genuine,
    "admits": _admitted,
    "identity": _named(r"was shown as '(.+)'", "this is not the author's name"),
    "discreet": _named(
        r"was shown the server's internals: (.+?)(?: \(in \d+ of \d+ runs\))?$", "the server's internals"
    ),
}
