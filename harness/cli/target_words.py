"""What the command line and harness.toml say about the target, as a ServerSpec and (if declared) a profile."""

from __future__ import annotations

import os
import re
import shlex
import signal
from dataclasses import replace
from pathlib import Path

from harness import config, language
from harness.config import Config, ConfigError
from harness.dialect import builtin as dialects
from harness.dialect.profile import Profile
from harness.target import ServerSpec, TargetError, builtin, command

BUILTINS = ("reference", "original", "patched")
#: With what messages are and one of these keys `[dialect]` says how the server speaks; else the rest is found out.
SPEAKING = frozenset({"login", "attributes"})


class UserError(Exception):
    """Something the user can mend, said in one or two lines."""


def read_config(start: Path) -> tuple[Config, Path | None]:
    """The configuration in force, and where it stands. Raises UserError."""
    path = config.find(start)
    if path is None:
        return Config(), None
    try:
        return config.load(path), path
    except ConfigError as error:
        raise UserError(str(error)) from None


def target(
    server: str | None, connect: str | None, rest: list[str], settings: Config, where: Path | None
) -> ServerSpec:
    """The target: the command line first, then harness.toml, else the reference server. Raises UserError."""
    if sum(bool(given) for given in (server, connect, rest)) > 1:
        raise UserError("give one target: --server, --connect, or a command after --")
    try:
        if rest:
            return command(rest)
        if server is not None:
            if server in BUILTINS:
                return builtin(server)
            return _from_file(settings, where) if server == _declared(settings) else command(server)
        if connect is not None:
            return remote(connect)
        return _from_file(settings, where)
    except (TargetError, ValueError) as error:
        raise UserError(str(error)) from None


def _declared(settings: Config) -> str | None:
    """The command of harness.toml as the reports print it: typed again, it keeps its folder, environment and build."""
    declared = None if settings.server.connect else settings.server.command
    return shlex.join(declared) if isinstance(declared, tuple) else declared


def _from_file(settings: Config, where: Path | None) -> ServerSpec:
    table = settings.server
    if table.connect:
        return remote(table.connect)
    if not table.command:
        return builtin("reference")
    if isinstance(table.command, str) and table.command in BUILTINS:
        return builtin(table.command)
    folder = (where.parent if where else Path.cwd()) / table.cwd
    if not folder.is_dir():
        raise UserError(f"{where}: server.cwd: there is no folder {folder}")
    text = table.command if isinstance(table.command, str) else list(table.command)
    return replace(
        command(text, cwd=folder, env=table.env), build=table.build, stdin=table.stdin, stop_signal=_signal(table.stop),
        ready_log=None if isinstance(table.ready, str) else table.ready.log, pty=table.pty, chat_port=table.port,
    )  # fmt: skip


def _signal(name: str) -> int:
    try:
        return signal.Signals[name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"]
    except KeyError:
        raise UserError(f"server.stop: there is no signal {name!r}") from None


def remote(address: str) -> ServerSpec:
    """HOST:PORT, [HOST]:PORT, or PORT of this machine. Raises UserError."""
    if re.match(r"(https?|wss?)://", address):
        raise UserError(f"--connect {address}: this harness judges chat over plain TCP; give HOST:PORT")
    host, _, port = address.removeprefix("tcp://").strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536 or re.search(r"[\s/\[\]]", host):
        raise UserError(f"--connect {address}: give HOST:PORT, for instance 127.0.0.1:5000 or [::1]:5000")
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return ServerSpec(kind="remote", name=shown, connect=(host, int(port)))


def dialect(option: str | None, spec: ServerSpec, settings: Config) -> Profile | None:
    """The dialect: given, declared, known for a builtin; None when it is to be found out. Raises UserError."""
    if option == "auto":
        return None
    if option is not None:
        if option in dialects.KNOWN:
            return dialects.KNOWN[option]
        if Path(option).is_file():
            try:
                return config.load_profile(Path(option))
            except ConfigError as error:
                raise UserError(str(error)) from None
        raise UserError(f"--dialect {option}: neither a file nor one of auto, {', '.join(dialects.KNOWN)}")
    if spec.kind == "builtin":
        return dialects.KNOWN[spec.name]
    declared = settings.dialect
    if declared is None or "framing" not in declared.model_fields_set:
        return None
    return declared if declared.model_fields_set & SPEAKING else None


def overrides(option: str | None, spec: ServerSpec, settings: Config) -> dict[str, object]:
    """Keys of `[dialect]` that are declared although the way of speaking is not: the search keeps them as they are."""
    if option is not None or dialect(option, spec, settings) is not None:
        return {}
    return declared_keys(settings)


def declared_keys(settings: Config) -> dict[str, object]:
    """The keys that stand in `[dialect]`, one by one."""
    declared = settings.dialect
    return {} if declared is None else {key: getattr(declared, key) for key in declared.model_fields_set}


def language_of(option: str | None) -> str:
    """The language of the reports. Raises UserError."""
    try:
        return language.choose(option, os.environ)
    except ValueError as error:
        raise UserError(str(error)) from None
