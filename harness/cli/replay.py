"""`harness replay DIR`: the failures of an earlier run, played again. Are they mended?"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.target_words import BUILTINS, UserError, dialect, language_of, read_config, remote, target

if TYPE_CHECKING:
    from harness.dialect.profile import Profile
    from harness.engine.replaying import Replayed
    from harness.language import Language
    from harness.results import TargetInfo
    from harness.target import ServerSpec


def replay(
    folder: Annotated[Path, typer.Argument(help="the folder of a run, or of one of its scenarios")] = Path(
        "harness-report"
    ),
    server: Annotated[
        str | None, typer.Option(help="another command than the run's ({port} is filled in), or a builtin")
    ] = None,
    connect: Annotated[str | None, typer.Option(help="HOST:PORT of a server that somebody else runs")] = None,
    times: Annotated[
        int | None, typer.Option(min=1, max=100, help="play each failure so often (default: 3, more if intermittent)")
    ] = None,
    toxiproxy: Annotated[str, typer.Option(help="embedded, installed, or a URL")] = "embedded",
    jobs: Annotated[int | None, typer.Option(min=1, max=64, help="scenarios side by side")] = None,
    patience: Annotated[float, typer.Option(min=0.1, max=20, help="multiplies every deadline")] = 1.0,
    timeout: Annotated[float, typer.Option(min=1, help="hard limit of a scenario, in seconds")] = 60.0,
    storm: Annotated[int, typer.Option(min=2, max=100_000, help="clients of a storm")] = 50,
    max_clients: Annotated[int, typer.Option(min=2, help="never more connections than this")] = 400,
    scenarios: Annotated[Path | None, typer.Option(help="a folder of scenarios instead of the built-in ones")] = None,
    lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None,
) -> None:
    """Play the failures of a run again, with its seed and on its target: FIXED, FAILED or FLAKY.

    Exit status: 0 all are fixed, 1 some are not, 2 wrong use or nothing to play.
    """
    from harness.cli.known import known_scenarios
    from harness.engine.options import Options
    from harness.engine.replaying import failures
    from harness.engine.replaying import replay as play_again
    from harness.language import Language
    from harness.report import ReportError, read_run

    say = Language.of(language_of(lang))
    run_folder, only = whole_run(folder)
    try:
        result = read_run(run_folder, say)
    except ReportError as error:
        raise UserError(str(error)) from None
    before = failures(result, only)
    if only is not None and only not in {one.id for one in result.scenarios}:
        raise UserError(say("{folder} is no scenario of the run in {run}", folder=folder, run=run_folder))
    if not before:
        typer.echo(say("Nothing failed there: there is nothing to play again."))
        return
    spec = _spec(server, connect, result.target)
    options = Options(
        spec=spec, profile=_profile(spec, result.target), toxiproxy=toxiproxy,
        jobs=jobs, seed=result.seed, patience=patience, timeout_s=timeout, storm=storm, max_clients=max_clients,
        capture="off", lang=say.code,
    )  # fmt: skip
    states = play_again(before, known_scenarios(scenarios), options, lambda one: _tell(one, say), times)
    counted = Counter(one.state for one in states)
    told = ", ".join(
        f"{counted[state]} {say(state)}" for state in ("FIXED", "FAILED", "FLAKY", "UNCLEAR") if counted[state]
    )
    typer.echo(say("Result: {counts}", counts=told))
    raise typer.Exit(0 if counted["FIXED"] == len(states) else 1)


def whole_run(folder: Path) -> tuple[Path, str | None]:
    """The run's folder, and the scenario where the folder is that of one. Raises UserError."""
    whole = folder.resolve()
    if not whole.exists():
        raise UserError(
            f"{folder}: there is no such folder; give that of a run, or harness-report/scenarios/FAMILY/NAME"
        )
    for above in whole.parents:
        if above.name == "scenarios" and any(
            (above.parent / name).exists() for name in ("results.json", "events.jsonl")
        ):
            return above.parent, whole.relative_to(above).as_posix()
    return folder, None


def _spec(server: str | None, connect: str | None, info: TargetInfo) -> ServerSpec:
    """The target of the run, unless another is given. harness.toml adds its folder and environment to the same command."""
    settings, where = read_config(Path.cwd())
    if server is not None or connect is not None:
        return target(server, connect, [], settings, where)
    if info.kind == "remote":
        return remote(info.address or "")
    from harness.target import builtin

    for name in BUILTINS:
        if info.command in (name, builtin(name).command_text):
            return builtin(name)
    if not info.command:
        raise UserError("the run does not say how its server was started: give --server or --connect")
    return target(info.command, None, [], settings, where)


def _profile(spec: ServerSpec, info: TargetInfo) -> Profile | None:
    """How it is spoken to: as declared, else as the run did; None, to be found out, where neither says."""
    from harness.dialect.profile import Profile

    settings, _ = read_config(Path.cwd())
    declared = dialect(None, spec, settings)
    if declared is not None or not info.dialect:
        return declared
    try:
        return Profile.model_validate(info.dialect)
    except ValueError:
        return None


def _tell(one: Replayed, say: Language) -> None:
    """One line: what came of it."""
    from harness.report.safe import QUOTED, visible
    from harness.report.text import told_reason

    line = f"{say(one.state)} {visible(one.id, QUOTED)}"
    if one.state == "FIXED":
        line += " (" + say.plural(one.runs, "{count} run", "{count} runs") + ")"
    elif one.state == "UNCLEAR":
        line += f": {told_reason(one.reason, say)}"
    else:
        often = say("{failed} of {runs} runs failed", failed=one.failed_runs, runs=one.runs)
        line += f": {', '.join(one.broken)} ({often})"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
