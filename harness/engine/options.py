"""What a run was asked to do, after the command line and harness.toml have been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.dialect.profile import Profile
from harness.known import Known
from harness.registry import Scenario
from harness.results import LEVELS, Level
from harness.target import ServerSpec


@dataclass(frozen=True)
class Options:
    """One run. Times in seconds. `profile` None: find out how the server speaks. `jobs` None: as many as the machine has
    time for."""

    spec: ServerSpec
    profile: Profile | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    toxiproxy: str = "embedded"
    jobs: int | None = None
    seed: int = 0
    patience: float = 1.0
    timeout_s: float = 60.0
    confirm: int = 2
    repeat: int = 1
    max_failures: int | None = None
    storm: int = 50
    max_clients: int = 200
    wait_s: float = 10.0
    knocks: bool = True  # a remote server is looked for before each conversation: a connection that comes and goes
    strict: bool = False
    namespaces: bool = True
    capture: str = "auto"  # packets: auto, off, or on (kept of scenarios that pass, too)
    out: Path | None = None
    lang: str = "en"
    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    hints: bool = True  # a look at the server's source orders the guesses of how it speaks
    cache: bool = False  # what was found of how it speaks is remembered
    held_port: int | None = None  # each start of the server takes this very port, in the network of all
    known: Known | None = None  # failures that do not fail the run
    named: frozenset[str] = frozenset()  # scenarios that were asked for by their own id

    @property
    def isolates(self) -> bool:
        """Whether scenarios are to have a network of their own: what somebody else runs is not in it."""
        if not self.namespaces or self.spec.kind == "remote":
            return False
        if self.toxiproxy == "embedded":  # whoever needs no proxy loads none
            return True
        from harness.toxiproxy import is_remote

        return not is_remote(self.toxiproxy)

    def judges(self, prop: str) -> bool:
        """Whether this property is asked about."""
        return prop not in self.ignore and (not self.select or prop in self.select)


@dataclass(frozen=True)
class Selection:
    """Which scenarios were asked for."""

    patterns: tuple[str, ...] = ("all",)
    level: Level = "hardened"
    keyword: str = ""
    tags: frozenset[str] = frozenset()
    skip: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    names: tuple[str, ...] = field(default=())

    def allows(self, item: Scenario) -> bool:
        """Whether level, tag and last-failed let this scenario through (names and patterns aside)."""
        if LEVELS.index(item.level) > LEVELS.index(self.level):
            return False
        if self.tags and not self.tags & (item.tags | {item.family, item.level}):
            return False
        return self.only is None or item.id in self.only
