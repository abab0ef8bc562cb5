"""Are the verdicts the same, run after run, while the machine is busy with something else?

`python tests/bench/same_verdicts.py [--runs 20] [--idle] [--no-namespaces] [--server reference] [WHAT ...]` runs the
harness so often, with every processor kept busy by a spinning process, and compares each verdict of each run with the
first run's. Exit status 1 when one differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

#: A spinner ends by itself after so long, in seconds, should this program be killed.
SPIN_S = 3600


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that do nothing but spin."""
    code = f"import time\nend = time.monotonic() + {SPIN_S}\nwhile time.monotonic() < end: pass"
    spinners = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def verdicts(arguments: list[str], folder: Path) -> tuple[dict[str, str], float]:
    """What each scenario and each of its properties came to in one run, and the run's time in seconds."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "harness", "run", *arguments, "--report", "json", "--out", str(folder), "-q"],
        stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    told = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    found = {scenario["id"]: scenario["outcome"] for scenario in told["scenarios"]}
    for scenario in told["scenarios"]:
        for judgement in scenario["properties"]:
            found[f"{scenario['id']} {judgement['id']}"] = f"{judgement['outcome']}: {judgement.get('reason')}"
    return found, time.monotonic() - began


def outcomes(found: dict[str, str]) -> dict[str, str]:
    """Without the reasons, which hold times."""
    return {key: value.partition(":")[0] for key, value in found.items()}


def main() -> int:
    """Run, compare, print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["all"])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--server", default="reference")
    parser.add_argument("--idle", action="store_true", help="do not keep the processors busy")
    parser.add_argument("--no-namespaces", action="store_true")
    given = parser.parse_args()
    arguments = [*given.what, "--server", given.server, *(["--no-namespaces"] if given.no_namespaces else [])]
    first: dict[str, str] = {}
    different = 0
    with busy(0 if given.idle else os.cpu_count() or 1), tempfile.TemporaryDirectory() as folder:
        for number in range(1, given.runs + 1):
            found, took_s = verdicts(arguments, Path(folder) / str(number))
            first = first or found
            now, then = outcomes(found), outcomes(first)
            changed = sorted(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
            different += bool(changed)
            count = {one: sum(v == one for k, v in now.items() if " " not in k) for one in sorted(set(now.values()))}
            print(f"run {number}: {took_s:.0f} s, {count}", flush=True)
            for key in changed:
                print(f"    {key}: {first.get(key)} -> {found.get(key)}", flush=True)
    print(f"{given.runs} runs, {different} with another verdict than the first")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
