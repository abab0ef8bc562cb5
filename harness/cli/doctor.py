"""`harness doctor`: what this machine allows, and what to install or allow."""

from __future__ import annotations

import os
import resource
import shutil
import sys

import typer

#: How to get jstack, where there is a Java without it.
JSTACK = "not found: install a JDK (apt install default-jdk-headless), or set JAVA_HOME to one"


def doctor() -> None:
    """What this machine allows: Python, namespaces, Toxiproxy, limits, watching of processes."""
    from harness.target import sandbox, threads

    allowed, why = sandbox.namespaces_allowed()
    how = _capture()
    real = shutil.which("toxiproxy-server") or os.environ.get("TOXIPROXY_SERVER")
    spy, java, jstack = threads.spy(), shutil.which("java"), threads.jstack()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    linux = sys.platform.startswith("linux")
    rows = [
        (True, "Python", sys.version.split()[0]),
        (True, "processors", str(os.cpu_count())),
        (allowed, "network namespace for each scenario", "yes" if allowed else why),
        (how is None, "packet capture", how or "yes (packet socket)"),
        (linux, "silent packet loss without privileges", "yes (socket filter)" if linux else "Linux only"),
        (linux, "kernel's socket tables", "yes (sock_diag)" if linux else "psutil is used instead"),
        (bool(spy), "stacks of a Python server that is stuck", spy or "not found: pip install py-spy"),
        (True, "Toxiproxy, embedded", "yes"),
        (
            bool(real),
            "Toxiproxy, installed",
            real or "not found: put toxiproxy-server on the PATH, or set TOXIPROXY_SERVER",
        ),
        (soft >= 4096, "open files", f"{soft} (hard limit {hard}); `ulimit -n {hard}` allows larger storms"),
    ]
    if java or jstack:
        rows.append((bool(jstack), "stacks of a Java server that is stuck", jstack or JSTACK))
    for good, what, found in rows:
        typer.echo(f"{'ok  ' if good else 'no  '} {what}: {found}")
    typer.echo(
        "\nEverything works without the lines that say no; fewer scenarios may apply, or fewer run side by side."
    )


def _capture() -> str | None:
    """Why a worker, with the namespace that it gets, may not capture packets; None when it may."""
    from harness.engine.workers import Workers
    from harness.evidence.ring import why_no_capture
    from harness.target import sandbox

    def work() -> str | None:
        sandbox.enter(namespaces=True)
        return why_no_capture()

    with Workers(1) as workers:
        workers.start("capture", work, 10)
        while True:
            for done in workers.wait():
                return done.failure or done.value
