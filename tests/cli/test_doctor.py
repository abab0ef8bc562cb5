"""`harness doctor`: told in the user's language, whatever the machine allows."""

from __future__ import annotations

import re

import pytest

from harness.cli import doctor
from harness.language import PORTUGUESE, Language
from harness.target import sandbox, threads

REFUSED = (
    "Operation not permitted; allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0), or run as root"
)


@pytest.fixture
def nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "namespaces_allowed", lambda: (False, REFUSED))
    monkeypatch.setattr(doctor, "_capture", lambda: "no packet ring here: Operation not permitted")
    monkeypatch.setattr(threads, "spy", lambda: None)
    monkeypatch.setattr(threads, "jstack", lambda: None)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/java" if name == "java" else None)
    monkeypatch.delenv("TOXIPROXY_SERVER", raising=False)


def test_everything_is_told_in_portuguese(nothing_allowed: None, capsys: pytest.CaptureFixture[str]) -> None:
    english, told = doctor.rows(Language("en")), doctor.rows(Language("pt-BR"))
    assert {what for _, what, _ in told} - set(PORTUGUESE) == {"Python"}
    same = [after for before, after in zip(english, told, strict=True) if before == after]
    assert all(re.fullmatch(r"[\d.]+", found) for _, _, found in same)  # numbers alone
    doctor.doctor("pt-BR")
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("não  ") for line in lines) >= 5
    assert lines[-1].startswith("Tudo funciona sem as linhas que dizem não")


def test_a_reason_and_what_to_do_stand_behind_what_is_missing(nothing_allowed: None) -> None:
    found = {what: told for good, what, told in doctor.rows(Language("en")) if not good}
    assert found["network namespace for each scenario"] == REFUSED
    assert found["packet capture"] == "no packet ring here: Operation not permitted"
