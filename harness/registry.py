"""What a scenario is: a function that does a fault in a room, with its titles, its level and what it needs.

`@scenario` registers it; the id is `family/the-function-s-name`, or `family/name[case]` for each of its `cases`.
The function's docstring is its story: what happens, in TCP's terms.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.results import LEVELS, Level

Body = Callable[..., Awaitable[None]]

#: What a scenario can ask of the server, its dialect or the machine; what is missing makes it a skip.
NEEDS = frozenset(
    {
        "process", "login", "names", "list", "whisper", "leave", "rename", "resume", "idle", "lines", "newlines", "attribution",
        "counted", "blocks", "json", "bursts", "reset-through-proxy", "half-close-through-proxy", "own-toxics",
    }
)  # fmt: skip
FAMILIES = ("refused", "disconnect", "malformed", "chat", "storm", "latency", "lifecycle")


@dataclass(frozen=True)
class Scenario:
    """One scenario. `aims`: the properties it was written for. `after`: scenarios it builds upon."""

    id: str
    family: str
    level: Level
    titles: Mapping[str, str]
    story: str
    body: Body
    arguments: Mapping[str, Any] = field(default_factory=dict)
    aims: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    after: tuple[str, ...] = ()
    proxy: bool = False
    documented: int | None = None
    server_options: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0
    again: bool = True  # whether the body can be done again on the same server, to see a leak grow

    @property
    def source(self) -> str:
        """The function's source."""
        return inspect.getsource(self.body)


class UnknownScenario(ValueError):
    """A name that no scenario has; the message offers the nearest."""


_registry: dict[str, Scenario] = {}


def scenario(
    family: str,
    *,
    title: str,
    titulo: str | None = None,
    level: Level = "robust",
    aims: Sequence[str] = (),
    needs: Sequence[str] = (),
    after: Sequence[str] = (),
    tags: Sequence[str] = (),
    cases: Mapping[str, Mapping[str, Any]] | None = None,
    proxy: bool = False,
    documented: int | None = None,
    server_options: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
    again: bool = True,
    name: str | None = None,
) -> Callable[[Body], Body]:
    """Register the function as a scenario, or as one for each of `cases` (its arguments; `{case}` in the titles).

    Raises ValueError for an unknown level or need.
    """
    if level not in LEVELS or not set(needs) <= NEEDS:
        raise ValueError(f"{family}: level {level!r}, needs {sorted(set(needs) - NEEDS)}")

    def register(body: Body) -> Body:
        base = f"{family}/{name or body.__name__.replace('_', '-')}"
        for case, arguments in (cases or {"": {}}).items():
            made = Scenario(
                id=f"{base}[{case}]" if case else base,
                family=family,
                level=level,
                titles={"en": title.format(case=case), "pt-BR": (titulo or title).format(case=case)},
                story=inspect.cleandoc(body.__doc__ or ""),
                body=body,
                arguments=dict(arguments),
                aims=tuple(aims),
                tags=frozenset(tags),
                needs=frozenset(needs),
                after=tuple(after),
                proxy=proxy,
                documented=documented,
                server_options=dict(server_options or {}),
                timeout_s=timeout_s,
                again=again,
            )
            _registry[made.id] = made
        return body

    return register


def load(folder: Path | None = None) -> dict[str, Scenario]:
    """All scenarios by id: those of the package `scenarios`, or of the Python files in `folder` instead."""
    if folder is None:
        package = importlib.import_module("scenarios")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"scenarios.{module.name}")
        return _ordered()
    _registry.clear()
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith(("_", "conftest", "test_")):
            load_file(path)
    return _ordered()


def load_file(path: Path) -> dict[str, Scenario]:
    """The scenarios that one file registers."""
    before = set(_registry)
    name = f"scenarios_of_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return {key: value for key, value in _registry.items() if key not in before}


def _ordered() -> dict[str, Scenario]:
    """The documented tests first, then family by family."""

    def rank(item: Scenario) -> tuple[int, int, str]:
        family = FAMILIES.index(item.family) if item.family in FAMILIES else len(FAMILIES)
        return (item.documented or 9, family, item.id)

    return {item.id: item for item in sorted(_registry.values(), key=rank)}
