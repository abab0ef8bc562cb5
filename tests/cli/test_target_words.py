"""What `--server` and harness.toml say about the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.target_words import target
from harness.config import Config


@pytest.mark.parametrize("command", ["./chat {port}", ["./chat", "{port}"]])
def test_the_command_of_harness_toml_typed_again_keeps_its_folder_and_build(command: object, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    table = {"command": command, "cwd": "src", "build": "make", "env": {"MODE": "test"}, "stdin": "{port}\n"}
    settings, where = Config.model_validate({"server": table}), tmp_path / "harness.toml"
    declared = target(None, None, [], settings, where)
    assert target(declared.command_text, None, [], settings, where) == declared
    assert target("./other {port}", None, [], settings, where).build is None
