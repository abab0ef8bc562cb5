"""The page itself: what the templates are given, and how the parts come together."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from harness import explain
from harness.comparing import compare
from harness.explain.stories import story
from harness.findings import advice, faults
from harness.language import CODES, Language
from harness.report.caret import PARTS, SHOWN, Quotation, quotation
from harness.report.changes import state, total_line
from harness.report.gathered import in_language
from harness.report.html.evidence import Evidence, gather
from harness.report.html.explained import explained
from harness.report.html.packing import Budget
from harness.report.html.tongues import SAYS, n, t, ticked, told
from harness.report.safe import LINE, QUOTED, visible, visible_lines
from harness.report.summary import (
    broken_off_line,
    counts_line,
    measured_lines,
    repeat_command,
    scenario_argument,
    seed_line,
    target_line,
    unjudged_line,
    word,
)
from harness.report.text import DOCUMENTED, by_hand, numbered, reason_of, title_of, told_reason
from harness.results import LEVELS, OUTCOMES, Finding, Judgement, Outcome, RunResult, ScenarioResult, StepResult, count

#: An outcome as a sign, so that no colour is needed to read it.
SIGNS: dict[Outcome, str] = {"pass": "✓", "fail": "✗", "warn": "!", "skip": "–", "error": "?"}
#: The worst first: a cell shows the worst of what was judged there.
_WORST: tuple[Outcome, ...] = ("fail", "error", "warn", "pass", "skip")
#: The order of the list, and in which scenarios get their evidence, while there is room.
_FIRST: tuple[Outcome, ...] = ("fail", "error", "warn", "pass", "skip")
#: What stands above the pictures that the harness draws.
CAPTIONS = {
    "diagram": "Who did what, when", "handshake": "A connection on the wire", "plot rtt": "How long messages take",
    "plot connections": "How many clients are connected", "plot process": "What the server's process uses",
}  # fmt: skip
#: Properties whose `observed` quotes what the server printed.
PRINTED = frozenset({"handles", "survives"})
#: What a scenario without its evidence takes when it is packed, about, in characters.
PLAIN = 4000
#: Lines of a scenario's time line.
STEPS = 300


@dataclass(frozen=True, slots=True)
class Row:
    """A scenario in the list and in the matrix."""

    number: int
    scenario: ScenarioResult
    cells: tuple[Outcome | None, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """The properties that failed, each once."""
        return tuple(dict.fromkeys(judgement.id for judgement in self.scenario.of("fail")))

    @property
    def words(self) -> str:
        """What the text filter looks in."""
        one = self.scenario
        said = [one.id, one.family, *one.titles.values(), one.reason or "", *self.broken]
        said += [judgement.reason or "" for judgement in one.judgements if judgement.outcome in ("fail", "warn")]
        return visible(" ".join(said).casefold(), 3000)


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of a scenario's time line; `kind` is `step`, `broken`, `printed`, `toxic` or `looked`."""

    at_s: float
    kind: str
    who: str
    text: str
    gist: str = ""  # of what the server printed, where that is long
    size: int = 1  # how many lines that was


def render_html(result: RunResult, lang: str, folder: Path | None = None, earlier: RunResult | None = None) -> bytes:
    """index.html, in UTF-8, shown in `lang` first.

    `folder` is the run's, for what lies beside the report; `earlier` is a run to compare with.
    """
    result = in_language(result, lang)
    properties = _properties(result.scenarios)
    rows = [Row(number, one, _cells(one, properties)) for number, one in numbered(result.scenarios)]
    style, behaviour = _part("style.css"), _part("behaviour.js")
    page = _environment().get_template("page.html.j2")
    packed = _packed(result, rows, folder)
    text = page.render(
        result=result, pages=_pages(properties), rows=rows, worst_first=_worst_first(rows), properties=properties, packed=packed,
        findings=_findings(result), advised=_told_once(result, [advice(result.scenarios, code) for code in CODES]), causes=_causes(result), faults=faults(result.scenarios), families=list(dict.fromkeys(one.family for one in result.scenarios)),
        counts=count(one.outcome for one in result.scenarios), scores=result.scores(),
        lang=Language.of(lang).code, style=Markup(style), behaviour=Markup(behaviour),
        comparison=compare(earlier, result) if earlier is not None else None, policy=_policy(style, behaviour), duration=lambda say: say.seconds(result.duration_s),
    )  # fmt: skip
    return text.encode("utf-8", "backslashreplace")


# -- what the templates are given ------------------------------------------------------------------------------------


def _properties(scenarios: Sequence[ScenarioResult]) -> list[str]:
    """The properties that were judged, in the catalogue's order."""
    judged = dict.fromkeys(judgement.id for one in scenarios for judgement in one.judgements)
    known = [prop for prop in explain.ids() if prop in judged]
    return known + [prop for prop in judged if prop not in known]


def _cells(scenario: ScenarioResult, properties: Sequence[str]) -> tuple[Outcome | None, ...]:
    worst: dict[str, Outcome] = {}
    for judgement in scenario.judgements:
        before = worst.get(judgement.id, judgement.outcome)
        worst[judgement.id] = min(before, judgement.outcome, key=_WORST.index)
    return tuple(worst.get(prop) for prop in properties)


def _findings(result: RunResult) -> list[dict[str, object]]:
    """Each finding with its title, cause and remedy in both languages."""
    return _told_once(result, [in_language(result, code).findings for code in CODES])


def _told_once(result: RunResult, each: Sequence[Sequence[Finding]]) -> list[dict[str, object]]:
    numbers = {one.id: number for number, one in numbered(result.scenarios)}
    return [
        {
            "prop": tongues[0].fingerprint.partition(":")[0],
            "fingerprint": tongues[0].fingerprint,
            "title": _both([visible(one.title) for one in tongues]),
            "cause": _both([visible(one.cause or "") for one in tongues]) if tongues[0].cause else None,
            "remedy": _both([visible(one.remedy or "") for one in tongues]) if tongues[0].remedy else None,
            "scenarios": [(numbers[name], name) for name in tongues[0].scenarios if name in numbers],
        }
        for tongues in zip(*each, strict=True)
    ]


def _causes(result: RunResult) -> list[dict[str, object]]:
    """Each probable cause in both languages."""
    each = [in_language(result, code).causes for code in CODES]
    numbers = {one.id: number for number, one in numbered(result.scenarios)}
    return [
        {
            "title": _both([visible(one.title) for one in tongues]),
            "grounds": [_both([visible(ground) for ground in lines]) for lines in zip(*(c.grounds for c in tongues), strict=True)],
            "remedy": _both([visible(one.remedy) for one in tongues]),
            "where": tongues[0].where, "source": tongues[0].source, "count": len(tongues[0].failures),
            "scenarios": [(numbers[name], name) for name in tongues[0].scenarios if name in numbers],
        }
        for tongues in zip(*each, strict=True)
    ]  # fmt: skip


def _both(texts: Sequence[str]) -> Markup:
    by_code = dict(zip(CODES, texts, strict=True))
    return told(lambda say: by_code[say.code])


def _packed(result: RunResult, rows: Sequence[Row], folder: Path | None) -> list[tuple[int, str]]:
    """The scenarios' parts, packed; where room ends, without their evidence."""
    budget, packed = Budget(), []
    template = _environment().get_template("scenario.html.j2")
    ordered = _worst_first(rows)
    for waiting, row in zip(range(len(rows) - 1, -1, -1), ordered, strict=True):
        evidence = gather(folder, row.scenario.id) if folder is not None else Evidence()
        html = _render(template, result, row, evidence, folder)
        part = budget.pack(html, [picture.svg for picture in evidence.pictures], waiting * PLAIN)
        if part is None:
            part = budget.pack(_render(template, result, row, Evidence(), folder, slim=True), ())
        if part is not None:
            packed.append((row.number, part))
    return sorted(packed)


def _pages(properties: Sequence[str]) -> list[tuple[str, str]]:
    """The pages of the properties, packed: (id, part)."""
    budget = Budget()
    packed = ((prop, budget.pack(str(explained(prop)), ())) for prop in properties if prop in explain.ids())
    return [(prop, part) for prop, part in packed if part is not None]


def _render(
    template: Template, result: RunResult, row: Row, evidence: Evidence, folder: Path | None, *, slim: bool = False
) -> str:
    moments = _moments(row.scenario, evidence)
    return template.render(
        result=result,
        row=row,
        one=row.scenario,
        evidence=evidence,
        slim=slim,
        moments=sorted(moments[:STEPS], key=lambda moment: moment.at_s),
        more=max(0, len(moments) - STEPS),
        folder=folder,
    )


def _worst_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda one: _FIRST.index(one.scenario.outcome))


def _moments(scenario: ScenarioResult, evidence: Evidence) -> list[Moment]:
    """Violations, steps, and what came from outside, for one time line: where it grows too long, the last are left out."""
    moments = [
        Moment(one.at_s, "broken", visible(one.id), one.reason or "")
        for one in scenario.of("fail")
        if one.at_s is not None
    ]
    moments += [Moment(step.at_s, "step", visible(step.who or "", QUOTED), step.did) for step in _told(scenario)]
    moments += [Moment(one.at_s, one.kind, "", one.text, one.gist, one.size) for one in evidence.seen]
    return moments


def _told(scenario: ScenarioResult) -> list[StepResult]:
    """The steps; one who did the same again at once is told once."""
    steps: list[StepResult] = []
    for step in scenario.steps:
        if not steps or (steps[-1].who, steps[-1].did) != (step.who, step.did):
            steps.append(step)
    return steps


# -- the templates ---------------------------------------------------------------------------------------------------


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        t=t, n=n, told=told, signs=SIGNS, outcomes=OUTCOMES, levels=LEVELS, quotation=quotation, parts=_expected,
        word=lambda outcome: told(lambda say: word(outcome, say)),
        title=lambda one: told(lambda say: _title(one, say)),
        reason=lambda one: told(lambda say: told_reason(reason_of(one), say)),
        seconds=lambda value: told(lambda say: say.seconds(value)),
        target=lambda result: ticked(told(lambda say: target_line(result.target, say))), ticked=ticked,
        broken_off=lambda result: told(lambda say: broken_off_line(result, say)),
        unjudged=lambda result: told(lambda say: unjudged_line(result.scenarios, say) or ""),
        result_line=lambda result: told(lambda say: counts_line(result.scenarios, say)),
        measured=lambda result: [_both(list(lines)) for lines in zip(*(measured_lines(result, s) for s in SAYS), strict=True)],
        total=lambda comparison: told(lambda say: total_line(comparison, say)),
        state=lambda name: told(lambda say: state(name, say)),
        by_hand=by_hand,
        aria=lambda sentence: _attribute("aria-label", lambda say: say(sentence)), cells=_cells_of,
        alt=lambda name, one: _attribute("alt", lambda say: _alternative(name, one, say)),
        seed=lambda result: told(lambda say: seed_line(result, say)),
        again=lambda result, one: repeat_command(result, scenario_argument(one.id)),
        captions=CAPTIONS, caption=lambda name: t(CAPTIONS[name]) if name in CAPTIONS else name,
        said_lines=_said_lines, sentence=_sentence, remedy=_remedy, explained=explained, said=_said, printed=_printed, worst=_worst, story=_story, lines=visible_lines,
        in_portuguese=Language("pt-BR"), number=lambda value, digits=2: told(lambda say: say.number(value, digits)),
    )  # fmt: skip
    environment.filters["visible"] = visible
    return environment


def _title(scenario: ScenarioResult, say: Language) -> str:
    return say(DOCUMENTED[scenario.documented][0]) if scenario.documented in DOCUMENTED else title_of(scenario, say)


def _said(text: str | None, limit: int = LINE) -> Markup:
    """What a judge, a scenario or a server has written, in both languages, made visible."""
    return told(lambda say: visible(say.sentence(text or ""), limit))


def _said_lines(lines: Sequence[str]) -> Markup:
    """Lines that the harness has written, in both languages."""
    return told(lambda say: "\n".join(visible(say.sentence(line)) for line in lines))


def _printed(judgement: Judgement) -> Markup:
    """What was observed; what the server printed, line by line."""
    shown = _said(judgement.observed, SHOWN)
    return Markup(shown.replace("\\n", "\n")) if judgement.id in PRINTED else shown


def _expected(quoted: Quotation) -> list[tuple[str, bool]]:
    """What was expected, part by part, and whether it is the missing one."""
    parts = (quoted.expected or "").split(PARTS) if quoted.missing else [quoted.expected or ""]
    return [(part, part == quoted.missing) for part in parts]


def _sentence(prop: str) -> Markup:
    """What a property means; nothing for one that has no page."""
    return told(lambda say: explain.sentence(prop, say.code)) if prop in explain.ids() else Markup("")


def _remedy(prop: str) -> Markup:
    return told(lambda say: explain.remedy(prop, say.code)) if prop in explain.ids() else Markup("")


def _story(scenario: ScenarioResult) -> list[tuple[str, list[str]]]:
    """What happens, paragraph by paragraph, in each language that has it."""
    told = {code: story(scenario.id, scenario.story, code) for code in CODES}
    return [(code, _paragraphs(text)) for code, text in told.items() if code == CODES[0] or text != scenario.story]


def _paragraphs(text: str) -> list[str]:
    return [visible(" ".join(paragraph.split())) for paragraph in text.split("\n\n") if paragraph.strip()]


def _attribute(name: str, tell: Callable[[Language], str]) -> Markup:
    """An attribute that the page's switch keeps in the language shown."""
    english, portuguese = (tell(say) for say in SAYS)
    return Markup('{}="{}" data-label-en="{}" data-label-pt="{}"').format(Markup(name), english, english, portuguese)


def _alternative(name: str, scenario: ScenarioResult, say: Language) -> str:
    """What a picture shows, for those who do not see it."""
    shown = f"{say(CAPTIONS.get(name, name))}: {_title(scenario, say)}"
    broken = next(iter(scenario.of("fail")), None)
    return f"{shown}. {broken.id}: {told_reason(broken.reason, say)}" if broken and name == "diagram" else shown


def _cells_of(columns: Sequence[str], packet: Sequence[str]) -> Markup:
    """A row of the packets' table: who, and on which leg, in both languages; notes are sentences."""
    shown = (
        t(cell) if column in ("leg", "from", "to", "sender") else _said(cell) if column == "notes" else escape(cell)
        for column, cell in zip(columns, packet, strict=True)
    )
    return Markup("".join(f"<td>{cell}</td>" for cell in shown))


def _worst(scenario: ScenarioResult) -> list[Judgement]:
    """What went wrong, the worst first."""
    wrong = [one for one in scenario.judgements if one.outcome in ("fail", "error", "warn")]
    return sorted(wrong, key=lambda one: _WORST.index(one.outcome))


@functools.cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style: str, behaviour: str) -> str:
    """Nothing is loaded; this style and this script are the only ones; pictures come from within."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(behaviour)}'; img-src blob: data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
