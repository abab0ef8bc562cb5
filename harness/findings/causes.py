"""Probable causes: failures put down to the clues of their scenarios, and those of one cause told once.

Pure. "Probably … because …": a hint with its grounds, and never a verdict. A failure is put down to the first clue of
its own scenario that can explain it and came before it. Where there is none, its shape alone may suggest a kind: that
counts how many faults there seem to be, and is no cause to be told, since it has no ground but the failure itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.findings.kinds import KINDS, PATTERNS
from harness.language import CODES, Language
from harness.results import Cause, Clue, Judgement, ScenarioResult

#: A violation's moment may be that of the question; what is printed so much later cannot have caused it, in seconds.
AFTER_S = 3.0
#: What is seen later than it began: threads that are stuck are looked at when a deadline is over.
LASTING = frozenset({"lock", "blocked-send", "blocked-read"})
#: Places and grounds told of one cause.
PLACES, GROUNDS = 4, 4

Failure = tuple[ScenarioResult, Judgement]


def probable_causes(scenarios: Iterable[ScenarioResult], lang: str = "en") -> tuple[Cause, ...]:
    """The probable causes for which there is a ground beside the failures themselves, that of the most failures first."""
    say = Language.of(lang)
    grounded = ((key, found) for key, found in _put_down(scenarios).items() if any(clue for _, clue in found))
    return tuple(_cause(key, found, say) for key, found in sorted(grounded, key=lambda item: -len(item[1])))


def faults(scenarios: Iterable[ScenarioResult]) -> int:
    """How many different faults there seem to be: kinds of causes, told or not, and shapes that suggest none."""
    scenarios = tuple(scenarios)
    found = _put_down(scenarios)
    explained = {(scenario.id, judgement.id) for failures in found.values() for (scenario, judgement), _ in failures}
    shapes = {
        judgement.fingerprint
        for scenario in scenarios
        for judgement in scenario.of("fail")
        if (scenario.id, judgement.id) not in explained
    }
    return len(found) + len(shapes)


def of_findings(found: Sequence[Cause], scenarios: Iterable[ScenarioResult]) -> Mapping[str, Cause]:
    """For each fingerprint the cause to which most of its failures were put down."""
    by_failure = {failure: cause for cause in found for failure in cause.failures}
    counted: dict[str, Counter[str]] = {}
    for scenario in scenarios:
        for judgement in scenario.of("fail"):
            cause = by_failure.get(f"{scenario.id} {judgement.id}")
            if cause is not None and judgement.fingerprint:
                counted.setdefault(judgement.fingerprint, Counter())[cause.key] += 1
    by_key = {cause.key: cause for cause in found}
    return {fingerprint: by_key[keys.most_common(1)[0][0]] for fingerprint, keys in counted.items()}


def _put_down(scenarios: Iterable[ScenarioResult]) -> dict[tuple[str, str], list[tuple[Failure, Clue | None]]]:
    found: dict[tuple[str, str], list[tuple[Failure, Clue | None]]] = {}
    for scenario in scenarios:
        for judgement in scenario.of("fail"):
            clue = explaining(scenario.clues, judgement)
            kind = clue.kind if clue else pattern(judgement.fingerprint or "")
            if kind is not None:
                apart = clue.where or clue.what if clue and kind == "exception" else ""
                found.setdefault((kind, apart), []).append(((scenario, judgement), clue))
    return found


def explaining(clues: Sequence[Clue], judgement: Judgement) -> Clue | None:
    """The clue that explains a failure best: by its kind's rank, then the earliest."""
    fitting = [
        clue
        for clue in clues
        if clue.kind in KINDS
        and judgement.id in KINDS[clue.kind].explains
        and (judgement.at_s is None or clue.kind in LASTING or clue.at_s <= judgement.at_s + AFTER_S)
    ]
    return min(fitting, key=lambda clue: (KINDS[clue.kind].stands_first, clue.at_s), default=None)


def pattern(fingerprint: str) -> str | None:
    """What a failure's shape suggests, where nothing else is known."""
    return next((kind for beginning, kind in PATTERNS.items() if fingerprint.startswith(beginning)), None)


def _cause(key: tuple[str, str], found: Sequence[tuple[Failure, Clue | None]], say: Language) -> Cause:
    kind, at = key[0], CODES.index(say.code)
    clues = [clue for _, clue in found if clue is not None]
    places = Counter((clue.where, clue.source) for clue in clues if clue.where)
    where, source = places.most_common(1)[0][0] if places else ("", "")
    return Cause(
        id=kind,
        title=KINDS[kind].title[at],
        grounds=tuple(_grounds(clues, say)),
        remedy=KINDS[kind].remedy[at],
        failures=tuple(f"{scenario.id} {judgement.id}" for (scenario, judgement), _ in found),
        where=where,
        source=source,
        key=" ".join(key).strip(),
    )


def _grounds(clues: Sequence[Clue], say: Language) -> list[str]:
    told = [
        say.plural(times, "{what} ({count} failure)", "{what} ({count} failures)", what=say.sentence(what))
        for what, times in Counter(clue.what for clue in clues).most_common(GROUNDS)
    ]
    others = Counter(clue.where for clue in clues if clue.where).most_common(PLACES)[1:]
    if others:
        told.append(say("also at {places}", places=", ".join(where for where, _ in others)))
    return told
