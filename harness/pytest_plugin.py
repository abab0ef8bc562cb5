"""The pytest plugin: a folder of scenarios is collected as tests.

`pytest scenarios --harness-server "python3 my_server.py {port}"` runs each scenario as one test item, with the same
baseline, the same judges and the same confirmation as `harness run`. A failing property fails the test with its
reason and witness; a scenario that does not apply is skipped with the reason. Without `--harness-server` and
`--harness-connect` nothing is collected that pytest would not have collected anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.engine.baseline import Learned
    from harness.events import Event
    from harness.registry import Scenario
    from harness.results import ScenarioResult

_SESSION = pytest.StashKey["_Session"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options `--harness-server`, `--harness-connect`, `--harness-seed`, `--harness-level`, `--harness-confirm`."""
    group = parser.getgroup("harness", "resilience of a TCP chat server")
    group.addoption("--harness-server", help="a command ({port} is filled in), or reference, original, patched")
    group.addoption("--harness-connect", help="HOST:PORT of a server that somebody else runs")
    group.addoption("--harness-seed", type=int, default=0, help="the seed of the run")
    group.addoption(
        "--harness-level", default="hardened", choices=("essential", "robust", "hardened"), help="up to this level"
    )
    group.addoption("--harness-confirm", type=int, default=2, help="how often a failure is seen again")


def pytest_configure(config: pytest.Config) -> None:
    """One session of the harness, if a server was named."""
    if config.getoption("--harness-server") or config.getoption("--harness-connect"):
        config.stash[_SESSION] = _Session(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A Python file that registers scenarios."""
    if (
        _SESSION not in parent.config.stash
        or file_path.suffix != ".py"
        or file_path.name.startswith(("_", "test_", "conftest"))
    ):
        return None
    if "scenario" not in file_path.read_text(encoding="utf-8", errors="replace"):
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


class _Session:
    """The quiet run, done once, and the way to run one scenario."""

    def __init__(self, config: pytest.Config) -> None:
        from harness.cli.target_words import UserError, dialect, read_config, target

        try:
            settings, where = read_config(Path.cwd())
            server, connect = config.getoption("--harness-server"), config.getoption("--harness-connect")
            self.spec = target(server, connect, [], settings, where)
            self.profile = dialect(None, self.spec, settings)
        except UserError as error:
            raise pytest.UsageError(str(error)) from None
        self.seed: int = config.getoption("--harness-seed")
        self.level: str = config.getoption("--harness-level")
        self.confirm: int = config.getoption("--harness-confirm")
        self.learned: Learned | None = None

    def run(self, item: Scenario) -> ScenarioResult | str:
        """Run one scenario; its result, or why the server could not be judged at all."""
        from harness.engine.detecting import detect
        from harness.engine.options import Options
        from harness.engine.run import Run

        found: list[Event] = []
        options = Options(self.spec, self.profile, seed=self.seed, jobs=1, confirm=self.confirm)
        run = Run(options, [item], found.append, detect, self.learned)
        result = run.perform()
        self.learned = run.learned
        if result.interrupted:
            raise KeyboardInterrupt
        return result.scenarios[0] if result.scenarios else result.reason or "the server could not be judged"


class ScenarioFile(pytest.File):
    """One module of scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each scenario that the file registers."""
        from harness import registry
        from harness.results import LEVELS

        session = self.config.stash[_SESSION]
        package = Path(registry.__file__).parents[1] / "scenarios"
        if self.path.parent.resolve() == package.resolve():
            known = {k: s for k, s in registry.load().items() if s.body.__module__.rpartition(".")[2] == self.path.stem}
        else:
            known = registry.load_file(self.path)
        for key, item in known.items():
            if LEVELS.index(item.level) <= LEVELS.index(session.level):
                yield ScenarioItem.from_parent(self, name=key, scenario=item)


class ScenarioFailure(Exception):
    """A property failed; the message is the judges' own."""


class ScenarioItem(pytest.Item):
    """One scenario as a test."""

    def __init__(self, *, scenario: Scenario, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.scenario = scenario

    def runtest(self) -> None:
        """Fails with the judges' reasons, skips with the reason."""
        result = self.config.stash[_SESSION].run(self.scenario)
        if isinstance(result, str):
            raise ScenarioFailure(result)
        if result.outcome == "skip":
            raise pytest.skip.Exception(result.reason or "it does not apply", _use_item_location=True)
        if result.outcome == "error":
            raise ScenarioFailure(f"the harness could not judge this: {result.reason}")
        if result.outcome == "fail":
            raise ScenarioFailure(
                "\n".join(
                    f"{j.id}: {j.reason}\n  expected: {j.expected}\n  observed: {j.observed}" for j in result.of("fail")
                )
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: object) -> str:
        """The reasons, without a traceback of the harness."""
        if isinstance(excinfo.value, ScenarioFailure):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, self.scenario.body.__code__.co_firstlineno - 1, self.name
