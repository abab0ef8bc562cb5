"""Which scenarios a run is about: families, ids and globs, a level, a keyword, tags; and what each of them needs."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Mapping, Sequence

from harness.dialect.profile import Profile, is_json
from harness.engine.options import Options, Selection
from harness.history import Baseline
from harness.registry import Scenario, UnknownScenario


def choose(scenarios: Mapping[str, Scenario], selection: Selection) -> list[Scenario]:
    """The chosen scenarios in their order. Raises UnknownScenario with the nearest names for one that matches none."""
    ids: set[str] = set()
    for pattern in selection.patterns or ("all",):
        ids |= _matching(scenarios, pattern)
    left_out = {found for pattern in selection.skip for found in _matching(scenarios, pattern)}
    wanted = [s for s in scenarios.values() if s.id in ids - left_out and selection.allows(s)]
    return [s for s in wanted if _keyword(s, selection.keyword)]


def _matching(scenarios: Mapping[str, Scenario], pattern: str) -> set[str]:
    if pattern == "all":
        return set(scenarios)
    exact = {key for key in scenarios if key == pattern or key.startswith((f"{pattern}/", f"{pattern}["))}
    globbed = {key for key in scenarios if fnmatch.fnmatchcase(key.replace("[", "("), pattern.replace("[", "("))}
    found = exact | globbed
    if not found:
        families = {s.family for s in scenarios.values()}
        names = [*scenarios, *families, *(key.split("/")[1] for key in scenarios)]
        nearest = difflib.get_close_matches(pattern, names, 3, 0.5)
        offer = f"; did you mean {', '.join(nearest)}?" if nearest else "; `harness list` shows them all"
        raise UnknownScenario(f"there is no scenario, family or pattern {pattern!r}{offer}")
    return found


def _keyword(item: Scenario, expression: str) -> bool:
    """pytest's -k: words joined by and, or, not; a word stands for `is part of the id or title`."""
    if not expression:
        return True
    text = f"{item.id} {item.titles['en']} {item.titles['pt-BR']}".casefold()
    words = re.findall(r"\(|\)|[^\s()]+", expression)
    parts = [w if w in ("and", "or", "not", "(", ")") else str(w.casefold() in text) for w in words]
    try:
        return bool(eval(" ".join(parts), {"__builtins__": {}}))  # only True, False, and, or, not, brackets
    except SyntaxError as error:
        raise UnknownScenario(f"-k {expression!r} is not an expression of words, and, or, not") from error


#: Needs of scenarios that are about one manner of telling where a message ends.
MANNERS = frozenset({"counted", "blocks", "json"})


def of_another_manner(planned: Sequence[Scenario], profile: Profile, named: frozenset[str]) -> list[Scenario]:
    """Scenarios that say nothing of this server, as its messages end in another way: they are left out of a run.

    Not those that were asked for by their own id, nor when nothing else would be left: they are skipped, with the reason.
    """
    speaks = {
        "counted": profile.counted,
        "blocks": profile.framing_name("send") == "fixed",
        "json": is_json(profile.say),
    }
    other = [s for s in planned if s.id not in named and any(not speaks[need] for need in s.needs & MANNERS)]
    return other if len(other) < len(planned) else []


def unmet(
    item: Scenario, options: Options, profile: Profile, baseline: Baseline, capabilities: frozenset[str]
) -> str | None:
    """Why a scenario does not apply to this server or machine; None when it does."""
    has = {
        "process": (options.spec.kind != "remote", "the server is run by somebody else; this needs its process"),
        "login": (baseline.login, "this server has no login"),
        "names": (baseline.named, "this server knows no names"),
        "attribution": (baseline.attribution is not None, "this server puts no name of its own in front of messages"),
        "list": (baseline.lists, "this server has no list of who is there"),
        "whisper": (baseline.whispers, "this server has no directed messages"),
        "leave": (profile.leave is not None, "this server has no word for leaving"),
        "rename": (profile.rename is not None, "this server has no command for another name"),
        "resume": (baseline.resumes, "session resumption is not declared"),
        "idle": (baseline.idle_s is not None, "no idle time is declared"),
        "lines": (baseline.lines, "this server's messages have no borders that could be kept"),
        "newlines": (profile.framing_name("send") == "line", "this server's messages do not end with a newline"),
        "counted": (profile.counted, "no length stands before this server's messages"),
        "blocks": (profile.framing_name("send") == "fixed", "this server's messages are no blocks of a fixed size"),
        "bursts": (baseline.pace_s is None, "this server limits how fast one client may speak"),
        "json": (is_json(profile.say), "this server's messages are not JSON"),
        "reset-through-proxy": ("reset" in capabilities, "this Toxiproxy cannot pass on a reset"),
        "half-close-through-proxy": ("half-close" in capabilities, "this Toxiproxy cannot pass on a half-close"),
        "own-toxics": ("own-toxics" in capabilities, "this Toxiproxy does not have the embedded one's own toxics"),
    }
    return next((has[need][1] for need in sorted(item.needs) if not has[need][0]), None)
