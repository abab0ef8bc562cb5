"""The harness before chat servers that nobody here wrote: what fails must be theirs, each failure looked into and written down.

    python tests/real/run_real.py                   all that are installed, all scenarios
    python tests/real/run_real.py ngircd mina       these
    python tests/real/run_real.py --list            what there is, and how it is installed
    python tests/real/run_real.py mina --scenarios chat disconnect

`servers.toml` says how each is started and which failures are known to be its own; docs/real-servers.md has the evidence.
The harness finds out by itself how each of them speaks, unless `dialect` says it. Exit status 1 where something else failed.
Not part of CI: the servers are somebody else's, and so are their faults.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: A whole run against one server takes less than this, in seconds.
LONGEST_S = 1800


@dataclass
class Verdict:
    """What a run came to: failures by scenario, those that are known to be the server's own apart."""

    known: dict[str, list[str]] = field(default_factory=dict)
    new: dict[str, list[str]] = field(default_factory=dict)
    passed: int = 0
    told: str = ""


def servers() -> dict[str, dict[str, Any]]:
    """servers.toml by name."""
    data = tomllib.loads((HERE / "servers.toml").read_text(encoding="utf-8"))
    return {server["name"]: server for server in data["server"]}


def installed(server: dict[str, Any]) -> bool:
    """Whether what the server needs is here: a program, and the folder that a variable names, where it asks for one."""
    there = shutil.which(server["needs"]) is not None
    return there and all(Path(os.environ.get(name, "/nowhere")).is_dir() for name in server.get("folders", []))


def start_script(server: dict[str, Any], place: Path) -> str:
    """The command for the harness: a script that writes the configuration for its port, and becomes the server."""
    script = place / "start.sh"
    port = 'port="$1"; own="$(dirname "$0")/$port"; mkdir -p "$own"; chmod a+rwx "$own"'
    lines = ["#!/bin/sh", port]
    if "config" in server:
        lines.append(f'cat > "$own/server.conf" <<END\n{server["config"].strip()}\nEND')
        lines.append('chmod a+r "$own/server.conf"')
    lines.append(f'cd "$own" && exec {server["command"]}')
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    script.chmod(0o755)

    return f"{shlex.quote(str(script))} {server.get('fixed_port', '{port}')}"


def run(server: dict[str, Any], patterns: list[str], seed: int) -> Verdict:
    """One run of the harness against one server."""
    with tempfile.TemporaryDirectory(prefix="real-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # some become another user
        if "dialect" in server:
            (place / "harness.toml").write_text(server["dialect"], encoding="utf-8")
        command = [
            sys.executable, "-m", "harness", "run", *patterns, "--server", start_script(server, place), "--seed", str(seed),
            "--report", "json", "--out", str(place / "report"), "-q", "--no-color", "--no-cache",
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=place, timeout=LONGEST_S, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        try:
            results = json.loads((place / "report" / "results.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Verdict(new={"no report": [done.stderr.strip()[-600:] or done.stdout[-600:]]})
    return judge(server, results)


def judge(server: dict[str, Any], results: dict[str, Any]) -> Verdict:
    """Sort the failures: `theirs` are pairs of a scenario's pattern and a property."""
    verdict = Verdict(told=json.dumps(results["target"].get("dialect", {}), ensure_ascii=False))
    if not results["scenarios"]:
        verdict.new["nothing was judged"] = [str(results.get("reason"))]
    for scenario in results["scenarios"]:
        verdict.passed += scenario["outcome"] == "pass"
        failed = [p for p in scenario["properties"] if p["outcome"] == "fail"]
        for prop in failed:
            known = any(
                fnmatch.fnmatchcase(scenario["id"].replace("[", "("), pattern.replace("[", "(")) and prop["id"] in props
                for pattern, props in server.get("theirs", {}).items()
            )
            (verdict.known if known else verdict.new).setdefault(scenario["id"], []).append(
                f"{prop['id']}: {prop['reason']}"
            )
        if scenario["outcome"] == "error":
            verdict.new.setdefault(scenario["id"], []).append(f"not judged: {scenario['reason']}")
    return verdict


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--scenarios", nargs="*", default=["all"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    known = servers()
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"there is no {', '.join(unknown)} here; there are {', '.join(known)}")
    failed = False
    for name in given.names or known:
        server = known[name]
        there = installed(server)
        if given.list or not there:
            print(f"{name:<10} {'installed' if there else 'not installed':<14} {server['install']}")
            continue
        verdict = run(server, given.scenarios, given.seed)
        failed |= bool(verdict.new)
        print(
            f"{'BAD' if verdict.new else 'ok '} {name}: {verdict.passed} passed, {len(verdict.known)} fail by its own fault"
        )
        for kind, found in (("known", verdict.known), ("NEW", verdict.new)):
            for scenario, reasons in found.items():
                print(f"      {kind} {scenario}: {'; '.join(reasons)[:400]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
