"""The run as it happens: events that the engine emits and every report consumes.

The journal (`events.jsonl`) is these, a line each, written as they happen; `harness report` reads them back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from harness.results import Environment, RunResult, ScenarioResult, TargetInfo


@dataclass(frozen=True, slots=True)
class Event:
    """`at_s` is seconds since the run began."""

    at_s: float


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The plan: which scenarios, in which order, on which target. `started` is RFC 3339."""

    started: str
    seed: int
    harness_version: str
    target: TargetInfo
    environment: Environment
    planned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BaselineDone(Event):
    """The quiet runs are over: what the server does when nothing is wrong. `learned` is told in plain words.

    `left_out`: planned scenarios that turned out to be about servers that speak in another manner.
    """

    target: TargetInfo
    environment: Environment
    learned: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BaselineFailed(Event):
    """The server could not be started, understood, or two clients could not talk."""

    reason: str
    transcript: str = ""
    wrong_use: bool = False  # exit status 2 rather than 1


@dataclass(frozen=True, slots=True)
class ScenarioStarted(Event):
    """A scenario's run begins; `attempt` 2 and more see a failure again."""

    id: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class ScenarioFinished(Event):
    """All runs of a scenario are over."""

    result: ScenarioResult


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something the user should know, in one line; for instance that namespaces are not allowed here."""

    text: str


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The whole outcome."""

    result: RunResult
    files: tuple[str, ...] = field(default_factory=tuple)


class Reporter(Protocol):
    """A report is a consumer of events; it decides nothing."""

    def handle(self, event: Event) -> None:
        """Take one event, in order."""

    def close(self) -> None:
        """The run is over, or was broken off: write what there is to write, and release the files."""
