"""The embedded Toxiproxy beside the real one: latency, throughput, connections, memory, and the error of a toxic.

    python tests/bench/bench_toxiproxy.py --real PATH [--pairs 5] [--row NAME…] [--markdown FILE]

`PATH` is a toxiproxy-server (or TOXIPROXY_SERVER says where one is). Both stand side by side before the same peer, are
measured in turn, and what counts is the median of the ratios, pair by pair: machines are noisy. The same peer without a
proxy is measured each time as well: what a proxy adds is the difference.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import load
import psutil
import requests

#: The toxic whose error is measured, in milliseconds.
LATENCY_MS = 20
#: Idle connections whose memory is measured.
HELD = 2000
#: A proxy is up within this time, in seconds.
UP_S = 20.0


@dataclass(frozen=True)
class Server:
    """A running Toxiproxy."""

    url: str
    pid: int

    def proxy(self, upstream: load.Address) -> load.Address:
        """A new proxy before the upstream; where it listens."""
        told = self._post(
            "/proxies", name=f"p{time.monotonic_ns()}", upstream="{}:{}".format(*upstream), listen="127.0.0.1:0"
        )
        host, _, port = told["listen"].rpartition(":")
        return host, int(port)

    def slow(self, upstream: load.Address) -> load.Address:
        """The same, with the toxic."""
        address = self.proxy(upstream)
        name = next(n for n, p in self._get("/proxies").items() if p["listen"] == "{}:{}".format(*address))
        self._post(f"/proxies/{name}/toxics", type="latency", attributes={"latency": LATENCY_MS})
        return address

    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def _post(self, path: str, **body: object) -> dict[str, str]:
        answer = requests.post(self.url + path, json=body, timeout=30)
        answer.raise_for_status()
        told: dict[str, str] = answer.json()
        return told

    def _get(self, path: str) -> dict[str, dict[str, str]]:
        told: dict[str, dict[str, str]] = requests.get(self.url + path, timeout=30).json()
        return told


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[Server]:
    """Start a Toxiproxy on a free port, and end it afterwards."""
    with contextlib.closing(load.socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "-port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "LOG_LEVEL": "error"},
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + UP_S
        while True:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"{url}/version", timeout=5)
                break
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{command[0]} did not come up")
            time.sleep(0.02)  # between two looks at a process that starts
        yield Server(url, process.pid)
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True)
class Row:
    """One figure. `measure` gives it for a server and the peer's address; `better` is whether less or more is better."""

    name: str
    unit: str
    gate: str
    aim: str
    measure: Callable[[Server, load.Address], float]
    format: str = "{:.1f}"


def _added(server: Server, peer: load.Address, which: str) -> float:
    """Microseconds that a proxy adds to a round trip of 64 bytes."""
    direct, through = load.round_trips([peer, server.proxy(peer)], 4000)
    return 1e6 * float(getattr(through, which) - direct.median_s)


def _memory(server: Server, peer: load.Address) -> float:
    """KiB a connection."""
    address = server.proxy(peer)
    with load.held(address, 50):
        pass
    before = server.memory()
    with load.held(address, HELD):
        return max(0.0, server.memory() - before) / HELD / 1024


def _error(server: Server, peer: load.Address, connections: int, which: str = "median_s") -> float:
    """Milliseconds by which a round trip through the toxic is later than the toxic says and than it is without."""
    slow = server.slow(peer)
    took = load.paced({slow: connections, peer: max(1, connections // 10)}, 100 if connections == 1 else 10, 0.08)
    if min(took[slow]) < LATENCY_MS / 1000:
        raise SystemExit(f"{server.url}: a message came {1000 * min(took[slow]):.3f} ms after it was sent: too early")
    return 1000 * float(getattr(load.times(took[slow]), which) - load.times(took[peer]).median_s) - LATENCY_MS


ROWS = (
    Row("added to a 64-byte round trip, median", "µs", "≤ 1.0", "≤ 0.6", lambda s, p: _added(s, p, "median_s")),
    Row("added to a 64-byte round trip, p99", "µs", "–", "–", lambda s, p: _added(s, p, "p99_s")),
    Row("one stream", "MB/s", "≥ 1.5", "≥ 2.5", lambda s, p: load.throughput(s.proxy(p), 1, 1 << 30) / 1e6),
    Row("32 streams", "MB/s", "≥ 1.0", "–", lambda s, p: load.throughput(s.proxy(p), 32, 1 << 30) / 1e6),
    Row("connections opened and closed", "/s", "≥ 1.3", "≥ 2", lambda s, p: load.cycles(s.proxy(p), 4000), "{:.0f}"),
    Row("memory of an idle connection (of 2,000)", "KiB", "≤ 0.2", "≤ 0.067", _memory),
    Row("error of 20 ms latency, 1 connection, median", "ms", "≤ 1.0", "≤ 0.6", lambda s, p: _error(s, p, 1), "{:.3f}"),
    Row("error of 20 ms latency, 200 connections, median", "ms", "≤ 1.0", "–", lambda s, p: _error(s, p, 200), "{:.3f}"),
    Row("error of 20 ms latency, 200 connections, p99", "ms", "–", "–", lambda s, p: _error(s, p, 200, "p99_s"), "{:.3f}"),
)  # fmt: skip


def main() -> None:
    """Print a line a pair, and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", default=os.environ.get("TOXIPROXY_SERVER"), help="a toxiproxy-server")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--row", nargs="*", default=[""], help="only rows whose name contains one of these")
    parser.add_argument("--markdown", type=Path, help="write the table as Markdown, too")
    given = parser.parse_args()
    if not given.real:
        parser.error("which Toxiproxy is the real one? --real PATH, or TOXIPROXY_SERVER")
    embedded = [sys.executable, "-m", "harness.toxiproxy.embedded"]
    table = ["| | embedded | Toxiproxy 2.12 | ratio | gate | aim |", "|---|---|---|---|---|---|"]
    with load.peer() as peer:
        for row in ROWS:
            if not any(part in row.name for part in given.row):
                continue
            pairs = [_pair(row, embedded, [given.real], peer, turned=bool(n % 2)) for n in range(given.pairs)]
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            shown = [row.format.format(statistics.median(figures)) for figures in zip(*pairs, strict=True)]
            table.append(
                f"| {row.name} | {shown[0]} {row.unit} | {shown[1]} {row.unit} | **{ratio:.2f}** | {row.gate} | {row.aim} |"
            )
            print(table[-1], flush=True)
    if given.markdown:
        how = f"{given.pairs} pairs, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"
        given.markdown.write_text("\n".join([*table, "", how, ""]), encoding="utf-8")


def _pair(row: Row, ours: list[str], theirs: list[str], peer: load.Address, *, turned: bool) -> tuple[float, float]:
    """The figure of both, each in a fresh process, in turn."""
    figures = {}
    for which in ("theirs", "ours") if turned else ("ours", "theirs"):
        with running(ours if which == "ours" else theirs) as server:
            figures[which] = row.measure(server, peer)
    told = "   ".join(f"{which} {row.format.format(figures[which])} {row.unit}" for which in ("ours", "theirs"))
    print(f"  {row.name}: {told}", flush=True)
    return figures["ours"], figures["theirs"]


if __name__ == "__main__":
    main()
