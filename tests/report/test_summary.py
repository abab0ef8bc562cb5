"""What more than one report says of a whole run."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from harness.language import Language
from harness.report.summary import repeat_command, seed_line, target_line
from harness.results import TargetInfo
from harness.target import builtin

from .sample import TARGET, a_run

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
