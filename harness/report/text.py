"""`report.txt`: the documented test report, for every scenario.

`Test N: title`, a line for each step worth telling, then one line that begins with PASS, FAIL, WARN, SKIP or ERROR
(`Teste N`, SUCESSO, FALHA, AVISO, PULADO, ERRO). The three documented tests come first under their documented numbers
and, when they pass, keep their documented words. What was found, the score and the circumstances follow.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.findings import advice, remedy
from harness.language import PORTUGUESE, Language
from harness.report.caret import Quotation, quotation
from harness.report.gathered import FileReport, in_language
from harness.report.safe import LINE, QUOTED, quoted, visible, visible_lines
from harness.report.summary import (
    COMMAND,
    broken_off_line,
    counts_line,
    known_lines,
    measured_lines,
    repeat_command,
    scenario_argument,
    score_lines,
    seed_line,
    some,
    target_line,
    unjudged_line,
    word,
)
from harness.results import Cause, Finding, Judgement, RunResult, ScenarioResult, StepResult

#: Steps that a scenario's story may take: a passing one is told in short.
STEPS_OF_A_PASS = 6
STEPS = 16
#: Who does a step that no client does: the one name among them that has a translation.
SERVER = "server"
#: The same deed of several is one line while each follows the one before within so long, in seconds.
TOGETHER_S = 0.2
#: Scenarios named for a finding.
NAMED = 8
#: A longer remedy is told by its first paragraph; `harness explain` has the rest.
REMEDY_LINES = 12

#: The documented tests: title, and the sentence of success.
DOCUMENTED = {
    1: ("Connection refused", "Connection refused correctly detected"),
    2: ("Sudden disconnection", "Socket closed abruptly"),
    3: ("Malformed data", "Malformed data test completed"),
}
_ENGLISH = {portuguese: english for english, portuguese in PORTUGUESE.items()}


class TextReport(FileReport):
    """Writes report.txt."""

    name = "text"
    file = "report.txt"

    def render(self, result: RunResult) -> bytes:
        """The report, in UTF-8."""
        return render_text(result, self._say.code, self.evidence).encode("utf-8")


def render_text(result: RunResult, lang: str, folder: Path | None = None) -> str:
    """The documented report of a run, in `lang`; every line is safe to print.

    With the run's `folder`, as it is called from where the user stands, its commands and paths lead there.
    """
    say = Language.of(lang)
    result = in_language(result, lang)
    blocks = [
        *_unjudged(result, say),
        *_tests(result, say, folder),
        *_causes(result, say),
        *_findings(say("Findings"), result.findings, say),
        *_findings(say("Advice"), advice(result.scenarios, lang), say),
        _summary(result, say),
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"


def _unjudged(result: RunResult, say: Language) -> Iterator[list[str]]:
    if result.reason:
        yield [say("The server could not be judged: {reason}", reason=told_reason(result.reason, say))]
    if result.transcript:
        told = visible_lines(result.transcript)
        yield [say("What was said:"), *(f"    {line}" for line in told)]


def numbered(scenarios: tuple[ScenarioResult, ...]) -> list[tuple[int, ScenarioResult]]:
    """The scenarios in the order of the report: the documented ones under their numbers, the others after them."""
    documented = sorted((one.documented, one.id, one) for one in scenarios if one.documented in DOCUMENTED)
    others = [one for one in scenarios if one.documented not in DOCUMENTED]
    first = max(DOCUMENTED) + 1 if documented else 1
    return [(number or 0, one) for number, _, one in documented] + list(enumerate(others, first))


def _tests(result: RunResult, say: Language, folder: Path | None) -> Iterator[list[str]]:
    told: dict[str, int] = {}  # advice that was told already, and in which test
    for number, scenario in numbered(result.scenarios):
        for judgement in scenario.of("warn"):
            told.setdefault(str(judgement.fingerprint), number)
        again = {fingerprint: before for fingerprint, before in told.items() if before != number}
        yield [
            say("Test {number}: {title}", number=number, title=_title(scenario, say)),
            *(_note(note, say) for note in scenario.notes),
            *_story(scenario, say),
            *_details(result, scenario, say, folder, again),
            f"{word(scenario.outcome, say)}: {_verdict(scenario, say)}",
        ]


def _title(scenario: ScenarioResult, say: Language) -> str:
    if scenario.documented in DOCUMENTED:
        return say(DOCUMENTED[scenario.documented][0])
    return f"{title_of(scenario, say)} ({visible(scenario.id, QUOTED)})"


def title_of(scenario: ScenarioResult, say: Language) -> str:
    """The scenario's title in this language, else in English, else its id."""
    titles = scenario.titles
    return visible(titles.get(say.code) or titles.get("en") or scenario.id, QUOTED)


def _note(note: str, say: Language) -> str:
    """A note in this language, whichever of the two it was written in."""
    return visible(say(_ENGLISH.get(note, note)))


def _story(scenario: ScenarioResult, say: Language) -> list[str]:
    passed = scenario.outcome == "pass"
    if passed and (scenario.documented in DOCUMENTED or scenario.notes):
        return []
    return told_steps(scenario.steps, STEPS_OF_A_PASS if passed else STEPS, say)


def told_steps(steps: tuple[StepResult, ...], most: int, say: Language) -> list[str]:
    """A line a step, at most `most`: what several did one after the other is one line, a gap is told."""
    folded = _folded(steps)
    if len(folded) > most:
        gap = len(folded) - most + 1
        head, tail = folded[: most // 2], folded[len(folded) - (most - most // 2 - 1) :]
        told = [_step(*one, say) for one in head]
        told.append(say.plural(gap, "… {count} more step", "… {count} more steps"))
        return told + [_step(*one, say) for one in tail]
    return [_step(*one, say) for one in folded]


def _folded(steps: tuple[StepResult, ...]) -> list[tuple[float, list[str], str]]:
    folded: list[tuple[float, list[str], str]] = []
    before_s = 0.0
    for step in steps:
        who = [step.who] if step.who else []
        alike = folded and folded[-1][2] == step.did and folded[-1][1] and who
        if alike and step.at_s - before_s <= TOGETHER_S:
            folded[-1][1].extend(one for one in who if one not in folded[-1][1])
        else:
            folded.append((step.at_s, who, step.did))
        before_s = step.at_s
    return folded


def _step(at_s: float, who: list[str], did: str, say: Language) -> str:
    people = visible(some(tuple(say(one) if one == SERVER else one for one in who), 6, say), QUOTED)
    deed = visible(say.sentence(did))
    return f"[{say.number(at_s, 2)} s] " + (f"{people}: {deed}" if people else deed)


def _details(
    result: RunResult, scenario: ScenarioResult, say: Language, folder: Path | None, told: Mapping[str, int]
) -> Iterator[str]:
    """The judgements that went wrong, each with its witness, before the verdict; `told` is advice given before."""
    for judgement in scenario.of("fail"):
        yield f"{judgement.id}: {told_reason(judgement.reason, say)}"
        yield from witness(judgement, say, folder)
    for judgement in scenario.of("error"):
        yield f"{say('not judged, {id}', id=judgement.id)}: {told_reason(judgement.reason, say)}"
    for judgement in scenario.of("warn"):
        before = told.get(str(judgement.fingerprint))
        reason = told_reason(judgement.reason, say) if before is None else say("as in test {number}", number=before)
        yield f"{say('advice, {id}', id=judgement.id)}: {reason}"
        if before is None:
            yield from witness(judgement, say, folder)
    if scenario.outcome in ("fail", "error"):
        if scenario.server_log:
            yield say("server output: {path}", path=visible(lying_in(folder, scenario.server_log), COMMAND))
        again = repeat_command(result, scenario_argument(scenario.id))
        yield say("to see it again: {command}", command=again)


def lying_in(folder: Path | None, path: str) -> str:
    """The path of what lies in the run's folder, from where the user stands."""
    return str(folder / path) if folder else path


def witness(judgement: Judgement, say: Language, folder: Path | None = None) -> Iterator[str]:
    """What goes with a judgement's reason: what was expected, what came instead, what to do about it."""
    if judgement.expected is not None or judgement.observed is not None:
        told = quotation(judgement)
        yield "    " + say("expected: {text}", text=_quotation(judgement.expected, say))
        if told.missing:
            yield "    " + say("missing: {text}", text=_quotation(told.missing, say))
        observed = "    " + say("observed: {text}", text=_quotation(judgement.observed, say))
        yield observed
        yield from _caret(told, observed, say)
    if judgement.hint:
        yield "    " + say("hint: {text}", text=visible(judgement.hint))
    if judgement.evidence:
        yield "    " + say("evidence: {text}", text=some(judgement.evidence, NAMED, say))
    yield from (f"    {line}" for line in shown_by(judgement, say, folder))
    mend = remedy(judgement.id, say.code) if judgement.outcome == "fail" else None
    if mend:
        yield "    " + say("remedy: {text}", text=visible(first_paragraph(mend)))


def shown_by(judgement: Judgement, say: Language, folder: Path | None = None) -> Iterator[str]:
    """How to see a failure without the harness, or why that cannot be."""
    command = by_hand(judgement, folder)
    if command:
        yield say("see it yourself: {command}", command=command)
    elif judgement.no_repro:
        yield say("no repro.py: {reason}", reason=told_reason(judgement.no_repro, say))


def by_hand(judgement: Judgement, folder: Path | None) -> str | None:
    """The command that shows a failure without the harness, if there is one."""
    if not judgement.repro:
        return None
    return f"python3 {shlex.quote(visible(lying_in(folder, judgement.repro), COMMAND))}"


def _caret(told: Quotation, observed: str, say: Language) -> Iterator[str]:
    """A caret under the first wrong byte, and what stands there."""
    start, at = observed.find('"') + 1, told.at
    if told.observed and at is not None and observed.startswith(told.observed[: at + 1], start) and at < QUOTED:
        yield " " * (start + at) + f"^ {say(told.note)}"


def _quotation(text: str | None, say: Language) -> str:
    return quoted(say.sentence(text)) if text else say("nothing")


def first_paragraph(text: str) -> str:
    """What stands before the first empty line, as one line."""
    return " ".join(text.strip().split("\n\n")[0].split())


def told_reason(reason: str | None, say: Language) -> str:
    """The reason, safe to print, or that there is none."""
    return visible(say.sentence(reason) if reason else say("no reason was recorded"))


def _verdict(scenario: ScenarioResult, say: Language) -> str:
    match scenario.outcome:
        case "pass":
            return _success(scenario, say)
        case "fail":
            return failure_sentence(scenario, say)
        case "warn":
            return say("advice on {ids}", ids=ids_of(scenario.of("warn")))
        case "skip":
            return told_reason(reason_of(scenario), say)
        case "error":
            return say("the harness could not judge: {reason}", reason=told_reason(reason_of(scenario), say))


def _success(scenario: ScenarioResult, say: Language) -> str:
    if scenario.documented in DOCUMENTED:
        return say(DOCUMENTED[scenario.documented][1])
    held = len(scenario.of("pass"))
    if held == 0:
        return say("nothing was violated")
    return say.plural(held, "{count} property judged, it held", "{count} properties judged, all held")


def failure_sentence(scenario: ScenarioResult, say: Language) -> str:
    """Which properties were violated, and whether each time."""
    failed = scenario.of("fail")
    if not failed:
        return told_reason(scenario.reason, say)
    sentence = say.plural(
        len(failed), "{count} property violated: {ids}", "{count} properties violated: {ids}", ids=ids_of(failed)
    )
    if scenario.intermittent:
        often = say("intermittent: {failed} of {runs} runs failed", failed=scenario.failed_runs, runs=scenario.runs)
        sentence += f" ({often})"
    return sentence


def reason_of(scenario: ScenarioResult) -> str | None:
    """Why a scenario has its outcome: its own reason, else that of the first judgement with that outcome."""
    if scenario.reason:
        return scenario.reason
    return next((one.reason for one in scenario.of(scenario.outcome) if one.reason), None)


def ids_of(judgements: tuple[Judgement, ...]) -> str:
    """The properties judged, each once."""
    return ", ".join(dict.fromkeys(judgement.id for judgement in judgements))


def _causes(result: RunResult, say: Language) -> Iterator[list[str]]:
    if result.causes:
        yield [say("Probable causes: hints with their grounds, not verdicts")]
    for cause in result.causes:
        block = [cause_line(cause, say)]
        if cause.where:
            block.append(f"    {place_of(cause, say)}")
        block += ["    " + say("because {ground}", ground=visible(ground)) for ground in cause.grounds]
        block.append("    " + say("remedy: {text}", text=visible(cause.remedy)))
        block.append("    " + say("in {ids}", ids=some(cause.scenarios, NAMED, say)))
        yield block


def cause_line(cause: Cause, say: Language) -> str:
    """`these 14 failures look like one fault: probably …`"""
    one, many = "this failure: probably {title}", "these {count} failures look like one fault: probably {title}"
    return say.plural(len(cause.failures), one, many, title=visible(cause.title, LINE))


def place_of(cause: Cause, say: Language) -> str:
    """`at chat.py:40 (listen): data = conn.recv(1024)`"""
    place = say("at {place}", place=visible(cause.where, QUOTED))
    return f"{place}: {visible(cause.source, QUOTED)}" if cause.source else place


def _findings(heading: str, findings: tuple[Finding, ...], say: Language) -> Iterator[list[str]]:
    if findings:
        yield [heading]
    for finding in findings:
        block = [
            finding_line(finding, say),
            f"    {visible(finding.fingerprint)}: {some(finding.scenarios, NAMED, say)}",
        ]
        if finding.cause:
            block.append("    " + say("probably {text}", text=visible(finding.cause)))
        if finding.remedy:
            block += [f"    {line}" for line in _remedy(finding, finding.remedy, say)]
        yield block


def _remedy(finding: Finding, told: str, say: Language) -> list[str]:
    """The remedy, whole if it is short, else its first paragraph and where to read on."""
    lines = visible_lines(told)
    if len(lines) > REMEDY_LINES:
        more = say("more: {command}", command=f"harness explain {visible(finding.fingerprint.partition(':')[0])}")
        return [say("remedy: {text}", text=visible(first_paragraph(told))), more]
    return [say("remedy: {text}", text=lines[0]), *lines[1:]] if lines else []


def finding_line(finding: Finding, say: Language) -> str:
    """`stops relaying …: 23 scenarios`"""
    title = visible(finding.title, LINE)
    return say.plural(len(finding.scenarios), "{title}: {count} scenario", "{title}: {count} scenarios", title=title)


def _summary(result: RunResult, say: Language) -> list[str]:
    lines = [say("Summary"), target_line(result.target, say), counts_line(result.scenarios, say)]
    if unjudged := unjudged_line(result.scenarios, say):
        lines.append(unjudged)
    if result.interrupted:
        lines.append(broken_off_line(result, say))
    lines += score_lines(result, say)
    lines += known_lines(result, say)
    lines += measured_lines(result, say)
    lines.append(say("Duration: {duration}", duration=say.seconds(result.duration_s)))
    lines.append(seed_line(result, say))
    return lines
