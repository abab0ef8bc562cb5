"""What more than one report says of a whole run."""

from __future__ import annotations

import html
import re
import shlex
from dataclasses import replace

import pytest

from harness.language import Language
from harness.report.badge import badge_text, render_badge
from harness.report.console import closing
from harness.report.html.page import render_html
from harness.report.markdown import render_markdown
from harness.report.summary import repeat_command, seed_line, target_line
from harness.report.text import render_text
from harness.results import RunResult, TargetInfo
from harness.target import builtin

from .sample import SCENARIOS, TARGET, a_run

ENGLISH = Language("en")
SERVERS = [
    (replace(TARGET, kind="builtin", command=builtin(name).command_text), ["--server", name])
    for name in ("reference", "original", "patched")
] + [
    (TARGET, ["--server", "python3 my_server.py {port}"]),
    (replace(TARGET, command="cd 'a b' && ./server {port} | tee log"), ["--server", "cd 'a b' && ./server {port} | tee log"]),
    (replace(TARGET, command="./server " + "x" * 400), ["--server", "./server " + "x" * 400]),
    (TargetInfo("remote", "127.0.0.1:5000"), ["--connect", "127.0.0.1:5000"]),
]  # fmt: skip


@pytest.mark.parametrize(("target", "option"), SERVERS)
def test_a_command_to_see_it_again_names_the_server_that_was_tested(target: TargetInfo, option: list[str]) -> None:
    result = a_run(target=target)
    words = shlex.split(repeat_command(result, "chat/two-talk"))
    assert words == ["harness", "run", "chat/two-talk", "--seed", "42", *option]
    assert shlex.split(seed_line(result, ENGLISH))[-len(option) :] == option


def test_a_built_in_server_is_called_by_its_short_name() -> None:
    target = TargetInfo("builtin", "127.0.0.1:4000", builtin("original").command_text)
    assert target_line(target, ENGLISH) == "Server: the built-in server `original` at 127.0.0.1:4000"
    assert target_line(target, Language("pt-BR")) == "Servidor: o servidor embutido `original` em 127.0.0.1:4000"


ERRED = a_run(scenarios=(SCENARIOS[3], SCENARIOS[-1]), exit_status=0, findings=(), causes=())


@pytest.mark.parametrize(("lang", "line"), [
    ("en", "1 scenario could not be judged: it neither held nor failed (malformed/esc[\\x1b])"),
    ("pt-BR", "1 cenário não pôde ser julgado: nem se manteve nem falhou (malformed/esc[\\x1b])"),
])  # fmt: skip
def test_what_could_not_be_judged_is_said_aloud_beside_a_success(lang: str, line: str) -> None:
    say = Language.of(lang)
    assert dict(closing(ERRED, say, None, ()))[line] == "magenta"
    assert f"\n{line}\n" in render_text(ERRED, lang)
    assert render_markdown(ERRED, lang).decode().startswith("## ⚠️ ")
    assert line in html.unescape(render_html(ERRED, lang).decode())
    assert badge_text(ERRED, "en") == "1 held, 1 not judged"
    assert render_badge(ERRED, lang) != render_badge(replace(ERRED, scenarios=ERRED.scenarios[:1]), lang)
    assert _colour(ERRED) == _colour(a_run(exit_status=2, scenarios=()))


def _colour(result: RunResult) -> list[str]:
    return re.findall(r'fill="(#\w+)"', render_badge(result, "en").decode())
