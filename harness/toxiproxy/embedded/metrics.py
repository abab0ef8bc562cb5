"""The counters in Prometheus' text format. They move with the data, not when a connection ends."""

from __future__ import annotations

import os
import resource
import time

from harness.toxiproxy.embedded.proxy import Proxy

_HELP = {
    "received": "The total number of bytes received on a given proxy link in a given direction",
    "sent": "The total number of bytes sent on a given proxy link in a given direction",
}


def text(proxies: list[Proxy] | None, runtime: bool) -> str:
    """The answer of /metrics: the proxies' counters, and the process' own with `runtime`."""
    lines: list[str] = []
    for which in ("received", "sent") if proxies is not None else ():
        name = f"toxiproxy_proxy_{which}_bytes_total"
        lines += [f"# HELP {name} {_HELP[which]}", f"# TYPE {name} counter"]
        for proxy in proxies or []:
            for direction, counter in zip(("upstream", "downstream"), proxy.counters, strict=True):
                labels = _labels(direction=direction, listener=proxy.listen, proxy=proxy.name, upstream=proxy.upstream)
                lines.append(f"{name}{{{labels}}} {getattr(counter, which)}")
    if runtime:
        lines += _process()
    return "".join(line + "\n" for line in lines)


def _labels(**labels: str) -> str:
    escapes = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    return ",".join(f'{key}="{value.translate(escapes)}"' for key, value in labels.items())


def _process() -> list[str]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    values = {
        "process_cpu_seconds_total": ("counter", usage.ru_utime + usage.ru_stime),
        "process_resident_memory_max_bytes": ("gauge", usage.ru_maxrss * 1024),
        "process_pid": ("gauge", os.getpid()),
        "process_clock_seconds": ("gauge", time.monotonic()),
    }
    lines: list[str] = []
    for name, (kind, value) in values.items():
        lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
    return lines
