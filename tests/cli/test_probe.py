"""`harness probe` as a user sees it: what was found in words, a harness.toml, and what helps when nothing was found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli.program import Program
from harness import config

ARCHETYPES = Path(__file__).resolve().parents[1] / "servers" / "archetypes.py"


@pytest.fixture(autouse=True)
def _a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_dialect_is_told_written_and_remembered(program: Program) -> None:
    server = f"{sys.executable} {ARCHETYPES} prompt {{port}}"
    done = program("probe", "--server", server, "--write", "--lang", "en")
    assert done.status == 0, done.text
    assert "understood" in done.out
    assert "Digite seu apelido:" in done.out
    assert "-> zelda" in done.out  # the conversation that shows it
    written = config.load(program.folder / "harness.toml")
    assert written.server.command == server
    assert written.dialect is not None
    assert (written.dialect.framing, written.dialect.leave) == ("chunk", "{sair}")
    (program.folder / "harness.toml").unlink()
    again = program("probe", "--server", server, "--lang", "pt-BR")
    assert again.status == 0, again.text
    assert "descoberto antes" in again.out


def test_when_nothing_is_found_it_says_why_and_what_would_help(program: Program) -> None:
    done = program("probe", "--server", f"{sys.executable} {ARCHETYPES} password {{port}}", "--lang", "pt-BR")
    assert done.status == 2
    assert "o servidor pede uma senha" in done.err
    assert "Password:" in done.err
    assert "[dialect]" in done.err
    assert "Traceback" not in done.text
