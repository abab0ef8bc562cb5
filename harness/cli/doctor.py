"""`harness doctor`: what this machine allows, and what to install or allow."""

from __future__ import annotations

import os
import resource
import shutil
import sys
from typing import Annotated

import typer

from harness.cli.target_words import language_of
from harness.language import Language
from harness.target import sandbox, threads

#: How to get jstack, where there is a Java without it.
JSTACK = "not found: install a JDK (apt install default-jdk-headless), or set JAVA_HOME to one"
SPY = "not found: pip install py-spy"
TOXIPROXY = "not found: put toxiproxy-server on the PATH, or set TOXIPROXY_SERVER"
FILES = "{soft} (hard limit {hard}); `ulimit -n {hard}` allows larger storms"
#: What larger storms take, in open files.
ENOUGH_FILES = 4096

Row = tuple[bool, str, str]  # whether it is so, what, and what was found or how to get it


def doctor(lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None) -> None:
    """What this machine allows: Python, namespaces, Toxiproxy, limits, watching of processes."""
    say = Language.of(language_of(lang))
    for good, what, found in rows(say):
        typer.echo(f"{say('ok') if good else say('no'):<4} {say(what)}: {found}")
    typer.echo()
    typer.echo(
        say("Everything works without the lines that say no; fewer scenarios may apply, or fewer run side by side.")
    )


def rows(say: Language) -> list[Row]:
    """What was looked at, what was found in the user's language."""
    allowed, why = sandbox.namespaces_allowed()
    how = _capture()
    real = shutil.which("toxiproxy-server") or os.environ.get("TOXIPROXY_SERVER")
    spy, java, jstack = threads.spy(), shutil.which("java"), threads.jstack()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    linux = sys.platform.startswith("linux")
    found = [
        (True, "Python", sys.version.split()[0]),
        (True, "processors", str(os.cpu_count())),
        (allowed, "network namespace for each scenario", say("yes") if allowed else say.sentence(why)),
        (how is None, "packet capture", say.sentence(how) if how else say("yes (packet socket)")),
        (linux, "silent packet loss without privileges", say("yes (socket filter)") if linux else say("Linux only")),
        (linux, "kernel's socket tables", say("yes (sock_diag)") if linux else say("psutil is used instead")),
        (bool(spy), "stacks of a Python server that is stuck", spy or say(SPY)),
        (True, "Toxiproxy, embedded", say("yes")),
        (bool(real), "Toxiproxy, installed", real or say(TOXIPROXY)),
        (soft >= ENOUGH_FILES, "open files", say(FILES, soft=soft, hard=hard) if soft < hard else str(soft)),
    ]
    if java or jstack:
        found.append((bool(jstack), "stacks of a Java server that is stuck", jstack or say(JSTACK)))
    return found


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
