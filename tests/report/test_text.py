from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.language import Language
from harness.report.ctrf import render_ctrf
from harness.report.junit import render_junit
from harness.report.safe import visible
from harness.report.text import numbered, render_text, told_steps, witness
from harness.results import Judgement, StepResult

from . import golden
from .sample import DOCUMENTED, OTHERS, SCENARIOS, a_failed_baseline, a_run

DOCUMENTED_REPORT = """\
Teste 1: Conexão recusada
SUCESSO: Conexão recusada detectada corretamente

Teste 2: Desconexão súbita
Conectado ao servidor
SUCESSO: Socket fechado abruptamente

Teste 3: Dados malformados
Conectado ao servidor
Timeout na resposta (pode ser esperado)
SUCESSO: Teste de dados malformados concluído
"""


@pytest.fixture(autouse=True)
def _no_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wording of `harness explain` is not this room's."""
    monkeypatch.setattr("harness.findings._remedies", lambda: None)


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
def test_the_report_of_a_whole_run(lang: str) -> None:
    golden.check(f"report.{lang}.txt", render_text(a_run(), lang))


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
def test_the_report_of_a_run_that_could_judge_nothing(lang: str) -> None:
    golden.check(f"unjudged.{lang}.txt", render_text(a_failed_baseline(), lang))


def test_the_documented_tests_keep_their_documented_words_and_come_first() -> None:
    assert render_text(a_run(), "pt-BR").startswith(DOCUMENTED_REPORT + "\n")


def test_without_documented_tests_the_numbers_begin_with_one() -> None:
    assert [number for number, _ in numbered(OTHERS)][:2] == [1, 2]
    assert [number for number, _ in numbered((OTHERS[0], DOCUMENTED[0]))] == [3, 4]


@pytest.mark.parametrize("lang", ["en", "pt-BR"])
def test_each_test_ends_with_one_line_that_tells_its_outcome(lang: str) -> None:
    text = render_text(a_run(), lang)
    words = {"en": "PASS|FAIL|WARN|SKIP|ERROR", "pt-BR": "SUCESSO|FALHA|AVISO|PULADO|ERRO"}[lang]
    tests = [block for block in text.split("\n\n") if re.match(r"(Test|Teste) \d+: ", block)]
    assert len(tests) == len(a_run().scenarios)
    for block in tests:
        assert [bool(re.match(rf"({words}): ", line)) for line in block.splitlines()].count(True) == 1
        assert re.match(rf"({words}): ", block.splitlines()[-1])


def test_a_documented_test_that_fails_says_so_under_its_documented_title() -> None:
    failing = replace(OTHERS[1], documented=2)
    text = render_text(a_run(scenarios=(failing,)), "pt-BR")
    assert text.startswith("Teste 2: Desconexão súbita\n")
    assert "\nFALHA: 2 propriedades violadas: delivers, welcomes\n" in text
    assert "Socket fechado abruptamente" not in text


def test_an_interrupted_run_says_so() -> None:
    assert "broken off" in render_text(a_run(interrupted=True, exit_status=130), "en")
    some = a_run(interrupted=True, exit_status=130, planned=195)
    assert f"{len(some.scenarios)} of 195 scenarios were judged" in render_text(some, "en")
    assert f"{len(some.scenarios)} de 195 cenários" in render_text(some, "pt-BR")


def test_quotations_are_bounded() -> None:
    assert max(map(len, render_text(a_run(), "en").splitlines())) <= 1100


def test_no_line_of_the_report_can_harm_a_terminal() -> None:
    for line in render_text(a_run(), "en").splitlines():
        assert visible(line, 5000) == line


def test_the_way_to_repeat_names_scenario_seed_and_server() -> None:
    text = render_text(a_run(), "en")
    assert "harness run 'storm/churn[50]' --seed 42 --server 'python3 my_server.py {port}'" in text


def test_a_remedy_is_told_in_one_line_with_a_failure_and_whole_with_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "Remove the client.\nThen go on.\n\nPython:\n    clients.discard(c)\n"
    monkeypatch.setattr("harness.findings._remedies", lambda: lambda prop, lang: f"{prop} {lang}: {told}")
    text = render_text(a_run(), "en")
    assert "    remedy: delivers en: Remove the client. Then go on.\n" in text
    assert "        clients.discard(c)\n" in text


def test_a_long_remedy_is_told_by_its_first_paragraph_and_where_to_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "Remove the client.\n\n" + "code\n" * 40
    monkeypatch.setattr("harness.findings._remedies", lambda: lambda prop, lang: told)
    text = render_text(a_run(), "pt-BR")
    assert "    como corrigir: Remove the client.\n    mais: harness explain delivers\n" in text
    assert "code" not in text


def test_a_caret_stands_under_the_first_wrong_byte_and_says_what_it_is() -> None:
    said = "xq0a001wxyz bom dia"
    judgement = Judgement("intact", "fail", "-", said, f"<ana> {said[:-2]}**", "changed")
    expected, observed, caret = list(witness(judgement, Language("en")))[:3]
    assert (expected, observed) == (f'    expected: "{said}"', f'    observed: "<ana> {said[:-2]}**"')
    assert caret == " " * observed.index("**") + "^ the first that differs"
    assert not any("^" in line for line in witness(Judgement("threads", "fail", "-", "1", "15"), Language("en")))


def test_commands_and_paths_lead_to_the_run_from_where_one_stands() -> None:
    shown = replace(SCENARIOS[4].judgements[1], repro="scenarios/disconnect/reset-after-login/repro.py")
    result = a_run(scenarios=(replace(SCENARIOS[4], judgements=(shown,)),))
    folder = Path("my reports")
    told = render_text(result, "en", folder)
    assert "see it yourself: python3 'my reports/scenarios/disconnect/reset-after-login/repro.py'" in told
    assert "server output: my reports/scenarios/disconnect/reset-after-login/server.log" in told
    for report in (render_junit(result, "en", folder), render_ctrf(result, "en", folder)):
        assert b"python3 'my reports/scenarios/disconnect/reset-after-login/repro.py'" in report


def test_several_who_do_the_same_are_one_line_only_when_they_do_it_together() -> None:
    steps = [
        StepResult(at_s, "connects", who) for at_s, who in ((0.1, "ana"), (0.11, "bia"), (2.5, "zoe"), (2.52, "pia"))
    ]
    assert told_steps(tuple(steps), 9, Language("en")) == ["[0.10 s] ana, bia: connects", "[2.50 s] zoe, pia: connects"]


def test_the_deadlines_are_said_in_words() -> None:
    assert "The server was given at most: 1.0 s to pass a message on, 2.5 s to let somebody in\n" in render_text(
        a_run(), "en"
    )
    told = "O servidor teve no máximo: 1,0 s para repassar uma mensagem, 2,5 s para deixar alguém entrar\n"
    assert told in render_text(a_run(), "pt-BR")
    assert "rtt_s" not in render_text(a_run(), "en")


def test_the_missing_part_of_an_introduction_is_said() -> None:
    reason = "bia came back and was not shown 'your name?' within 0.50 s"
    judgement = Judgement("welcomes", "fail", reason, "Welcome! / your name?", "Welcome!\\n")
    lines = [line.strip() for line in witness(judgement, Language("pt-BR"))][:3]
    assert lines == ['esperado: "Welcome! / your name?"', 'faltou: "your name?"', 'observado: "Welcome!\\n"']


def test_the_server_is_called_so_in_the_readers_language() -> None:
    step = StepResult(0.5, "is told to end (SIGTERM)", "server")
    run = a_run(scenarios=(replace(SCENARIOS[4], steps=(step,)),))
    assert "[0,50 s] servidor: recebe ordem de encerrar (SIGTERM)" in render_text(run, "pt-BR")
    assert "[0.50 s] server: is told to end (SIGTERM)" in render_text(run, "en")
