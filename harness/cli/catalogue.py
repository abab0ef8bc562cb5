"""`harness list`, `show`, `explain`: what there is to run, what it does, what the properties mean."""

from __future__ import annotations

import difflib
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.known import known_scenarios
from harness.cli.target_words import UserError, language_of


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    scenarios: Annotated[Path | None, typer.Option(help="a folder of scenarios instead of the built-in ones")] = None,
    lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None,
) -> None:
    """All scenarios and properties, with families, levels and tags."""
    from harness.properties import CATALOGUE

    known = known_scenarios(scenarios)
    code = language_of(lang)
    if as_json:
        value = {
            "scenarios": [
                {
                    "id": s.id, "family": s.family, "level": s.level, "titles": dict(s.titles), "aims": list(s.aims),
                    "needs": sorted(s.needs), "tags": sorted(s.tags), "documented": s.documented, "proxy": s.proxy,
                }
                for s in known.values()
            ],
            "properties": [
                {"id": p.id, "group": p.group, "judged_from": p.judged_from, "sentence": p.sentence}
                for p in CATALOGUE
            ],
        }  # fmt: skip
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
        return
    family = ""
    for item in sorted(known.values(), key=lambda s: s.family):
        if item.family != family:
            family = item.family
            typer.echo(f"\n{family}")
        typer.echo(f"  {item.id:<46} {item.level:<10} {item.titles.get(code, item.titles['en'])}")
    typer.echo(f"\n{len(known)} scenarios, each judged by every property that applies:\n")
    for prop in CATALOGUE:
        typer.echo(f"  {prop.id:<12} {prop.sentence}")


def show(
    scenario: Annotated[str, typer.Argument(help="its id")],
    scenarios: Annotated[Path | None, typer.Option(help="a folder of scenarios instead of the built-in ones")] = None,
    lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None,
) -> None:
    """What a scenario does, what it was written for, its source."""
    known = known_scenarios(scenarios)
    item = known.get(scenario)
    if item is None:
        raise UserError(f"there is no scenario {scenario!r}{near(scenario, list(known))}")
    typer.echo(f"{item.id} ({item.level})\n{item.titles[language_of(lang)]}\n\n{item.story}\n")
    typer.echo(f"written for: {', '.join(item.aims) or 'everything'}")
    if item.needs:
        typer.echo(f"needs: {', '.join(sorted(item.needs))}")
    if item.after:
        typer.echo(f"builds upon: {', '.join(item.after)}")
    if item.arguments:
        typer.echo(f"with: {', '.join(f'{k}={v!r}' for k, v in item.arguments.items())}"[:400])
    typer.echo(f"\n{item.source}")


def explain(
    prop: Annotated[str, typer.Argument(metavar="PROPERTY", help="its id, as in the report")],
) -> None:
    """What a property means, why it fails, how to mend it in six languages."""
    from harness.explain import ids, page

    if prop not in ids():
        raise UserError(f"there is no property {prop!r}{near(prop, list(ids()))}")
    text = page(prop)
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
        return
    typer.echo(text)


def near(name: str, names: list[str]) -> str:
    """The nearest names, as the end of a sentence."""
    found = difflib.get_close_matches(name, list(dict.fromkeys([*names, *(n.split("/")[-1] for n in names)])), 3, 0.5)
    return f"; did you mean {', '.join(found)}?" if found else "; `harness list` shows them all"
