"""The file: the lines of `play`, and of the pieces (pieces.py) those that it needs, in the order of that module."""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from pathlib import Path

from harness.dialect.profile import Profile
from harness.evidence.repro import dialects
from harness.report.safe import visible

_SOURCE = Path(__file__).with_name("pieces.py")
#: Functions that are written for each file.
_WRITTEN = ("framed", "keep_alive", "log_in", "play", "units")
#: What stands in the client for a heartbeat, which few servers have.
_HEARTBEAT = re.compile(r"\n.*\b(?:keep|kept)_alive\b.*")
#: What starts the server and plays: it stands last.
_ENGINE = ("def main", "def stop_all", "def start_server", "def play_until_it_shows")
#: Constants with what is said about them.
_TOLD = {
    "CONNECT_S": "as long as a connection may take, in seconds",
    "JOIN_S": "as long as a step of the login may take",
    "REPLY_S": "as long as a message may take from one client to another",
    "PAUSE_S": "between two sends, so that the server reads each of them alone",
    "STOP_S": "as long as the server may take to end",
    "REST_S": "as long as the server may take to tidy up behind those who left",
    "SAY": "what a client sends to say {text} to everybody",
    "LEAVE_WORD": "the good-bye of this server",
    "LIST_WORD": "who is here?",
    "INTRODUCTION": "what newcomers are shown; # is any number, time or the like",
    "TRIES": "so often it is played at most: some faults strike only now and then",
    "AGAIN_S": "and again only before this time is over",
    "START": "how the server is started",
    "START_IN": "in this folder",
    "START_STDIN": "and what it is told on its standard input",
    "START_ENV": "and its environment, besides ours",
}


def write(head: str, lines: list[str], story: str, profile: Profile, constants: dict[str, object]) -> str:
    """The whole file. `head`: its docstring; `lines`: those of `play`."""
    body = "\n".join(textwrap.indent(line, "    ") for line in lines)
    own = {
        "framed": dialects.framed(profile),
        "log_in": dialects.log_in(profile),
        "units": dialects.units(profile),
        "play": f"def play() -> None:\n{_docstring(story)}\n{body}",
    }
    if profile.keepalive is not None:
        own["keep_alive"] = dialects.keep_alive(profile, profile.keepalive)
    methods = _methods(profile.keepalive is not None)
    needed, client = _needed(own, methods)
    used = {name: methods[name] for name in methods if name in client}
    parts = [_constants(needed, own, used, constants)]
    classes, functions = list[str](), list[str]()
    for name, source in _pieces().items():
        if name in needed:
            (classes if source.startswith("class") else functions).append(source)
    middle = [*classes, _class(used)]
    told = [own[name] for name in ("framed", "log_in", "keep_alive", "units") if name in needed]
    helpers = [f for f in functions if not f.startswith(_ENGINE)]
    engine = [f for f in functions if f.startswith(_ENGINE)]
    blocks = [*parts, *told, own["play"], _RULE, *middle, *helpers, *engine, _MAIN]
    text = "\n\n\n".join(blocks)
    return (
        f"#!/usr/bin/env python3\n{_header(head)}\n\nfrom __future__ import annotations\n\n{_imports(text)}\n\n{text}\n"
    )


_RULE = "# What follows is the same in every such file: a client, and what it can do on its socket."
_MAIN = 'if __name__ == "__main__":\n    sys.exit(main())'


def _header(head: str) -> str:
    return '"""' + head.replace("\\", "\\\\").replace('"""', "'''") + '\n"""'


def _docstring(story: str) -> str:
    told = textwrap.fill(visible(" ".join(story.split())), 108, initial_indent="    ", subsequent_indent="    ").strip()
    return '    """' + told.replace("\\", "\\\\").replace('"', "'") + '"""'


def _imports(text: str) -> str:
    modules = ("argparse", "ctypes", "os", "re", "select", "shlex", "signal", "socket", "struct", "subprocess", "sys",
               "time", "unicodedata")  # fmt: skip
    used = set(re.findall(r"\b(\w+)\.", text))
    lines = [f"import {name}" for name in modules if name in used]
    if "Callable" in text:
        lines.append("from collections.abc import Callable")
    if "Path(" in text:
        lines.append("from pathlib import Path")
    return "\n".join(lines)


def ready() -> None:
    """Read the pieces that files are put together from. Once, before workers are forked that may write some."""
    _pieces()
    _methods(False)
    _methods(True)


@functools.cache
def _tree() -> tuple[str, ast.Module]:
    source = _SOURCE.read_text(encoding="utf-8")
    return source, ast.parse(source)


def _text(source: str, node: ast.stmt) -> str:
    """The lines of a statement; those of pieces.py stand on lines of their own (and `ast.get_source_segment` is slow)."""
    lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines)[node.col_offset :]


@functools.cache
def _pieces() -> dict[str, str]:
    """The functions and classes of pieces.py, and its variables behind the mark, by name; the class Client left out."""
    source, tree = _tree()
    begin = source[: source.index("# --- copied")].count("\n")
    found = {}
    for node in tree.body:
        text = _text(source, node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in (*_WRITTEN, "Client"):
            found[node.name] = text
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.lineno > begin:
            found[node.target.id] = text
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.lineno > begin:
            found[node.targets[0].id] = text
    return {name: re.sub(r" +# fmt: skip$", "", text, flags=re.MULTILINE) for name, text in found.items()}


@functools.cache
def _methods(answers_heartbeats: bool) -> dict[str, str]:
    """The methods of Client by name."""
    source, tree = _tree()
    client = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Client")
    found = {node.name: _text(source, node) for node in client.body if isinstance(node, ast.FunctionDef)}
    return found if answers_heartbeats else {name: _HEARTBEAT.sub("", text) for name, text in found.items()}


def _needed(own: dict[str, str], methods: dict[str, str]) -> tuple[set[str], set[str]]:
    """Which pieces and which of the client's methods this file uses, directly or through one another."""
    pieces = _pieces()
    needed, client = {"main", "Broken", "CannotTell"}, {"__init__"}
    while True:
        text = "\n".join([own["play"], *(own[n] for n in needed if n in own), *(pieces[n] for n in needed if n in pieces),
                          *(methods[n] for n in client)])  # fmt: skip
        words, calls = set(re.findall(r"\w+", text)), set(re.findall(r"(?:\.(?=\w+\()|Client\.)(\w+)", text))
        more = {n for n in (*pieces, *own) if n != "play" and n in words} - needed
        called = {n for n in methods if n in calls} - client
        if not more and not called:
            return needed, client
        needed |= more
        client |= called


def _class(methods: dict[str, str]) -> str:
    told = "One chat client: a TCP socket, and all that the server has sent to it so far."
    bodies = [textwrap.indent(textwrap.dedent("    " + text), "    ") for text in methods.values()]
    return f'class Client:\n    """{told}"""\n\n' + "\n\n".join(bodies)


def _constants(needed: set[str], own: dict[str, str], methods: dict[str, str], constants: dict[str, object]) -> str:
    pieces = _pieces()
    text = "\n".join([*own.values(), *(pieces[n] for n in needed if n in pieces), *methods.values()])
    lines, words = [], set(re.findall(r"\w+", text))
    for name, value in constants.items():
        if name in words:
            told = _TOLD.get(name)
            lines.append(f"{name} = {value!a}" + (f"  # {told}" if told else ""))
    return "\n".join(lines)
