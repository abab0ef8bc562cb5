"""The zoo in CI: each planted defect is found for its property and no other; a correct server has no failure.

Of the scenarios only the essential ones are run here, and some that were written for what is planted; of the servers the
first for each property, and correct ones in every language. `HARNESS_ZOO=all` takes every server, and
`python tests/zoo/run_zoo.py` every scenario as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import run_zoo

from harness.registry import load

pytestmark = [pytest.mark.filterwarnings("default::pytest.PytestWarning"), pytest.mark.zoo, pytest.mark.timeout(600)]

ZOO = run_zoo.zoo()
#: So many of the scenarios that were written for what is planted are run, and of the essential ones these: each costs
#: CI a second or more, and is seen again when it fails.
AIMED = 5
FEW = {
    "refused/no-listener", "disconnect/abrupt", "malformed/random-bytes", "disconnect/reset-after-login",
    "disconnect/polite-leave", "chat/comings-and-goings", "chat/two-talk",
}  # fmt: skip
TOOLS = {"c": "gcc", "java": "javac", "javascript": "node", "go": "go", "rust": "cargo"}


@pytest.fixture(scope="module", autouse=True)
def _built(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The compiled ones are built once, whichever test process comes first."""
    marker = tmp_path_factory.getbasetemp().parent / "zoo-is-built"
    import fcntl

    with (tmp_path_factory.getbasetemp().parent / "zoo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            run_zoo.build([server for server in ZOO.values() if _can_be_built(server)])
            marker.touch()


def _chosen() -> list[str]:
    """Which servers are tested: all, or the first for each property and correct ones for each language and framing."""
    if os.environ.get("HARNESS_ZOO") == "all":
        return list(ZOO)
    first: dict[tuple[str, str], str] = {}
    for name, server in ZOO.items():
        kind = f"{server['language']} {server['profile'].get('framing', 'line')}"
        if name.startswith("ct-"):
            continue  # those are for the scenarios below
        if server["defect"] or "{" not in kind:  # the two framings of a mixed one are tested alone
            first.setdefault((server["defect"], "" if server["defect"] else kind), name)
    return list(first.values())


def _can_be_built(server: dict[str, Any]) -> bool:
    return server["language"] not in TOOLS or shutil.which(TOOLS[server["language"]]) is not None


@pytest.mark.parametrize("name", _chosen())
def test_the_verdict_is_what_was_planted(name: str) -> None:
    server = ZOO[name]
    if not _can_be_built(server):
        pytest.skip(f"there is no {TOOLS[server['language']]} here")
    wanted = run_zoo.quick(server, AIMED, parts=0)
    essential = {scenario.id for scenario in load().values() if scenario.level == "essential"}
    if server["defect"]:  # a correct one is shown all that is essential
        wanted = [one for one in wanted if one in FEW or one not in essential or one in server.get("shows", [])]
    verdict = run_zoo.run(server, wanted, find=False, seed=1, confirm=1)
    if not verdict.good:  # a machine that is shared can starve one run; a wrong verdict is wrong twice
        warnings.warn(pytest.PytestWarning(f"seen again: {run_zoo.line(verdict)}"), stacklevel=1)
        verdict = run_zoo.run(server, wanted, find=False, seed=1)
    assert verdict.good, run_zoo.line(verdict)


#: What is played with servers that count their messages or speak JSON, besides what shows their defect.
LIES = ["malformed/random-bytes", "malformed/length[more-than-follows]", "malformed/json-parts[half]"]


@pytest.mark.parametrize("name", ["ct-length", "ct-header-dies", "ct-json-ends"])
def test_a_lie_about_a_message_is_told_from_the_server_s_fault(name: str) -> None:
    server = ZOO[name]
    for _ in range(2):  # as above
        verdict = run_zoo.run(server, [*LIES, *server.get("shows", [])], find=False, seed=1)
        if verdict.good:
            break
    assert verdict.good, run_zoo.line(verdict)


def _outcomes(results: dict[str, Any] | str) -> dict[tuple[str, str], str]:
    assert isinstance(results, dict), results
    return {(s["id"], p["id"]): p["outcome"] for s in results["scenarios"] for p in s["properties"]}


def test_a_dialect_that_is_given_and_one_that_is_found_give_the_same_verdicts() -> None:
    server, patterns = ZOO["st-leave-word"], ["disconnect/abrupt", "chat/two-talk"]
    by_hand, found = (
        {key for key, outcome in _outcomes(run).items() if outcome == "fail"}
        for run in (
            run_zoo.played(server["command"], patterns, declared, seed=1, confirm=0)
            for declared in (server["profile"], {})
        )
    )
    assert ("disconnect/abrupt", "sockets") in found
    assert found == by_hand


def test_the_zoo_covers_what_a_server_can_violate() -> None:
    from harness.properties import IDS

    planted = {server["defect"] for server in ZOO.values()}
    # the kernel completes handshakes, no server can fail to: tests/mutation_check.py violates that one by hand
    assert planted - {""} == set(IDS) - {"handshake"}, "every property has a server that violates it"
    counts = Counter(server["defect"] for server in ZOO.values())
    assert not [prop for prop, count in counts.items() if count < 2]
    assert len({server["language"] for server in ZOO.values()}) >= 4


def test_no_build_output_is_kept_in_the_repository() -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        ["git", "ls-files", str(here / ".build")], capture_output=True, text=True, check=False, cwd=here
    )
    assert not done.stdout


def test_the_zoo_speaks_as_the_world_does() -> None:
    """More than half of what students write takes each read for a message; see the servers' shares in its README."""
    students = [server for name, server in ZOO.items() if name.startswith("st-")]
    chunks = [server for server in students if "chunk" in str(server["profile"].get("framing"))]
    assert len(chunks) > len(students) / 2
    assert len([server for server in ZOO.values() if not server["defect"]]) >= 35
