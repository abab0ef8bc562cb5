"""A made-up run that holds one of everything that a report has to tell, and the events it would have come with."""

from __future__ import annotations

from dataclasses import replace

from harness.events import (
    BaselineDone,
    BaselineFailed,
    Event,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    Warned,
)
from harness.findings import group, probable_causes
from harness.results import (
    Clue,
    Environment,
    Judgement,
    RunResult,
    ScenarioResult,
    StepResult,
    TargetInfo,
)

#: What a stranger may send: escapes, bidi, XML's ends, CI's commands, markup, half a character, a NUL.
HOSTILE = "\x1b[31m</failure>]]>\n::error::owned\r\x00\u202e[bold]\udcff\x85\ufffe ##[error]x &amp;"

TARGET = TargetInfo(
    "command",
    "127.0.0.1:40123",
    "python3 my_server.py {port}",
    {"framing": "line", "login": [{"expect": "name"}]},
    "embedded",
    0.4,
)
ENVIRONMENT = Environment(
    2, True, 3.1, {"ListenOverflows": 0}, 2, {"quiet_rtt_s": 0.0004, "reply_s": 1.0, "join_s": 2.5}
)

_STEPS = (
    StepResult(0.010, "connects", "ana"),
    StepResult(0.012, "connects", "bia"),
    StepResult(0.013, "connects", "caio"),
    StepResult(0.4204, "resets the connection", "bia"),
    StepResult(0.5, "toxic latency(100 ms) on"),
)

PASSED = (
    Judgement("survives", "pass"),
    Judgement("delivers", "pass", "24 deliveries"),
    Judgement("private", "skip", "-"),
)


def _titles(en: str, pt: str) -> dict[str, str]:
    return {"en": en, "pt-BR": pt}


DOCUMENTED = (
    ScenarioResult(
        "malformed/random-bytes", "malformed", "essential", _titles("Seeded noise", "Ruído semeado"), "pass", 0.61, 1,
        0, PASSED, _STEPS, documented=3,
        notes=("Conectado ao servidor", "Timeout na resposta (pode ser esperado)"),
    ),
    ScenarioResult(
        "refused/no-listener", "refused", "essential", _titles("Nobody listens", "Ninguém escuta"), "pass", 0.02, 1, 0,
        (Judgement("refuses", "pass"),), documented=1,
    ),
    ScenarioResult(
        "disconnect/abrupt", "disconnect", "essential", _titles("Gone at once", "Some de repente"), "pass", 0.8, 1, 0,
        PASSED, _STEPS, documented=2, notes=("Connected to the server",),
    ),
)  # fmt: skip

OTHERS = (
    ScenarioResult(
        "chat/two-talk", "chat", "essential", _titles("Two talk", "Dois conversam"), "pass", 0.3, 1, 0, PASSED, _STEPS
    ),
    ScenarioResult(
        "disconnect/reset-after-login", "disconnect", "essential",
        _titles("A client vanishes with a TCP reset", "Um cliente some com um reset TCP"), "fail", 1.234, 3, 3,
        (
            Judgement("survives", "pass"),
            Judgement(
                "delivers", "fail", "3 of 27 deliveries were lost; the first: ana said 'hello' at 0.50 s",
                expected="hello #a1", observed="", shape="after-departure-nobody", at_s=0.5,
                hint="an exception may have ended the sender's thread",
                evidence=("scenarios/disconnect/reset-after-login/repro.py",),
            ),
            Judgement(
                "welcomes", "fail", f"bia was shown {HOSTILE}", expected="Bem-vindo, {name}!", observed=HOSTILE * 20,
                shape="silent-introduction", at_s=1.1,
            ),
            Judgement("handles", "warn", "the server printed an exception that nothing handled", shape="unhandled"),
        ),
        _STEPS * 6, server_log="scenarios/disconnect/reset-after-login/server.log",
        clues=(
            Clue(
                "dead-receiver", "its output shows BrokenPipeError: [Errno 32] Broken pipe", 0.43, "chat.py:42 (send)",
                "client.sendall(line)",
            ),
        ),
    ),
    ScenarioResult(
        "storm/churn[50]", "storm", "robust", _titles("Churn", "Entra e sai"), "fail", 2.0, 3, 1,
        (Judgement("delivers", "fail", "1 of 90 deliveries was lost", "once", "nothing", "after-departure-nobody"),),
        _STEPS, intermittent=True,
    ),
    ScenarioResult(
        "refused/backlog", "refused", "robust", {"en": "Hundreds at once"}, "warn", 1.0, 1, 0,
        (Judgement("accepts", "warn", "the listen backlog overflowed (ListenOverflows 12)", shape="backlog"),),
    ),
    ScenarioResult(
        "lifecycle/resume", "lifecycle", "hardened", _titles("Resume", "Retomar"), "skip", 0.0, 0, 0,
        reason="the dialect declares no session resumption",
    ),
    ScenarioResult(
        "malformed/esc[\x1b]", "malformed", "hardened", _titles(HOSTILE, HOSTILE), "error", 60.0, 1, 0,
        (Judgement("serves", "error", "the worker did not answer within 60 s"),), reason="its worker hung",
    ),
)  # fmt: skip

SCENARIOS = DOCUMENTED + OTHERS


def a_run(**changes: object) -> RunResult:
    """The run, with findings in English, as the engine would hand it over."""
    result = RunResult(
        harness_version="0.1.0",
        started="2026-11-23T15:32:00Z",
        duration_s=8.31,
        seed=42,
        interrupted=False,
        target=TARGET,
        environment=ENVIRONMENT,
        exit_status=1,
        scenarios=SCENARIOS,
        findings=group(SCENARIOS),
        causes=probable_causes(SCENARIOS),
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def a_failed_baseline() -> RunResult:
    """A run that could judge nothing."""
    return a_run(
        exit_status=2,
        scenarios=(),
        findings=(),
        causes=(),
        reason="the harness could not find out how this server speaks: two clients never heard each other",
        transcript=f"ana > hello\nana < {HOSTILE}\n",
    )


def events_of(result: RunResult, *, finished: bool = True) -> list[Event]:
    """The events that such a run emits; without its end, those that a killed one leaves."""
    planned = tuple(sorted(scenario.id for scenario in result.scenarios))
    told: list[Event] = [
        RunStarted(0.0, result.started, result.seed, result.harness_version, replace(TARGET, quiet_rtt_ms=None),
                   replace(ENVIRONMENT, deadlines={}), planned),
        Warned(0.01, f"namespaces are not allowed here {HOSTILE}"),
    ]  # fmt: skip
    if result.reason:
        told.append(BaselineFailed(0.9, result.reason, result.transcript or "", wrong_use=result.exit_status == 2))
    else:
        told.append(BaselineDone(1.0, result.target, result.environment, ("it greets with 2 lines", "it has no list")))
    for index, scenario in enumerate(result.scenarios):
        told += [ScenarioStarted(1.0 + index, scenario.id, n) for n in range(1, scenario.runs + 1)]
        told.append(ScenarioFinished(1.5 + index, scenario))
    if finished:
        told.append(RunFinished(result.duration_s, result, ("results.json",)))
    return told
