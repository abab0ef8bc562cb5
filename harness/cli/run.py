"""`harness run`: scenarios, verdicts, reports."""

from __future__ import annotations

import gc
import json
import os
import random
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.known import keep_failures, known_failures, known_scenarios
from harness.cli.target_words import UserError, dialect, language_of, overrides, read_config, target


def run(
    context: typer.Context,
    what: Annotated[
        list[str] | None, typer.Argument(help="all, families, scenarios, globs; after --: a command")
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="a command ({port} is filled in), or reference|original|patched")
    ] = None,
    connect: Annotated[str | None, typer.Option(help="HOST:PORT of a server that somebody else runs")] = None,
    dialect_: Annotated[str | None, typer.Option("--dialect", help="a file, a known name, or auto")] = None,
    toxiproxy: Annotated[str | None, typer.Option(help="embedded, installed, or a URL")] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="scenarios side by side (default: as many as the machine has time for)"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="the whole run follows from it")] = None,
    patience: Annotated[float | None, typer.Option(min=0.1, max=20, help="multiplies every deadline")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="hard limit of a scenario, in seconds")] = 60.0,
    level: Annotated[str | None, typer.Option(help="essential, robust or hardened: up to there")] = None,
    max_failures: Annotated[int | None, typer.Option(min=1, help="stop after so many")] = None,
    first: Annotated[bool, typer.Option("-x", help="stop after the first failure")] = False,
    confirm: Annotated[int, typer.Option(min=0, max=20, help="how often a failure is seen again")] = 2,
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="run each scenario so often")] = 1,
    storm: Annotated[int, typer.Option(min=2, max=100_000, help="clients of a storm")] = 50,
    max_clients: Annotated[int, typer.Option(min=2, help="never more connections than this")] = 400,
    wait: Annotated[float, typer.Option(min=0, help="seconds that a remote server may take to come up")] = 10.0,
    keyword: Annotated[str, typer.Option("-k", help="words joined by and, or, not")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="only scenarios with this tag")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="leave this one out")] = None,
    select: Annotated[list[str] | None, typer.Option(help="judge this property only")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="do not judge this property")] = None,
    last_failed: Annotated[bool, typer.Option(help="only what failed in the last run")] = False,
    strict: Annotated[bool, typer.Option(help="warnings fail")] = False,
    namespaces: Annotated[bool, typer.Option(help="a network namespace for each scenario, where allowed")] = True,
    capture: Annotated[
        str, typer.Option(help="packets: auto (kept of what fails), on (kept of everything), off")
    ] = "auto",
    baseline: Annotated[Path | None, typer.Option(help="a file of known failures: only new ones fail")] = None,
    write_baseline: Annotated[Path | None, typer.Option(help="write this run's failures as known ones")] = None,
    compare: Annotated[Path | None, typer.Option(help="an earlier run: the reports say what changed")] = None,
    dry_run: Annotated[bool, typer.Option(help="only say what would be run")] = False,
    cache: Annotated[bool, typer.Option(help="remember how the server speaks, once it was found out")] = True,
    scenarios: Annotated[Path | None, typer.Option(help="a folder of scenarios instead of the built-in ones")] = None,
    report: Annotated[str | None, typer.Option(help="text,json,junit,html,markdown,ctrf,badge,github")] = None,
    out: Annotated[Path, typer.Option(help="the folder of the reports")] = Path("harness-report"),
    lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None,
    quiet: Annotated[bool, typer.Option("-q", help="only the end")] = False,
    verbose: Annotated[bool, typer.Option("-v", help="each step too")] = False,
    no_color: Annotated[bool, typer.Option(help="no colours")] = False,
) -> None:
    """Put a chat server through faults and say what held and what broke.

    Exit status: 0 no failure, 1 some property failed, 2 wrong use or nothing could be judged, 130 interrupted.
    """
    from harness.engine.choosing import choose
    from harness.engine.detecting import detect
    from harness.engine.options import Options, Selection
    from harness.engine.run import Run
    from harness.language import Language
    from harness.registry import UnknownScenario
    from harness.report import ReportError, Reports, build, finish, formats, read_run
    from harness.results import LEVELS

    settings, where = read_config(Path.cwd())
    patterns, rest = split_command(what or [], sys.argv)
    spec = target(server, connect, rest, settings, where)
    profile = dialect(dialect_, spec, settings)
    chosen_level = level or settings.run.level or "hardened"
    if capture not in ("auto", "on", "off"):
        raise UserError(f"--capture {capture}: it is auto, on or off")
    if chosen_level not in LEVELS:
        raise UserError(f"--level {chosen_level}: there are {', '.join(LEVELS)}")
    check_properties([*(select or ()), *(ignore or ())])
    lang_ = language_of(lang)
    known = known_scenarios(scenarios)
    try:
        planned = choose(
            known,
            Selection(
                tuple(patterns or settings.run.scenarios or ("all",)), chosen_level, keyword, frozenset(tag or ()),
                tuple(skip or settings.run.skip), last_failures(out) if last_failed else None,
            ),
        )  # fmt: skip
    except UnknownScenario as error:
        raise UserError(str(error)) from None
    if not planned:
        raise UserError("no scenario is left after --level, -k, --tag, --skip and --last-failed")
    if dry_run:
        for item in planned:
            typer.echo(f"{item.id}  {item.level}  {item.titles.get(lang_, item.titles['en'])}")
        return
    options = Options(
        spec=spec, profile=profile, overrides=overrides(dialect_, spec, settings), toxiproxy=toxiproxy or settings.run.toxiproxy or "embedded",
        jobs=jobs or settings.run.jobs,
        seed=seed if seed is not None else settings.run.seed if settings.run.seed is not None else random.SystemRandom().randrange(1 << 32),
        patience=patience or settings.run.patience or 1.0, timeout_s=timeout, confirm=confirm, repeat=repeat,
        max_failures=1 if first else max_failures, storm=storm, max_clients=max_clients, wait_s=wait, strict=strict,
        namespaces=namespaces, capture=capture, cache=cache, out=out, lang=lang_, select=frozenset(select or settings.run.select),
        ignore=frozenset(ignore or settings.run.ignore), known=known_failures(baseline, known),
        named=frozenset(patterns or ()) & known.keys(),
    )  # fmt: skip
    try:
        earlier = read_run(compare, Language.of(lang_)) if compare else None
        reporters = build(
            formats(report, lang_), out, lang_, stream=sys.stdout, environ=os.environ, quiet=quiet, verbose=verbose,
            color=False if no_color else None, earlier=earlier,
        )  # fmt: skip
    except ReportError as error:
        raise UserError(str(error)) from None
    reports = Reports(reporters, lang_)
    gc.freeze()
    result = Run(options, planned, reports.handle, detect).perform()
    for unwritten in finish(reports):
        sys.stderr.write(f"harness: {unwritten}\n")
    if write_baseline is not None:
        keep_failures(write_baseline, result)
    raise typer.Exit(result.exit_status if not reports.errors or result.exit_status else 2)


def split_command(words: list[str], argv: list[str]) -> tuple[list[str], list[str]]:
    """The patterns, and the command behind `--`."""
    if "--" not in argv:
        return words, []
    behind = argv[argv.index("--") + 1 :]
    return words[: len(words) - len(behind)], behind


def check_properties(names: list[str]) -> None:
    """Raises UserError for a property that does not exist."""
    import difflib

    from harness.properties import IDS

    for name in names:
        if name not in IDS:
            near = difflib.get_close_matches(name, IDS, 2, 0.5)
            raise UserError(f"there is no property {name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))


def last_failures(out: Path) -> frozenset[str]:
    """The scenarios that failed in the run whose report lies in `out`. Raises UserError when there is none."""
    try:
        results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"--last-failed: there is no results.json of an earlier run in {out}") from None
    return frozenset(s["id"] for s in results["scenarios"] if s["outcome"] == "fail")
