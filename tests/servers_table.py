"""docs/servers.md: the three documented servers, scenario by property, as the harness printed it.

python tests/servers_table.py            run all scenarios against the three, and write the page
python tests/servers_table.py A B C      from the report folders of three runs (original, patched, reference)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SERVERS = ("original", "patched", "reference")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "servers.md"
HEAD = """# The documented servers, scenario by property

Three servers stand in `server_under_test/`. How each works, and by which mechanism two of them break, is told in
[protocol.md](protocol.md). This page is written by `python tests/servers_table.py` from three runs of
`harness run all`; nothing in it was typed by hand. The faulty servers race, so the cells of *original* and *patched*
vary a little from run to run; those of *reference* do not.
"""


def results(server: str) -> dict[str, Any]:
    """Run everything against one server."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "harness", "run", "all", "--server", server, "--seed", "1", "-q", "--report", "json", "--out", folder],
            check=False, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return dict(json.loads((Path(folder) / "results.json").read_text(encoding="utf-8")))


def cell(scenario: dict[str, Any] | None) -> str:
    """What failed, or that it held."""
    if scenario is None:
        return ""
    if scenario["outcome"] in ("skip", "error"):
        return f"*{scenario['outcome']}*"
    failing = [p["id"] for p in scenario["properties"] if p["outcome"] == "fail"]
    text = " ".join(failing) if failing else "held"
    return f"{text} *(intermittent)*" if scenario["intermittent"] else text


def page(runs: dict[str, dict[str, Any]]) -> str:
    """The whole page."""
    parts = [HEAD, "## In short\n", "| | " + " | ".join(SERVERS) + " |", "|---" * (len(SERVERS) + 1) + "|"]
    parts += [
        f"| {outcome} | " + " | ".join(str(runs[s]["counts"]["scenarios"][outcome]) for s in SERVERS) + " |"
        for outcome in ("pass", "fail", "warn", "skip", "error")
    ]
    for server in SERVERS[:2]:
        parts.append(f"\n## What was found in `{server}`\n")
        parts += [
            f"* {f['title']}: {len(f['scenarios'])} scenarios (`{f['fingerprint']}`)" for f in runs[server]["findings"]
        ]
    parts += ["\n## How often each property failed\n", "| property | " + " | ".join(SERVERS) + " |", "|---" * 4 + "|"]
    seen = {p["id"]: None for r in runs.values() for s in r["scenarios"] for p in s["properties"]}
    for prop in seen:
        counts = [
            sum(p["id"] == prop and p["outcome"] == "fail" for s in runs[server]["scenarios"] for p in s["properties"])
            for server in SERVERS
        ]
        parts.append(f"| {prop} | " + " | ".join(str(n or "–") for n in counts) + " |")
    parts += [
        "\n## Scenario by scenario: the properties that failed\n",
        "| scenario | " + " | ".join(SERVERS) + " |",
        "|---" * 4 + "|",
    ]
    by_id = {server: {s["id"]: s for s in runs[server]["scenarios"]} for server in SERVERS}
    for scenario in by_id["reference"]:
        parts.append(f"| {scenario} | " + " | ".join(cell(by_id[s].get(scenario)) for s in SERVERS) + " |")
    return "\n".join(parts) + "\n"


def main() -> None:
    """The script."""
    folders = sys.argv[1:]
    runs = {}
    for number, server in enumerate(SERVERS):
        if folders:
            runs[server] = json.loads((Path(folders[number]) / "results.json").read_text(encoding="utf-8"))
        else:
            runs[server] = results(server)
    PAGE.write_text(page(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
