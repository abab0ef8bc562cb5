"""The files of a command: which they are, how much of them is read, and what a digest of them depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.dialect.profile import Profile
from harness.engine import remembered
from harness.target import ServerSpec, command
from harness.target.sources import MOST_FILES, MOST_OF_ONE, digest, named, texts


def spec(folder: Path, text: str) -> ServerSpec:
    """A command run in this folder."""
    return command(text, cwd=folder)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("python3 server.py {port}", "server.py"),
        ("./run.sh", "run.sh"),
        ("java -cp . Chat 5000", "Chat.java"),
        ("python3 -m chat.main", "chat/main.py"),
        ("cd . && node app.js", "app.js"),
    ],
)
def test_a_command_names_its_files(tmp_path: Path, text: str, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("x")
    assert tmp_path / file in named(spec(tmp_path, text))


def test_the_client_beside_the_server_is_read_after_it(tmp_path: Path) -> None:
    for name in ("client.py", "server.py", "notes.txt"):
        (tmp_path / name).write_text(name)
    assert [name for name, _ in texts(spec(tmp_path, "python3 server.py"))] == ["server.py", "client.py"]


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.py").write_text("secret")
    (inside / "server.py").symlink_to(outside / "secret.py")
    (inside / "real.py").write_text("real")
    (inside / "client.py").symlink_to(outside / "secret.py")
    assert named(spec(inside, "python3 server.py")) == []
    assert [text for _, text in texts(spec(inside, "python3 real.py"))] == ["real"]


def test_no_more_is_read_than_is_good(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text("x" * (MOST_OF_ONE + 10))
    for number in range(MOST_FILES + 5):
        (tmp_path / f"a{number}.py").write_text("y")
    found = texts(spec(tmp_path, "python3 server.py"))
    assert len(found) == MOST_FILES
    assert len(found[0][1]) == MOST_OF_ONE


def test_the_digest_changes_with_the_command_and_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text("one")
    first = digest(spec(tmp_path, "python3 server.py"))
    assert digest(spec(tmp_path, "python3 server.py")) == first
    assert digest(spec(tmp_path, "python3 server.py 5")) != first
    (tmp_path / "server.py").write_text("two")
    assert digest(spec(tmp_path, "python3 server.py")) != first


def test_a_dialect_is_remembered_until_its_files_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.py").write_text("one")
    server, profile = spec(tmp_path, "python3 server.py"), Profile(framing="chunk", say="{name}: {text}")
    assert remembered.recall(server) is None
    remembered.remember(server, profile)
    assert remembered.recall(server) == profile
    (tmp_path / "server.py").write_text("two")
    assert remembered.recall(server) is None
    (tmp_path / "server.py").write_text("one")
    remembered.forget(server)
    assert remembered.recall(server) is None


def test_a_broken_file_of_the_cache_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    server = spec(tmp_path, "python3 server.py")
    remembered.remember(server, Profile())
    path = remembered.place(server)
    assert path is not None
    for text in ("", "{", '{"version": 1}', "[]", '{"version": "0.1.0", "search": 1, "profile": {"framing": "no"}}'):
        path.write_text(text)
        assert remembered.recall(server) is None


def test_nothing_is_remembered_of_somebody_elses_server() -> None:
    assert remembered.place(ServerSpec("remote", "x", connect=("127.0.0.1", 1))) is None


@pytest.mark.parametrize("text", ["make run", "npm start", "go run .", "cargo run", "mvn exec:java", "sh start.sh"])
def test_a_wrappers_sources_are_those_of_the_folder(tmp_path: Path, text: str) -> None:
    for name in ("Makefile", "start.sh", "src/main/server.py", "node_modules/other.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    told = spec(tmp_path, text)
    assert "server.py" in [name for name, _ in texts(told)]
    assert "other.js" not in [name for name, _ in texts(told)]
    before = digest(told)
    (tmp_path / "src/main/server.py").write_text("two")
    after = digest(told)
    (tmp_path / "Makefile").write_text("two")
    assert len({before, after, digest(told)}) == 3
