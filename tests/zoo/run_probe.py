"""Is each zoo server's dialect found by talking to it? Compared with what its author would declare.

    python tests/zoo/run_probe.py                     all servers, once
    python tests/zoo/run_probe.py py-once rust        these
    python tests/zoo/run_probe.py --times 3 --jobs 2  three times each, two side by side
    python tests/zoo/run_probe.py --no-hints          without a look at the sources

Prints one line a server, then how many were found. Exit status 1 when one was not, or was found to speak otherwise.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from run_zoo import build, fill, zoo

from harness.dialect.profile import Profile
from harness.engine.baseline import Learned
from harness.engine.detecting import detect
from harness.engine.options import Options
from harness.engine.workers import Done, Workers
from harness.target import command

#: What must be the same for a run to come to the same verdicts.
ESSENTIAL: dict[str, Callable[[Profile], object]] = {
    "send": lambda p: p.framing_name("send"),
    "receive": lambda p: p.framing_name("receive"),
    "named": lambda p: p.named,
    "auto": lambda p: p.auto,
    "attributes": lambda p: p.attributes,
    "say": lambda p: p.say,
    "list": lambda p: p.list,
    "whisper": lambda p: p.whisper,
    "leave": lambda p: p.leave,
    "encoding": lambda p: p.encoding,
}


def differences(declared: Profile, found: Profile) -> list[str]:
    """Where the dialect that was found is another than the declared one."""
    return [f"{key} {of(found)!r}, not {of(declared)!r}" for key, of in ESSENTIAL.items() if of(found) != of(declared)]


def line(name: str, declared: Profile, outcomes: list[Done]) -> tuple[bool, str]:
    """One server's line, and whether it was found each time."""
    said: list[str] = []
    for done in outcomes:
        learned: Learned = done.value or Learned(failure=done.failure)
        if learned.profile is None:
            said.append(f"not found: {learned.failure}")
        else:
            said += differences(declared, learned.profile)
    good = not any(text.startswith("not found") for text in said)
    took = max(done.duration_s for done in outcomes)
    kind = outcomes[-1].value.profile.name if good else ""
    mark = "ok  " if not said else "DIFF" if good else "BAD "
    return good, f"{mark} {name:<24} {took:5.1f} s  {kind:<30} {'; '.join(dict.fromkeys(said))}".rstrip()


def options_of(server: dict[str, Any], hints: bool) -> Options:
    """The search's options."""
    more: dict[str, Any] = {} if hints or "hints" not in Options.__dataclass_fields__ else {"hints": False}
    return Options(spec=command(fill(server["command"])), **more)


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-hints", action="store_true")
    given = parser.parse_args()
    known = zoo()
    chosen = [known[name] for name in given.names] if given.names else list(known.values())
    build(chosen)
    waiting = [(server, time) for server in chosen for time in range(given.times)]
    outcomes: dict[str, list[Done]] = defaultdict(list)
    missed = 0
    with Workers(given.jobs) as workers:
        while waiting or workers.busy:
            while waiting and workers.free:
                server, time = waiting.pop(0)
                options = options_of(server, not given.no_hints)
                workers.start(f"{server['name']} {time}", lambda options=options: detect(options), 120.0)  # type: ignore[misc]
            for done in workers.wait():
                name = done.key.split()[0]
                outcomes[name].append(done)
                if len(outcomes[name]) == given.times:
                    good, text = line(name, Profile.model_validate(known[name]["profile"]), outcomes[name])
                    missed += not good
                    print(text, flush=True)
    print(f"\nfound {len(chosen) - missed} of {len(chosen)} dialects, {given.times} times each")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
