"""`harness probe` as a user sees it: what was found in words, a harness.toml, and what helps when nothing was found."""

from __future__ import annotations

import signal
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from cli.program import Program
from harness import config
from harness.cli import probe
from harness.cli.probe import _failure, _found, _one, as_toml
from harness.cli.target_words import UserError
from harness.dialect.profile import Profile
from harness.engine import remembered
from harness.engine.baseline import Learned
from harness.engine.options import Options
from harness.language import Language
from harness.target import command

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
    told = dict(zip(lines := done.out.splitlines(), lines[1:], strict=False))
    assert "went round at once" in told[next(line for line in lines if line.startswith("  messages"))]
    assert "fresh servers: 2" in told[next(line for line in lines if line.startswith("  login"))]
    assert "connection ended" in told[next(line for line in lines if line.startswith("  leaving"))]
    written = config.load(program.folder / "harness.toml")
    assert written.server.command == server
    assert written.dialect is not None
    assert (written.dialect.framing, written.dialect.leave) == ("chunk", "{sair}")
    (program.folder / "harness.toml").unlink()
    again = program("probe", "--server", server, "--lang", "pt-BR")
    assert again.status == 0, again.text
    assert "descoberto antes" in again.out


def test_what_another_search_found_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A harness that has learned to find more does not keep to what it found before."""
    spec = command(f"{sys.executable} {ARCHETYPES} prompt {{port}}")
    found = Profile.model_validate({"name": "found"})
    remembered.remember(spec, found)
    assert remembered.recall(spec) == found
    monkeypatch.setattr(remembered, "search", lambda: "a search that finds more")
    assert remembered.recall(spec) is None


def test_when_nothing_is_found_it_says_why_and_what_would_help(program: Program) -> None:
    done = program("probe", "--server", f"{sys.executable} {ARCHETYPES} password {{port}}", "--lang", "pt-BR")
    assert done.status == 2
    assert "o servidor pede uma senha" in done.err
    assert "Password:" in done.err
    assert "[dialect]" in done.err
    assert "Traceback" not in done.text


def test_declared_keys_are_kept_and_the_rest_is_found(program: Program) -> None:
    (program.folder / "harness.toml").write_text('[dialect]\nframing = "chunk"\n', encoding="utf-8")
    done = program("probe", "--server", f"{sys.executable} {ARCHETYPES} keyword {{port}}", "--lang", "en")
    assert done.status == 0, done.text
    assert "it shows 'NICK'; send '{name}'" in done.out
    assert "not asked: declared in harness.toml" in done.out


def test_a_file_that_exists_is_refused_before_anything_is_started(program: Program) -> None:
    (program.folder / "harness.toml").write_text("[server]\n", encoding="utf-8")
    done = program(
        "probe", "--write", "--server", f'{sys.executable} -c \'open("started", "w")\' {{port}}', "--lang", "en"
    )
    assert done.status == 2
    assert "exists already" in done.err
    assert not (program.folder / "started").exists()


def test_what_is_written_keeps_the_ways_of_starting(tmp_path: Path) -> None:
    spec = replace(command("./run {port}", cwd=tmp_path, env={"MODE": "x"}), stop_signal=signal.SIGINT, ready_log="up")
    written = tomllib.loads(as_toml(Options(spec=spec), Profile(), Language.of("en")))["server"]
    assert written["ready"] == {"log": "up"}
    assert (written["stop"], written["env"]) == ("SIGINT", {"MODE": "x"})
    assert Path(written["cwd"]).resolve() == tmp_path.resolve()


def test_the_lines_that_would_help_follow_the_likeliest_reading() -> None:
    likely = Profile(framing="header", header=32)
    lines = "\n".join(_failure(Learned(failure="not understood", likely=likely), Language.of("en")))
    assert 'framing = "header"' in lines
    assert "header = 32" in lines


def test_all_of_it_has_one_limit_and_the_quiet_runs_have_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever starting has taken is not there for the search."""
    given = "harness.engine.detecting.detect"
    monkeypatch.setattr(given, lambda _options, longest_s: Learned(failure=str(longest_s)))
    options = Options(command(f"{sys.executable} {ARCHETYPES} none {{port}}"), cache=False)
    whole_s = float(_found(options)[1].failure or "0")
    assert 0 < whole_s < probe.LONGEST_S - probe.QUIET_S
    monkeypatch.setattr(probe, "LONGEST_S", probe.LONGEST_S - 20)
    assert float(_found(options)[1].failure or "0") < whole_s - 5
    with pytest.raises(UserError, match=r"^dialect: it did not end within 1 s .*--patience"):
        _one("dialect", lambda: time.sleep(60), 1.0)
