"""How long a whole run takes: the reference server and the original one in turn, and their ratio pair by pair.

    python tests/bench/bench_run.py [--pairs 3] [SCENARIO…]

Not a test: machines are noisy, so the median of the ratios is what to quote. The goals: all scenarios against the
reference in under 30 s on two processors, against the broken original in at most four times that.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time


def seconds(server: str, patterns: list[str]) -> float:
    """The wall-clock time of one run, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "harness",
            "run",
            *patterns,
            "--server",
            server,
            "--seed",
            "1",
            "-q",
            "--out",
            folder,
        ]
        began = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(f"the run against {server} ended with {done.returncode}")
        return time.monotonic() - began


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", default=["all"])
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    rows = []
    for _ in range(given.pairs):
        rows.append((seconds("reference", given.patterns), seconds("original", given.patterns)))
        print(
            f"reference {rows[-1][0]:6.1f} s   original {rows[-1][1]:6.1f} s   ratio {rows[-1][1] / rows[-1][0]:.2f}",
            flush=True,
        )
    print(
        f"median: reference {statistics.median(a for a, _ in rows):.1f} s, ratio {statistics.median(b / a for a, b in rows):.2f}"
    )


if __name__ == "__main__":
    main()
