"""`summary.md`: the run in short, for `$GITHUB_STEP_SUMMARY`, a pull request or a wiki; below a mebibyte.

A stranger's text is never markup: what could be Markdown, HTML, a mention or a link is escaped, mark by mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from harness.comparing import compare
from harness.findings import advice
from harness.language import Language
from harness.report.changes import change_lines
from harness.report.gathered import FileReport
from harness.report.safe import QUOTED, visible, visible_lines
from harness.report.summary import (
    broken_off_line,
    counts_line,
    known_lines,
    score_lines,
    seed_line,
    target_line,
    unjudged_line,
    word,
)
from harness.report.text import cause_line, failure_sentence, place_of, reason_of, title_of, told_reason
from harness.results import Finding, RunResult, ScenarioResult, count

#: GitHub takes a mebibyte for a step's summary; a little is left for what others write into it.
MOST_BYTES = 900_000
#: Findings and scenarios told.
FINDINGS = 20
SCENARIOS = 100
#: Lines on what changed since an earlier run.
CHANGES = 80
#: Of a reason.
REASON = 240

_MARK = {"fail": "❌", "error": "⚠️", "warn": "⚠️", "pass": "✅", "skip": "➖"}
_MARKUP = re.compile(r"[\\`*_\[\]#+!|~$^<>&@]|(?<=:)/(?=/)|(?<=www)\.", re.IGNORECASE)
_REFERENCES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;<!-- -->", "/": "&#47;", ".": "&#46;"}


class MarkdownReport(FileReport):
    """Writes summary.md."""

    name = "markdown"
    file = "summary.md"

    def render(self, result: RunResult) -> bytes:
        """The summary, in UTF-8."""
        return render_markdown(result, self._say.code, self.earlier)


def plain(text: str) -> str:
    """`text`, which was made visible before, as nothing but text within a line of Markdown."""
    return _MARKUP.sub(lambda mark: _REFERENCES.get(mark[0], "\\" + mark[0]), text)


def code(text: str) -> str:
    """`text` as code."""
    return f"<code>{plain(text)}</code>"


def render_markdown(result: RunResult, lang: str, earlier: RunResult | None = None) -> bytes:
    """summary.md, in UTF-8; where it grows too large the rest is left out, and that is said."""
    say = Language.of(lang)
    written, size = [], 0
    for block in _blocks(result, say, earlier):
        size += len(block.encode("utf-8", "backslashreplace")) + 2
        if size > MOST_BYTES:
            written.append(say("The rest is left out here; index.html has it all."))
            break
        written.append(block)
    return ("\n\n".join(written) + "\n").encode("utf-8", "backslashreplace")


def _blocks(result: RunResult, say: Language, earlier: RunResult | None) -> Iterator[str]:
    unjudged = unjudged_line(result.scenarios, say)
    mark = _MARK["error" if unjudged and result.verdict == "pass" else result.verdict]
    yield f"## {mark} {plain(counts_line(result.scenarios, say))}"
    if unjudged:
        yield f"{_MARK['error']} {plain(unjudged)}"
    yield plain(target_line(result.target, say))
    if result.reason:
        yield plain(say("The server could not be judged: {reason}", reason=visible(result.reason)))
    if result.transcript:
        yield "<pre>" + "\n".join(escape(line) for line in visible_lines(result.transcript, 60)) + "</pre>"
    if result.interrupted:
        yield broken_off_line(result, say)
    if scores := score_lines(result, say):
        yield "\n".join(f"- {plain(line)}" for line in scores)
    if known := known_lines(result, say):
        yield "\n".join(f"- {plain(line)}" for line in known)
    if earlier is not None:
        comparison = compare(earlier, result)
        told = [visible(line, REASON).strip() for line in change_lines(comparison, say)][-CHANGES:]
        yield "\n".join([f"### {say('Since the earlier run')}", "", *(f"- {plain(line)}" for line in told)])
    if result.causes:
        yield _causes(result, say)
    if result.findings:
        yield _findings(say("Findings"), result.findings, say)
    if advised := advice(result.scenarios, say.code):
        yield _findings(say("Advice"), advised, say)
    yield from _scenarios(result, say)
    yield plain(seed_line(result, say))


def _causes(result: RunResult, say: Language) -> str:
    told = [f"### {say('Probable causes')}", ""]
    for cause in result.causes[:FINDINGS]:
        because = "; ".join(say("because {ground}", ground=visible(ground, REASON)) for ground in cause.grounds[:1])
        told.append(f"- {plain(cause_line(cause, say))}, {plain(because)}")
        if cause.where:
            told.append(f"  {code(place_of(cause, say))}")
        told.append(f"  {plain(say('remedy: {text}', text=visible(cause.remedy, 600)))}")
    return "\n".join(told)


def _findings(heading: str, findings: Sequence[Finding], say: Language) -> str:
    rows = [
        f"| {plain(visible(one.title, QUOTED))} | {len(one.scenarios)} | {plain(visible(one.remedy or '', 600))} |"
        for one in findings[:FINDINGS]
    ]
    head = [f"### {heading}", "", f"| {say('The server')} … | {say('Scenarios')} | {say('To mend it')} |", "|---|--:|---|"]  # fmt: skip
    return "\n".join(head + rows)


def _scenarios(result: RunResult, say: Language) -> Iterator[str]:
    wrong = [one for one in result.scenarios if one.outcome in ("fail", "error")]  # advice was told once, above
    if not wrong:
        return
    counted = count(one.outcome for one in wrong)
    told = ", ".join(f"{counted[outcome]} {word(outcome, say)}" for outcome in ("fail", "error") if counted[outcome])  # fmt: skip
    yield f"<details><summary>{told}</summary>"
    for one in wrong[:SCENARIOS]:
        yield _scenario(one, say)
    if len(wrong) > SCENARIOS:
        yield say("… and {count} more, told in the reports", count=len(wrong) - SCENARIOS)
    yield "</details>"


def _scenario(one: ScenarioResult, say: Language) -> str:
    head = f"**{plain(title_of(one, say))}** {code(visible(one.id, QUOTED))}"
    if one.outcome == "fail":
        sentence = failure_sentence(one, say)
    else:
        sentence = say("the harness could not judge: {reason}", reason=told_reason(reason_of(one), say))
    lines = [f"{_MARK[one.outcome]} {head}: {plain(visible(sentence, REASON))}"]
    lines += [
        f"- {code(visible(judgement.id, QUOTED))} {plain(visible(judgement.reason or '', REASON))}"
        for judgement in one.of(one.outcome)
    ]
    return "\n".join(lines)
