"""The zoo under the harness: every planted defect must be found for its property, and nothing else be blamed.

    python tests/zoo/run_zoo.py                   all servers, all scenarios
    python tests/zoo/run_zoo.py py-once rust      these
    python tests/zoo/run_zoo.py --find            the harness finds out how each server speaks
    python tests/zoo/run_zoo.py --runs 3 --busy   each three times, with both cores kept busy
    python tests/zoo/run_zoo.py --markdown FILE   the table of docs/zoo.md

Prints one line a server, then recall and precision. Exit status 1 when a defect was missed or a server wrongly blamed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUILD = HERE / ".build"
#: A whole run against one server takes less than this, in seconds.
LONGEST_S = 600
#: In so many parts are the scenarios dealt out to the correct servers by `--quick`.
PARTS = 5
#: Properties whose violation is a warning, never a failure.
ADVICE = ("handles", "discreet")


@dataclass
class Verdict:
    """What a run said of one server."""

    name: str
    defect: str
    found: bool
    blamed: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    failing: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    #: With `--find`: whether the harness could speak with it, None when it was told how.
    spoken: bool | None = None

    @property
    def good(self) -> bool:
        """Found what was planted, blamed for nothing else, everything judged."""
        return self.found and not self.blamed and not self.errors


def zoo() -> dict[str, dict[str, Any]]:
    """The servers of zoo.toml and students.toml by name, each with its whole profile under `profile`."""
    servers = {}
    for file in ("zoo.toml", "students.toml", "counted.toml"):
        data = tomllib.loads((HERE / file).read_text(encoding="utf-8"))
        for server in data["server"]:
            server["profile"] = {**data["dialects"][server["speaks"]], **server.get("dialect", {})}
            servers[server["name"]] = {**server, "number": len(servers)}
    return servers


def fill(text: str) -> str:
    """The places of this machine, for the zoo's own marks; `{port}` stays."""
    return text.replace("{dir}", str(HERE)).replace("{build}", str(BUILD)).replace("{python}", sys.executable)


def build(servers: list[dict[str, Any]]) -> None:
    """Run each build command once. Raises CalledProcessError."""
    BUILD.mkdir(exist_ok=True)
    for text in dict.fromkeys(server["build"] for server in servers if server.get("build")):
        subprocess.run(fill(text), shell=True, check=True, stdout=subprocess.DEVNULL)


def source(server: dict[str, Any]) -> Path | None:
    """The one file from which a server is built; its author has it at hand, in the folder where the harness is called."""
    words = fill(server.get("build", "")).split()
    folder = Path(words[words.index("cd") + 1]) if "cd" in words else Path()
    files = [folder / word for word in words if Path(word).suffix in (".c", ".go", ".rs")]
    return files[0] if len(files) == 1 and files[0].is_file() else None


def quick(server: dict[str, Any], aimed: int = 12, parts: int = PARTS) -> list[str]:
    """The essential scenarios, and of those that were written for what was planted some from everywhere.

    A correct server gets a part of all the others: another part than its neighbour in the file, so that together the
    correct ones see every scenario. `parts=0`: none of them.
    """
    from harness.registry import load

    known = load().values()
    others = [s for s in known if s.level != "essential"]
    if server["defect"]:
        written = [s.id for s in others if server["defect"] in s.aims]
        spread = written[:: max(1, len(written) // aimed)][:aimed]
    else:
        spread = [s.id for s in others][server["number"] % parts :: parts] if parts else []
    named = [s.id for s in known for pattern in server.get("shows", []) if s.id == pattern]
    return list(dict.fromkeys([s.id for s in known if s.level == "essential"] + spread + named))


def toml(profile: dict[str, Any]) -> str:
    """A `[dialect]` table."""

    def value(item: Any) -> str:
        if isinstance(item, bool):
            return str(item).lower()
        if isinstance(item, dict):
            return "{" + ", ".join(f"{key} = {value(each)}" for key, each in item.items()) + "}"
        if isinstance(item, list):
            return "[" + ", ".join(value(each) for each in item) + "]"
        return json.dumps(item)

    return "[dialect]\n" + "".join(f"{key} = {value(item)}\n" for key, item in profile.items())


def run(
    server: dict[str, Any], patterns: list[str], *, find: bool, seed: int, jobs: int | None = None, confirm: int = 2
) -> Verdict:
    """One run of the harness against one server; what fails is seen again `confirm` times."""
    declared = server.get("dialect", {}) if find else {"framing": "line", **server["profile"]}
    beside = source(server) if find else None
    results = played(server["command"], patterns, declared, seed=seed, jobs=jobs, confirm=confirm, beside=beside)
    if isinstance(results, str):
        return Verdict(server["name"], server["defect"], False, errors=[results], spoken=False if find else None)
    verdict = judge(server, results)
    verdict.spoken = bool(results["scenarios"]) if find else None
    return verdict


def played(
    command: str, patterns: list[str], declared: dict[str, Any], *, seed: int, jobs: int | None = None, confirm: int = 2,
    beside: Path | None = None,
) -> dict[str, Any] | str:  # fmt: skip
    """results.json of one run with these keys of `[dialect]`; what was printed where there is none. `beside`: the source of
    a compiled server, which stands in the folder where it is called, and the program beside it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if beside is not None:
            program, _, arguments = fill(command).partition(" ")
            shutil.copy(beside, place)
            shutil.copy(program, place)
            command = f"./{Path(program).name} {arguments}"
        (place / "harness.toml").write_text(toml(declared) if declared else "", encoding="utf-8")
        words = [
            sys.executable, "-m", "harness", "run", *patterns, "--server", fill(command), "--seed", str(seed), "--confirm", str(confirm),
            "--report", "json", "--out", str(place / "report"), "-q", "--no-color", "--no-cache",
        ]  # fmt: skip
        if jobs:
            words += ["--jobs", str(jobs)]
        done = subprocess.run(
            words, cwd=place, timeout=LONGEST_S, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        try:
            results: dict[str, Any] = json.loads((place / "report" / "results.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return done.stderr.strip()[-300:] or done.stdout[-300:]
    return results


def judge(server: dict[str, Any], results: dict[str, Any]) -> Verdict:
    """Compare what failed with what was planted."""
    defect = server["defect"]
    wanted = "warn" if defect in ADVICE else "fail"
    failing: dict[str, list[str]] = {}
    for scenario in results["scenarios"]:
        for prop in scenario["properties"]:
            if prop["outcome"] == "fail" or (prop["outcome"] == wanted and prop["id"] == defect):
                failing.setdefault(prop["id"], []).append(f"{scenario['id']}: {prop['reason']}")
    errors = [f"{s['id']}: {s['reason']}" for s in results["scenarios"] if s["outcome"] == "error"]
    if not results["scenarios"]:
        errors.append(f"nothing was judged: {results['reason']}")
    errors += [
        f"{s['id']}: {p['id']}: {p['reason']}"
        for s in results["scenarios"]
        for p in s["properties"]
        if p["outcome"] == "error"
    ]
    found = not defect or defect in failing
    blamed = set(failing) - {defect} - set(server["allowed"])
    return Verdict(server["name"], defect, found, blamed, errors, failing, results["duration_s"])


def line(verdict: Verdict) -> str:
    """One line of the table, and what is wrong below it."""
    mark = "ok  " if verdict.good else "BAD "
    planted = verdict.defect or "(correct)"
    told = [
        f"{mark} {verdict.name:<22} {planted:<12} {verdict.seconds:6.1f} s  fails: {', '.join(verdict.failing) or 'nothing'}"
    ]
    if verdict.defect and not verdict.found:
        told.append(f"       missed: {verdict.defect}")
    told += [
        f"       blamed for {prop}: {verdict.failing[prop][0]} ({len(verdict.failing[prop])} scenarios)"
        for prop in sorted(verdict.blamed)
    ]
    told += [f"       not judged: {error}" for error in verdict.errors[:4]]
    return "\n".join(told)


@contextlib.contextmanager
def busy(really: bool) -> Iterator[None]:
    """Keep every core busy meanwhile: a spinner each, which ends by itself should its parent be gone."""
    spin = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    count = os.cpu_count() or 1
    spinners = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(count if really else 0)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def summary(verdicts: list[Verdict]) -> str:
    """Recall and precision in one line."""
    planted, correct = [v for v in verdicts if v.defect], [v for v in verdicts if not v.defect]
    alarms = sum(len(v.blamed) for v in correct)
    told = [
        f"{sum(v.found for v in planted)}/{len(planted)} defects found for their property",
        f"{alarms} false alarms in {len(correct)} correct servers",
        f"{sum(len(v.blamed) for v in planted)} in {len(planted)} servers with a defect",
    ]
    asked = [v.spoken for v in verdicts if v.spoken is not None]
    if asked:
        told.append(f"dialects found {sum(asked)}/{len(asked)}")
    if any(v.errors for v in verdicts):
        told.append(f"not judged {sum(bool(v.errors) for v in verdicts)}")
    return "; ".join(told)


def by_property(verdicts: list[Verdict]) -> list[tuple[str, int, int, int]]:
    """For each property: how often it was planted, found, and wrongly blamed."""
    names = {v.defect for v in verdicts if v.defect} | {prop for v in verdicts for prop in v.blamed}
    return [
        (
            name,
            sum(v.defect == name for v in verdicts),
            sum(v.defect == name and v.found for v in verdicts),
            sum(name in v.blamed for v in verdicts),
        )
        for name in sorted(names)
    ]


def markdown(verdicts: list[Verdict], known: dict[str, dict[str, Any]], how: str) -> str:
    """The whole run as a page."""
    names = list(dict.fromkeys(v.name for v in verdicts))
    rows = ["| server | language | framing | planted | found | blamed for more |", "|---|---|---|---|---|---|"]
    for name in names:
        runs = [v for v in verdicts if v.name == name]
        framing = known[name]["profile"].get("framing", "line")
        shown = framing if isinstance(framing, str) else f"{framing['send']} in, {framing['receive']} out"
        found = f"{sum(v.found for v in runs)} of {len(runs)}" if runs[0].defect else "–"
        blamed = ", ".join(sorted({prop for v in runs for prop in v.blamed})) or "–"
        if any(v.errors for v in runs):
            blamed += " (not all judged)"
        rows.append(
            f"| `{name}` | {known[name]['language']} | {shown} | {runs[0].defect or '– (correct)'} | {found} | {blamed} |"
        )
    table = ["| property | planted | found | blamed wrongly |", "|---|---|---|---|"]
    table += [f"| {name} | {planted} | {found} | {wrong} |" for name, planted, found, wrong in by_property(verdicts)]
    return "\n\n".join([f"{how}\n\n**{summary(verdicts)}**", "\n".join(table), "\n".join(rows)]) + "\n"


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--scenarios", nargs="*", default=["all"])
    parser.add_argument("--find", action="store_true", help="find out how they speak instead of being told")
    parser.add_argument("--quick", action="store_true", help="essential scenarios, and those for what was planted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1, help="so often each, with a seed of its own")
    parser.add_argument("--busy", action="store_true", help="keep every core busy meanwhile")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--side-by-side", type=int, default=1, metavar="N", help="run N servers at a time")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown, too")
    given = parser.parse_args()
    known = zoo()
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"there is no {', '.join(unknown)} in the zoo; there are {', '.join(known)}")
    chosen = [known[name] for name in given.names] if given.names else list(known.values())
    build(chosen)
    seeds = range(given.seed, given.seed + given.runs)

    def one(server: dict[str, Any], seed: int) -> Verdict:
        patterns = quick(server) if given.quick else given.scenarios
        verdict = run(server, patterns, find=given.find, seed=seed, jobs=given.jobs)
        print(line(verdict), flush=True)
        return verdict

    with busy(given.busy), ThreadPoolExecutor(given.side_by_side) as pool:
        verdicts = list(pool.map(lambda pair: one(*pair), [(server, seed) for server in chosen for seed in seeds]))
    print(f"\n{summary(verdicts)}")
    if given.markdown:
        how = "`python tests/zoo/run_zoo.py " + " ".join(sys.argv[1:]) + "`"
        how += f" on {os.cpu_count()} cores, Python {platform.python_version()}"
        given.markdown.write_text(markdown(verdicts, known, how), encoding="utf-8")
    return 0 if all(v.good for v in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
