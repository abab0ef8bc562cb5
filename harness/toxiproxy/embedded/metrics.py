"""The counters in Prometheus' text format. They move with the data, not when a connection ends."""

from __future__ import annotations

import resource

import psutil

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
    """What is told of any process, under the names that monitoring asks for. Of Go's runtime there is nothing to tell."""
    process = psutil.Process()
    with process.oneshot():
        spent, memory = process.cpu_times(), process.memory_info()
        values = {
            "process_cpu_seconds_total": ("counter", spent.user + spent.system),
            "process_max_fds": ("gauge", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
            "process_open_fds": ("gauge", process.num_fds()),
            "process_resident_memory_bytes": ("gauge", memory.rss),
            "process_start_time_seconds": ("gauge", process.create_time()),
            "process_virtual_memory_bytes": ("gauge", memory.vms),
        }
    lines: list[str] = []
    for name, (kind, value) in values.items():
        lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
    return lines
