"""The examples of docs/ci.md and the composite action are what they say: YAML that names options that there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "harness" / "action.yml"
GUIDE = ROOT / "docs" / "ci.md"


def _options(command: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-m", "harness", command, "--help"], capture_output=True, text=True, check=True, timeout=60,
        env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
    ).stdout  # fmt: skip
    return set(re.findall(r"--[a-z][a-z-]+", told))


def test_every_option_of_the_examples_exists() -> None:
    text = GUIDE.read_text(encoding="utf-8") + ACTION.read_text(encoding="utf-8")
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"(?m)^.*(pip|apt-get).*$", "", text)))
    assert "--write-baseline" in used
    assert used <= _options("run") | _options("report") | _options("compare")


def test_every_report_format_is_told() -> None:
    from harness.report import DEFAULT_FORMATS, FORMATS
    from harness.report.github import NAME

    rows = re.findall(r"(?m)^\| `(\w+)` \| (?:`([^`]+)`)? *\|", GUIDE.read_text(encoding="utf-8"))
    assert {name for name, _ in rows} == {*FORMATS, NAME}
    assert {name for name, _ in rows[:5]} == set(DEFAULT_FORMATS)


def test_no_input_of_the_action_is_pasted_into_its_script() -> None:
    text = ACTION.read_text(encoding="utf-8")
    scripts = re.findall(r"(?m)^      run: \|\n((?:        .*\n)+)", text)
    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)


def test_the_action_s_script_is_bash(tmp_path: Path) -> None:
    text = ACTION.read_text(encoding="utf-8")
    for number, script in enumerate(re.findall(r"(?m)^      run: \|\n((?:        .*\n)+)", text)):
        path = tmp_path / f"{number}.sh"
        path.write_text(script)
        assert subprocess.run(["bash", "-n", str(path)], timeout=30, check=False).returncode == 0
