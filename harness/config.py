"""harness.toml: found in the current folder or above it, or `[tool.harness]` in pyproject.toml.

Errors name the file, the line and the key. The JSON Schema for editors is published in docs/harness.schema.json.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.dialect.profile import Profile


class ConfigError(Exception):
    """What is wrong in which file, in one or two lines."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ReadyLog(_Table):
    """Ready when the server prints something that matches."""

    log: str


class ServerTable(_Table):
    """`[server]`: what to start, or where it listens."""

    command: str | tuple[str, ...] | None = None
    connect: str | None = None
    build: str | None = None
    cwd: str = "."
    env: dict[str, str] = {}
    ready: Literal["listening"] | ReadyLog = "listening"
    stop: str = "SIGTERM"
    stdin: str | None = None
    pty: bool = False
    port: Annotated[int, Field(ge=1, le=65535)] | None = None


class RunTable(_Table):
    """`[run]`: defaults of `harness run`."""

    scenarios: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    jobs: Annotated[int, Field(ge=1, le=64)] | None = None
    seed: int | None = None
    patience: Annotated[float, Field(gt=0, le=20)] | None = None
    level: Literal["essential", "robust", "hardened"] | None = None
    toxiproxy: str | None = None


class Config(_Table):
    """The whole file. `path` None: there is no file."""

    schema_: str | None = Field(default=None, alias="$schema")
    server: ServerTable = ServerTable()
    dialect: Profile | None = None
    run: RunTable = RunTable()


def find(start: Path) -> Path | None:
    """harness.toml, or a pyproject.toml with `[tool.harness]`, in `start` or above it."""
    for folder in (start, *start.parents):
        candidate = folder / "harness.toml"
        if candidate.is_file():
            return candidate
        project = folder / "pyproject.toml"
        if project.is_file() and re.search(r"(?m)^\s*\[tool\.harness[\].]", project.read_text("utf-8", "replace")):
            return project
    return None


def load(path: Path) -> Config:
    """Read one file. Raises ConfigError."""
    data = _parsed(path)
    if path.name == "pyproject.toml":
        data = data.get("tool", {}).get("harness", {})
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from None


def load_profile(path: Path) -> Profile:
    """A dialect's file: a `[dialect]` table, or its keys alone. Raises ConfigError."""
    data = _parsed(path)
    try:
        return Profile.model_validate({"name": path.stem, **data.get("dialect", data)})
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from None


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{_shown(path)}: not valid TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{_shown(path)}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"{_shown(path)} could not be read: {error.strerror}") from None


def _explain(path: Path, error: ValidationError) -> str:
    """The first error with its line and key; how many more there are."""
    first = error.errors()[0]
    where = [
        str(part) for part in first["loc"] if part not in ("str", "ReadyLog") and not str(part).startswith("literal[")
    ]
    line = _line_of(path, where)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    place = f", line {line}" if line else ""
    message = "there is no such key" if first["type"] == "extra_forbidden" else first["msg"]
    return f"{_shown(path)}{place}: {'.'.join(where)}: {message}{more}"


def _line_of(path: Path, where: list[str]) -> int | None:
    """The line of the key: the last part of its path that stands at the beginning of one, after its table's header."""
    lines = path.read_text("utf-8", "replace").splitlines()
    start = 0
    table = where[0] if where else ""
    for number, line in enumerate(lines):
        if re.match(rf"\s*\[(tool\.harness\.)?{re.escape(table)}\b", line):
            start = number
    for key in reversed([part for part in where if not part.isdigit()]):
        for number in range(start, len(lines)):
            if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", lines[number]):
                return number + 1
    return start + 1 if lines else None


def _shown(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)
