"""The worked example of docs/writing-scenarios.md is a scenario, and what the page names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import Member, Room, registry
from harness.registry import NEEDS

PAGE = (Path(__file__).parents[2] / "docs" / "writing-scenarios.md").read_text(encoding="utf-8")


def test_the_worked_example_registers_its_two_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registry", {})
    file = tmp_path / "impatient.py"
    file.write_text(PAGE.split("```python\n")[1].split("```")[0], encoding="utf-8")
    found = registry.load_file(file)
    assert sorted(found) == ["impatient/burst-and-reset[fifty]", "impatient/burst-and-reset[two]"]
    assert found["impatient/burst-and-reset[two]"].titles["pt-BR"] == "Uma rajada de two, depois um reset"
    assert found["impatient/burst-and-reset[two]"].arguments == {"count": 2}


def test_every_need_is_named() -> None:
    assert [need for need in NEEDS if f"`{need}`" not in PAGE] == []


def test_what_the_room_and_a_member_are_said_to_do_is_there() -> None:
    for name in set(re.findall(r"`?(?:await )?room\.(\w+)\(", PAGE)):
        assert hasattr(Room, name), name
    for name in set(re.findall(r"`?(?:await )?(?:bia|caio)\.(\w+)\(", PAGE)):
        assert hasattr(Member, name), name
