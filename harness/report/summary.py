"""The sentences on a whole run that more than one report says: target, counts, score, deadlines, how to repeat.

Every line is safe to print.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from harness.language import Language
from harness.report.safe import QUOTED, visible
from harness.results import LEVELS, Outcome, RunResult, ScenarioResult, TargetInfo, count

#: The word that a line of the documented report begins with.
WORD: dict[Outcome, str] = {"pass": "PASS", "fail": "FAIL", "warn": "WARN", "skip": "SKIP", "error": "ERROR"}
_COUNTED: dict[Outcome, str] = {
    "pass": "passed",
    "fail": "failed",
    "warn": "warned",
    "skip": "skipped",
    "error": "not judged (error)",
}
#: What the server was given time for, by the names of `harness.history.Deadlines`.
_DEADLINES = {
    "reply_s": "{span} to pass a message on",
    "join_s": "{span} to let somebody in",
    "connect_s": "{span} to take a connection",
    "start_s": "{span} to start",
    "stop_s": "{span} to end",
    "rest_s": "{span} to come to rest",
}
_MEASURED = frozenset({"quiet_rtt_s", "login_s"})
#: A command to be typed is told whole up to here, in characters.
COMMAND = 4000
#: Known failures named in a line.
KNOWN_NAMED = 10
_BUILTIN = re.compile(r"(?:.*\bserver_under_test\.)?(reference|original|patched)\b.*")


def word(outcome: Outcome, say: Language) -> str:
    """`PASS`, `SUCESSO` …"""
    return say(WORD[outcome])


def target_line(target: TargetInfo, say: Language) -> str:
    """What was tested."""
    address = visible(target.address, QUOTED) if target.address else say("address unknown")
    if target.kind == "remote" or not target.command:
        return say("Server: {target}", target=address)
    command = visible(target.command, QUOTED)
    if target.kind == "builtin":
        command = say("the built-in server `{name}`", name=_name(target) or command)
    if not target.address:
        return say("Server: {target}", target=command)
    return say("Server: {target}", target=say("{command} at {address}", command=command, address=address))


def counts_line(scenarios: tuple[ScenarioResult, ...], say: Language) -> str:
    """`Result: 61 passed, 2 failed`; outcomes that did not occur are left out."""
    counted = count(scenario.outcome for scenario in scenarios)
    told = [f"{counted[outcome]} {say(_COUNTED[outcome])}" for outcome in _COUNTED if counted[outcome]]
    return say("Result: {counts}", counts=", ".join(told) or say("no scenario was judged"))


def unjudged_line(scenarios: tuple[ScenarioResult, ...], say: Language) -> str | None:
    """That scenarios could not be judged, and which: an error is no success, though no failure either."""
    ids = tuple(one.id for one in scenarios if one.outcome == "error")
    if not ids:
        return None
    one = "{count} scenario could not be judged: it neither held nor failed ({ids})"
    many = "{count} scenarios could not be judged: they neither held nor failed ({ids})"
    return say.plural(len(ids), one, many, ids=some(ids, KNOWN_NAMED, say))


def broken_off_line(result: RunResult, say: Language) -> str:
    """What to say of a run that was interrupted: how much of it was judged."""
    if result.planned is None:
        return say("The run was broken off: this is what was judged until then.")
    return say(
        "The run was broken off: {done} of {planned} scenarios were judged until then.",
        done=len(result.scenarios), planned=result.planned,
    )  # fmt: skip


def score_lines(result: RunResult, say: Language) -> list[str]:
    """A plain sentence for each level; a run that judged nothing has none."""
    scores = result.scores()
    if not any(judged for _, judged in scores.values()):
        return []
    return [_score(say(level), *scores[level], say) for level in LEVELS]


def _score(level: str, passed: int, judged: int, say: Language) -> str:
    if judged == 0:
        sentence = "Level {level}: nothing was judged"
    elif passed < judged:
        sentence = "Level {level}: {passed} of {judged} scenarios held"
    elif judged == 1:
        sentence = "Level {level}: the scenario judged here held"
    else:
        sentence = "Level {level}: all {judged} scenarios held"
    return say(sentence, level=level, passed=passed, judged=judged)


def measured_lines(result: RunResult, say: Language) -> list[str]:
    """What the run measured of the server and of itself, and the deadlines that followed from it."""
    facts = []
    if result.target.quiet_rtt_ms is not None:
        rtt = f"{say.number(result.target.quiet_rtt_ms)} ms"
        facts.append(say("a round trip takes {rtt} when all is quiet", rtt=rtt))
    if result.environment.timer_lag_ms_p99 is not None:
        lag = f"{say.number(result.environment.timer_lag_ms_p99)} ms"
        facts.append(say("the harness's own timers were up to {lag} late (99 of 100)", lag=lag))
    lines = [say("Measured: {facts}", facts="; ".join(facts))] if facts else []
    if result.environment.deadlines:
        lines.append(
            say("The server was given at most: {deadlines}", deadlines=deadlines(result.environment.deadlines, say))
        )
    return lines


def deadlines(values: Mapping[str, float], say: Language) -> str:
    """`1.0 s to answer, 2.5 s to let somebody in`; what was measured is no deadline."""
    told = {name: span for name, span in values.items() if name not in _MEASURED}
    return ", ".join(
        say(_DEADLINES.get(name, "{span} for {name}"), span=say.seconds(span), name=visible(name, QUOTED))
        for name, span in told.items()
    )


def known_lines(result: RunResult, say: Language) -> list[str]:
    """How the run stands to the file of known failures, where one was given."""
    known = result.known
    if known is None:
        return []
    file = visible(known.file, QUOTED)
    lines = [say("Known failures ({file}): {known}; new: {new}", file=file, known=len(known.known), new=len(known.new))]
    if known.new:
        lines.append(say("New: {ids}", ids=some(known.new, KNOWN_NAMED, say)))
    if known.fixed:
        lines.append(say("Fixed, to be taken out of it: {ids}", ids=some(known.fixed, KNOWN_NAMED, say)))
    if known.stale:
        lines.append(say("Stale, no such scenario or property: {ids}", ids=some(known.stale, KNOWN_NAMED, say)))
    if known.unjudged:
        lines.append(say("Known, not judged this time: {ids}", ids=some(known.unjudged, KNOWN_NAMED, say)))
    return lines


def all_known(result: RunResult, scenario: ScenarioResult) -> bool:
    """Whether all that failed in a scenario was known to fail."""
    if result.known is None or scenario.outcome != "fail":
        return False
    return not any(one == scenario.id or one.startswith(f"{scenario.id} ") for one in result.known.new)


def repeat_command(result: RunResult, scenario: str) -> str:
    """The command that runs one scenario again as it was, on the same target."""
    return " ".join(["harness run", scenario, f"--seed {result.seed}", *_target_option(result.target)])


def scenario_argument(scenario: str) -> str:
    """A scenario's id as a shell takes it: `[…]` is quoted."""
    return shlex.quote(visible(scenario, QUOTED))


def _target_option(target: TargetInfo) -> list[str]:
    if target.kind == "remote" and target.address:
        return ["--connect", shlex.quote(visible(target.address, QUOTED))]
    command = _name(target) or target.command
    return ["--server", shlex.quote(visible(command, COMMAND))] if command else []


def _name(target: TargetInfo) -> str | None:
    """A built-in server's short name, which `--server` takes."""
    found = _BUILTIN.fullmatch(target.command or "") if target.kind == "builtin" else None
    return found[1] if found else None


def seed_line(result: RunResult, say: Language) -> str:
    """The seed, and how to repeat with it."""
    command = repeat_command(result, say("SCENARIO"))
    return say("Seed: {seed}. To repeat a scenario: {command}", seed=result.seed, command=command)


def some(ids: tuple[str, ...], most: int, say: Language) -> str:
    """The first `most` ids, and how many more there are."""
    shown = ", ".join(visible(one, QUOTED) for one in ids[:most])
    return shown if len(ids) <= most else say("{ids} and {count} more", ids=shown, count=len(ids) - most)
