"""What capturing packets costs: the same scenarios with and without it, in turn, and their ratio pair by pair.

    python tests/bench/bench_capture.py [--pairs 5] [SCENARIO…]

Not a test: machines are noisy, so the median of the ratios is what to quote. The goal: less than 1.10. Processor time of
the whole process tree is given too, which noise of others moves less than the clock on the wall.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def costs(capture: str, server: str, patterns: list[str]) -> tuple[float, float]:
    """Wall-clock and processor time of one run, in seconds."""
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
            "--jobs",
            "4",
        ]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--capture", capture, "--out", folder, "--report", "json"],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        took = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"the run ended with {done.returncode}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line a pair, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", default=["all"])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--server", default="reference")
    given = parser.parse_args()
    walls, processors = [], []
    for _ in range(given.pairs):
        with_capture, without = costs("auto", given.server, given.patterns), costs("off", given.server, given.patterns)
        walls.append(with_capture[0] / without[0])
        processors.append(with_capture[1] / without[1])
        print(
            f"with {with_capture[0]:6.2f} s ({with_capture[1]:6.2f} s of processor)   "
            f"without {without[0]:6.2f} s ({without[1]:6.2f} s)   ratio {walls[-1]:.3f} ({processors[-1]:.3f})",
            flush=True,
        )
    print(
        f"median ratio: {statistics.median(walls):.3f} by the clock, {statistics.median(processors):.3f} of processor time"
    )


if __name__ == "__main__":
    main()
