"""The command line: one module a command; it parses, calls, prints. Heavy parts are imported when they are needed."""

from __future__ import annotations

import sys

import typer

from harness.cli import catalogue, compare, doctor, probe, replay, report, run, serve, target_words

__all__ = ["app", "main"]

app = typer.Typer(
    name="harness",
    help="What happens to a TCP chat server when the network is cruel?",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", context_settings={"allow_extra_args": True, "ignore_unknown_options": False})(run.run)
app.command("probe", context_settings={"allow_extra_args": True, "ignore_unknown_options": False})(probe.probe)
app.command("list")(catalogue.list_)
app.command("show")(catalogue.show)
app.command("explain")(catalogue.explain)
app.command("report")(report.report)
app.command("replay")(replay.replay)
app.command("compare")(compare.compare)
app.command("serve", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(serve.serve)
app.command(
    "proxy",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(serve.proxy)
app.command("doctor")(doctor.doctor)


def _version(value: bool) -> None:
    if value:
        from harness import __version__

        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def top(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show it.")) -> None:
    """What happens to a TCP chat server when the network is cruel?"""


def main() -> None:
    """The program `harness`. A fault of the user is one or two lines and exit status 2, never a traceback."""
    try:
        app()
    except target_words.UserError as error:
        sys.stderr.write(f"harness: {error}\n")
        raise SystemExit(2) from None
    except BrokenPipeError:
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write("harness: interrupted\n")
        raise SystemExit(130) from None
