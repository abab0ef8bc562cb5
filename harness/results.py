"""The words of an outcome: judgements, scenario results, findings, the run. `results.json` is made of these.

The shapes follow docs/results.schema.json (schema_version 1); fields may be added, never renamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["pass", "fail", "warn", "skip", "error"]
Level = Literal["essential", "robust", "hardened"]

OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "warn", "skip", "error")
LEVELS: tuple[Level, ...] = ("essential", "robust", "hardened")
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one property says of one scenario.

    `reason` is one sentence; `expected` and `observed` quote the witness; `shape` names the kind of failure, so that
    failures of one shape become one finding; `at_s` is the moment of the violation.
    """

    id: str
    outcome: Outcome
    reason: str | None = None
    expected: str | None = None
    observed: str | None = None
    shape: str | None = None
    at_s: float | None = None
    hint: str | None = None
    evidence: tuple[str, ...] = ()
    repro: str | None = None  # path of the file that shows it without the harness, relative to the report's folder
    no_repro: str | None = None  # why there is none

    @property
    def fingerprint(self) -> str | None:
        """`property:shape` of a failure or a warning, else None."""
        if self.outcome not in ("fail", "warn"):
            return None
        return f"{self.id}:{self.shape or 'other'}"


@dataclass(frozen=True, slots=True)
class StepResult:
    """A line of a scenario's story."""

    at_s: float
    did: str
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Clue:
    """Something that a scenario's run showed of a cause: of which kind (see `harness.findings.kinds`), in an English
    sentence, when, and at which place of the server's own code. All of it is safe to print."""

    kind: str
    what: str
    at_s: float
    where: str = ""  # chat.py:40 (listen)
    source: str = ""  # the line itself


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The outcome of one scenario, all its runs together. `titles` by language (`en`, `pt-BR`)."""

    id: str
    family: str
    level: Level
    titles: Mapping[str, str]
    outcome: Outcome
    duration_s: float
    runs: int
    failed_runs: int
    judgements: tuple[Judgement, ...] = ()
    steps: tuple[StepResult, ...] = ()
    reason: str | None = None
    intermittent: bool = False
    documented: int | None = None  # 1, 2, 3: one of the documented tests
    notes: tuple[str, ...] = ()  # further lines for the text report, already safe to print
    deadlines: Mapping[str, float] = field(default_factory=dict)
    story: str = ""  # what happens, in TCP's terms: the scenario's own words, in English
    server_log: str | None = None  # path of the server's output, relative to the report's folder
    clues: tuple[Clue, ...] = ()  # to the cause of what failed

    def of(self, outcome: Outcome) -> tuple[Judgement, ...]:
        """The judgements with this outcome."""
        return tuple(j for j in self.judgements if j.outcome == outcome)


@dataclass(frozen=True, slots=True)
class Finding:
    """Failures of one shape, told once."""

    fingerprint: str
    title: str
    scenarios: tuple[str, ...]
    cause: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures that look like one fault: a hint, never a verdict. "Probably `title`, because `grounds`".

    Each of `failures` is `SCENARIO PROPERTY`; `where` and `source` are the place of the server's own code that most of
    them point to; `key` tells causes of one kind apart.
    """

    id: str
    title: str
    grounds: tuple[str, ...]
    remedy: str
    failures: tuple[str, ...]
    where: str = ""
    source: str = ""
    key: str = ""

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios of these failures, each once."""
        return tuple(dict.fromkeys(failure.rpartition(" ")[0] for failure in self.failures))


@dataclass(frozen=True, slots=True)
class KnownFailures:
    """A run against a file of known failures; each entry is `SCENARIO PROPERTY`. Only new ones fail the run."""

    file: str
    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()  # known, and they held this time
    stale: tuple[str, ...] = ()  # of scenarios or properties that there are not (any more)
    unjudged: tuple[str, ...] = ()  # known, and this run did not judge them: not run, skipped, or an error


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """What was tested, and how it was spoken to."""

    kind: Literal["builtin", "command", "remote"]
    address: str | None
    command: str | None = None
    dialect: Mapping[str, Any] | None = None
    toxiproxy: Literal["embedded", "installed", "remote"] = "embedded"
    quiet_rtt_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine, as far as a verdict may depend on it."""

    cores: int
    namespaces: bool
    timer_lag_ms_p99: float | None = None
    kernel: Mapping[str, int] = field(default_factory=dict)
    jobs: int = 1
    deadlines: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A whole run. `reason` says in one or two lines why a run judged nothing (exit status 2)."""

    harness_version: str
    started: str
    duration_s: float
    seed: int
    interrupted: bool
    target: TargetInfo
    environment: Environment
    exit_status: int
    scenarios: tuple[ScenarioResult, ...]
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    transcript: str | None = None  # of a baseline that failed: what was sent and what came back, safe to print
    known: KnownFailures | None = None  # where a file of known failures was given
    planned: int | None = None  # scenarios chosen; None in a journal that does not say
    causes: tuple[Cause, ...] = ()  # hints: which failures look like one fault

    @property
    def verdict(self) -> Literal["pass", "fail", "error"]:
        """pass, fail, or error when nothing failed and something could not be judged."""
        if self.exit_status == 1:
            return "fail"
        return "pass" if self.exit_status == 0 else "error"

    def scores(self) -> dict[Level, tuple[int, int]]:
        """For each level (passed, judged): warnings count as passed, skips and errors are not judged."""
        scores: dict[Level, tuple[int, int]] = {}
        for level in LEVELS:
            judged = [s for s in self.scenarios if s.level == level and s.outcome in ("pass", "warn", "fail")]
            scores[level] = (sum(s.outcome != "fail" for s in judged), len(judged))
        return scores

    def to_json(self, lang: str = "en") -> dict[str, Any]:
        """The value of results.json, schema_version 1. Titles are in `lang`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "harness_version": self.harness_version,
            "started": self.started,
            "duration_s": round(self.duration_s, 3),
            "seed": self.seed,
            "interrupted": self.interrupted,
            **({} if self.planned is None else {"planned": self.planned}),
            "target": asdict(self.target),
            "environment": asdict(self.environment),
            "verdict": self.verdict,
            "exit_status": self.exit_status,
            "reason": self.reason,
            "transcript": self.transcript,
            "counts": {
                "scenarios": count(s.outcome for s in self.scenarios),
                "properties": count(j.outcome for s in self.scenarios for j in s.judgements),
            },
            "scores": {level: {"passed": got, "judged": of} for level, (got, of) in self.scores().items()},
            **({"known": asdict(self.known)} if self.known else {}),
            "findings": [asdict(finding) for finding in self.findings],
            "causes": [{**asdict(cause), "scenarios": list(cause.scenarios)} for cause in self.causes],
            "scenarios": [_scenario_json(s, lang) for s in self.scenarios],
        }


def count(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How often each of the five outcomes stands in `outcomes`; all five keys are always there."""
    counted = Counter(outcomes)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def _scenario_json(result: ScenarioResult, lang: str) -> dict[str, Any]:
    return {
        "id": result.id,
        "family": result.family,
        "level": result.level,
        "title": result.titles.get(lang) or result.titles["en"],
        "titles": dict(result.titles),
        "outcome": result.outcome,
        "reason": result.reason,
        "duration_s": round(result.duration_s, 3),
        "runs": result.runs,
        "failed_runs": result.failed_runs,
        "intermittent": result.intermittent,
        "documented": result.documented,
        "notes": list(result.notes),
        "server_log": result.server_log,
        "clues": [asdict(clue) for clue in result.clues],
        "properties": [_judgement_json(judgement) for judgement in result.judgements],
        "steps": [{"at_s": round(s.at_s, 4), "who": s.who, "did": s.did} for s in result.steps],
    }


def _judgement_json(judgement: Judgement) -> dict[str, Any]:
    return {
        "id": judgement.id,
        "outcome": judgement.outcome,
        "reason": judgement.reason,
        "expected": judgement.expected,
        "observed": judgement.observed,
        "hint": judgement.hint,
        "fingerprint": judgement.fingerprint,
        "at_s": judgement.at_s,
        "evidence": list(judgement.evidence),
        **({"repro": judgement.repro} if judgement.repro else {}),
        **({"no_repro": judgement.no_repro} if judgement.no_repro else {}),
    }
