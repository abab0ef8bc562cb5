"""repro.py over the zoo: each must see its fault on the server it was made from, and see none on a correct sibling.

    python tests/zoo/run_repros.py                   all servers with a planted defect
    python tests/zoo/run_repros.py py-once rust      these
    python tests/zoo/run_repros.py --planted         only the files that are about what was planted
    python tests/zoo/run_repros.py original patched  the documented servers, which break more than one thing
    python tests/zoo/run_repros.py --markdown FILE   the table of docs/zoo.md

For every defect the harness is run on the scenarios that show it; each file that it writes is started on the faulty
server (exit status 1 is right) and on a correct server that speaks the same dialect (0 is right), where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from run_zoo import build, fill, quick, toml, zoo

#: One file may take so long, in seconds; one run of the harness so long.
LONGEST_S, RUN_S = 120, 420
#: Files of one server that are tried for one property.
EACH = 2
#: The documented servers: the program knows how they speak, and the correct one of them is the reference.
_MODULE = "{python} -m server_under_test."
DOCUMENTED: dict[str, dict[str, Any]] = {
    name: {
        "name": name,
        "command": f"{_MODULE}{name} --port {{port}}",
        "defect": defect,
        "profile": "documented",
        "language": "python",
    }
    for name, defect in (("reference", ""), ("original", "delivers"), ("patched", "delivers"))
}


@dataclass
class Tried:
    """One file, on both servers. `sibling` None: there is no correct server of this dialect."""

    server: str
    scenario: str
    prop: str
    faulty: int
    sibling: int | None
    planted: bool
    told: str = ""

    @property
    def good(self) -> bool:
        """It sees the fault where it is, and only there."""
        return self.faulty == 1 and self.sibling in (0, None)


def sibling_of(server: dict[str, Any], servers: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """A correct server that speaks the same dialect, of the same language where there is one."""
    correct = [s for s in servers.values() if not s["defect"] and s["profile"] == server["profile"]]
    return min(correct, key=lambda s: s["language"] != server["language"], default=None)


def make(server: dict[str, Any], place: Path, only: list[str]) -> dict[str, Any]:
    """Run the harness; its results. `place` then holds the report."""
    documented = server["name"] in DOCUMENTED
    if not documented:
        (place / "harness.toml").write_text(toml({"framing": "line", **server["profile"]}), encoding="utf-8")
    target = server["name"] if documented else fill(server["command"])
    command = [
        sys.executable, "-m", "harness", "run", *(only or quick(server, aimed=4)), "--server", target,
        "--seed", "1", "--confirm", "0", "--report", "json", "--out", str(place / "report"), "-q", "--no-color",
        "--no-cache", "--capture", "off",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=place, timeout=RUN_S, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    try:
        results: dict[str, Any] = json.loads((place / "report" / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SystemExit(f"{server['name']}: {done.stderr[-400:]}") from None
    return results


def start(file: Path, command: str) -> tuple[int, str]:
    """The file, which starts this server; its exit status and its last words."""
    try:
        done = subprocess.run(
            [sys.executable, str(file), "--start", command], capture_output=True, text=True, timeout=LONGEST_S,
            check=False, stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, "it did not end"
    return done.returncode, " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])[-300:]


def tried(
    server: dict[str, Any], servers: dict[str, dict[str, Any]], planted: bool, only: list[str], keep: Path | None
) -> tuple[list[Tried], list[str]]:
    """Each file of one server, and what has none."""
    with tempfile.TemporaryDirectory() as folder:
        place = (keep.resolve() / server["name"]) if keep else Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        results, sibling = make(server, place, only), sibling_of(server, servers)
        found, without = list[Tried](), list[str]()
        seen: dict[str, int] = {}
        for scenario in results["scenarios"]:
            for prop in scenario["properties"]:
                shape = prop["fingerprint"]
                if prop["outcome"] != "fail" or (planted and prop["id"] != server["defect"]):
                    continue
                if not prop.get("repro"):
                    without.append(f"{server['name']} {scenario['id']} {prop['id']}: {prop.get('no_repro')}")
                    continue
                seen[shape] = seen.get(shape, 0) + 1
                if seen[shape] > EACH:
                    continue
                file = place / "report" / prop["repro"]
                faulty, told = start(file, fill(server["command"]))
                other, words = start(file, fill(sibling["command"])) if sibling else (None, "")
                one = Tried(
                    server["name"], scenario["id"], prop["id"], faulty, other, prop["id"] == server["defect"],
                    words if faulty == 1 else told,
                )  # fmt: skip
                found.append(one)
                print(line(one), flush=True)
        for one in dict.fromkeys(without):
            print(f"none {one}", flush=True)
        if not any(one.planted for one in found):
            print(f"none {server['name']}: nothing shows {server['defect']}", flush=True)
    return found, without


def line(one: Tried) -> str:
    """One line of the table."""
    other = "-" if one.sibling is None else str(one.sibling)
    told = "" if one.good else f"\n       {one.told}"
    return (
        f"{'ok  ' if one.good else 'BAD '} {one.server:<22} {one.prop:<11} {one.faulty} {other}  {one.scenario}{told}"
    )


def markdown(all_: list[Tried], names: list[str]) -> str:
    """The whole as a table, a row a server."""
    rows = ["| server | files | see the fault | on a correct sibling they see none |", "|---|---|---|---|"]
    for name in names:
        mine = [one for one in all_ if one.server == name]
        there = [one for one in mine if one.sibling is not None]
        rows.append(
            f"| `{name}` | {len(mine)} | {sum(one.faulty == 1 for one in mine)} | "
            + (f"{sum(one.sibling == 0 for one in there)} of {len(there)} |" if there else "no sibling |")
        )
    return "\n".join(rows) + "\n"


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--planted", action="store_true", help="only files about what was planted")
    parser.add_argument("--scenarios", nargs="*", default=[])
    parser.add_argument("--side-by-side", type=int, default=1, metavar="N", help="N servers at a time")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the reports there")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    given = parser.parse_args()
    servers = {**zoo(), **DOCUMENTED}
    chosen = [servers[n] for n in given.names] if given.names else [s for s in servers.values() if s["defect"]]
    build([*chosen, *(s for s in servers.values() if not s["defect"])])
    with ThreadPoolExecutor(given.side_by_side) as pool:
        told = list(pool.map(lambda s: tried(s, servers, given.planted, given.scenarios, given.keep), chosen))
    all_ = [one for found, _ in told for one in found]
    with_sibling = [one for one in all_ if one.sibling is not None]
    shown = {one.server for one in all_ if one.planted and one.faulty == 1}
    print(
        f"\n{len(all_)} files: {sum(one.faulty == 1 for one in all_)} see the fault on their server; "
        f"{sum(one.sibling == 0 for one in with_sibling)} of {len(with_sibling)} see none on a correct sibling; "
        f"{len(shown)} of {len(chosen)} planted defects shown by a file; {sum(len(w) for _, w in told)} failures without one"
        f" ({os.cpu_count()} cores)"
    )
    if given.markdown:
        given.markdown.write_text(markdown(all_, [s["name"] for s in chosen]), encoding="utf-8")
    return 0 if all(one.good for one in all_) else 1


if __name__ == "__main__":
    sys.exit(main())
