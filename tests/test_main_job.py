"""The main job, as a user starts it: everything against the reference server, through either Toxiproxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("main-job")]


def run(tmp_path: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """One run; its exit status and its results."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", *words, "--out", str(tmp_path / "report"), "--seed", "7"],
        cwd=tmp_path, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    results = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(results, json.loads((ROOT / "docs" / "results.schema.json").read_text(encoding="utf-8")))
    return done.returncode, results


def told(results: dict[str, Any], *outcomes: str) -> list[str]:
    """The scenarios with these outcomes, and why."""
    return [
        f"{s['id']}: {s['reason'] or [p['reason'] for p in s['properties'] if p['outcome'] in outcomes]}"
        for s in results["scenarios"]
        if s["outcome"] in outcomes
    ]


def test_the_reference_server_passes_everything(tmp_path: Path) -> None:
    status, results = run(tmp_path, "all")
    assert told(results, "fail", "error") == []
    assert status == 0
    assert len(results["scenarios"]) >= 70
    assert len(told(results, "skip")) <= 5
    assert all(s["reason"] for s in results["scenarios"] if s["outcome"] == "skip")


def test_it_does_so_without_namespaces(tmp_path: Path) -> None:
    status, results = run(tmp_path, "disconnect", "refused", "--no-namespaces")
    assert told(results, "fail", "error") == []
    assert (status, results["environment"]["namespaces"]) == (0, False)


@pytest.mark.real_toxiproxy
def test_the_latency_family_holds_through_the_real_toxiproxy(tmp_path: Path) -> None:
    if not (os.environ.get("TOXIPROXY_SERVER") or shutil.which("toxiproxy-server")):
        pytest.skip("NO REAL TOXIPROXY HERE: set TOXIPROXY_SERVER, or put toxiproxy-server on the PATH")
    status, results = run(
        tmp_path, "latency", "refused/proxy-down", "refused/upstream-down", "--toxiproxy", "installed"
    )
    assert told(results, "fail", "error") == []
    assert (status, results["target"]["toxiproxy"]) == (0, "installed")


def test_the_original_fails_for_what_is_documented_of_it(tmp_path: Path) -> None:
    status, results = run(tmp_path, "disconnect/reset-after-login", "disconnect/fin-without-farewell", "refused/no-listener",
                          "--server", "original")  # fmt: skip
    failing = {p["id"] for s in results["scenarios"] for p in s["properties"] if p["outcome"] == "fail"}
    assert status == 1
    assert {"delivers", "serves", "welcomes", "threads"} <= failing
    assert not failing & {"refuses", "survives", "once", "ordered", "intact", "private", "idles", "stops", "restarts"}


def test_the_patched_server_fails_only_where_its_repair_locks_up(tmp_path: Path) -> None:
    status, results = run(tmp_path, "disconnect/reset-after-login", "disconnect/fin-without-farewell", "chat/two-talk",
                          "disconnect/polite-leave", "refused/no-listener", "--server", "patched")  # fmt: skip
    outcomes = {s["id"]: s["outcome"] for s in results["scenarios"]}
    assert status == 1
    assert outcomes["disconnect/reset-after-login"] == "fail"
    assert {outcomes[k] for k in outcomes if k != "disconnect/reset-after-login"} == {"pass"}
    locked = next(s for s in results["scenarios"] if s["id"] == "disconnect/reset-after-login")
    assert {"delivers", "serves"} & {p["id"] for p in locked["properties"] if p["outcome"] == "fail"}
