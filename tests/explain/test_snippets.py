"""The snippets are real: each parses, and is compiled together with what it takes for granted (`around/`).

A compiler that is not installed is a skip; that brackets and quotes are balanced is asked everywhere.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .pages import Snippet, snippets

AROUND = Path(__file__).parent / "around"
#: A snippet that declares something stands as it is; others are the body of a function.
DECLARES = {
    "c": re.compile(r"^static [\w ]+[ *]\w+\(.*\) \{", re.MULTILINE),
    "java": re.compile(r"^(public |private |static |synchronized |void |boolean )", re.MULTILINE),
    "go": re.compile(r"^(func \w|func \(|var )", re.MULTILINE),
}
STRINGS = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.[^'\n]*|[^'\\\n])'|/(?:\\.|\[[^\]]*\]|[^/\s\\])+/[gu]*", re.DOTALL)  # fmt: skip
GO_FUNCTION = "func snippet(c *client, line string, listener net.Listener, conn net.Conn, lines *bufio.Scanner, reader *bufio.Reader)"  # fmt: skip
PAIRS = {")": "(", "]": "[", "}": "{"}


def named(language: str) -> pytest.MarkDecorator:
    found = snippets(language)
    return pytest.mark.parametrize("snippet", found, ids=[s.id for s in found])


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def run(*command: str, cwd: Path, stdin: str | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@named("python")
def test_a_python_snippet_parses(snippet: Snippet) -> None:
    compile(snippet.code, snippet.id, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize(
    "snippet",
    [s for language in ("java", "c", "js", "go", "rust") for s in snippets(language)],
    ids=lambda s: f"{s.language}-{s.id}",
)
def test_the_brackets_of_a_snippet_are_balanced(snippet: Snippet) -> None:
    opened: list[str] = []
    for bracket in re.findall(r"[()\[\]{}]", STRINGS.sub("", snippet.code)):
        if bracket in PAIRS:
            assert opened, bracket
            assert opened.pop() == PAIRS[bracket]
        else:
            opened.append(bracket)
    assert not opened


@needs("bash")
@named("sh")
def test_a_shell_snippet_parses_and_so_does_the_python_in_it(snippet: Snippet, tmp_path: Path) -> None:
    run("bash", "-n", cwd=tmp_path, stdin=snippet.code)
    for program in re.findall(r"python3 -c '([^']*)'|<<'END'\n(.*?)^END$", snippet.code, re.DOTALL | re.MULTILINE):
        ast.parse("".join(program))


@needs("node")
def test_the_javascript_snippets_parse(tmp_path: Path) -> None:
    check = (
        "const vm = require('node:vm');"
        "for (const [id, code] of JSON.parse(require('node:fs').readFileSync(0, 'utf8')))"
        " new vm.Script(`(async function () {\\n${code}\\n})`, {filename: id});"
    )
    run("node", "-e", check, cwd=tmp_path, stdin=json.dumps([(s.id, s.code) for s in snippets("js")]))


@needs("gcc")
def test_the_c_snippets_compile(tmp_path: Path) -> None:
    shutil.copy(AROUND / "chat.h", tmp_path)
    known = ("void drop(struct client *c);", "void tell(struct client *c, const char *line, size_t len);")
    for s in snippets("c"):
        functions, statements = split(s.code)
        declared = [line for line in known if f"static {line.partition('(')[0]}(" not in functions]
        body = (
            "void snippet(int listener, int fd, struct client *c, char *line, size_t len, int i, struct pollfd *fds,"
            f" nfds_t n_fds, char *rest) {{ {{\n{statements}\n}} }}\n"
        )
        (tmp_path / f"{s.id}.c").write_text("\n".join(['#include "chat.h"', *declared, functions, body]))
    run(
        "gcc", "-std=gnu11", "-O1", "-c", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-unused-function",
        "-Wno-unused-variable", "-Wno-format-truncation", *(f"{s.id}.c" for s in snippets("c")), cwd=tmp_path,
    )  # fmt: skip


def split(code: str) -> tuple[str, str]:
    """Functions, and the statements beside them: the pages keep an empty line between the two."""
    parts = re.split(r"(?<=^\})\n\n", code, flags=re.MULTILINE)
    functions = [part for part in parts if DECLARES["c"].search(part)]
    return "\n".join(functions), "\n".join(part for part in parts if part not in functions)


@needs("javac")
def test_the_java_snippets_compile(tmp_path: Path) -> None:
    packages = ("java.io", "java.net", "java.util", "java.util.concurrent", "java.util.logging", "java.nio.charset")
    imports = "".join(f"import {package}.*;\n" for package in packages)
    for s in snippets("java"):
        declares = DECLARES["java"].search(s.code)
        code = s.code if declares else f"void snippet() throws Exception {{\n{s.code}\n}}"
        member = f"abstract class Member extends Chat.Client {{\n{code}\n}}"
        (tmp_path / f"S_{s.id}.java").write_text(
            f"package around;\n{imports}abstract class S_{s.id} extends Chat {{ {member} }}\n"
        )
    files = [str(AROUND / "Chat.java"), *(f"S_{s.id}.java" for s in snippets("java"))]
    run("javac", "-d", "out", *files, cwd=tmp_path)


@needs("go")
def test_the_go_snippets_compile(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module snippets\n\ngo 1.21\n")
    known = {
        "clients": "var clients = map[*client]bool{}",
        "join": "func join(c *client) {}",
        "leave": "func leave(c *client) {}",
        "handle": "func handle(c *client, line string) {}",
        "handleLine": "func handleLine(conn net.Conn, line string) {}",
        "runCommand": "func runCommand(c *client, line string) error { return nil }",
        "serve": "func serve(conn net.Conn) {}",
        "broadcast": "func broadcast(args ...any) {}",
        "writeLoop": "func (c *client) writeLoop() {}",
    }
    around = (AROUND / "chat.go").read_text()
    for s in snippets("go"):
        own = set(re.findall(r"^(?:func (?:\(c \*client\) )?|var )(\w+)", s.code, re.MULTILINE))
        declared = "\n".join(declaration for name, declaration in known.items() if name not in own)
        body = s.code if DECLARES["go"].search(s.code) else f"{GO_FUNCTION} {{ {{\n{s.code}\n}} }}\n"
        folder = tmp_path / s.id
        folder.mkdir()
        (folder / "snippet.go").write_text(f"{around}\n{declared}\n{body}")
    run("go", "vet", "./...", cwd=tmp_path)


@needs("rustc")
def test_the_rust_snippets_compile(tmp_path: Path) -> None:
    modules = [
        f"mod r_{s.id} {{ use super::*; fn snippet(listener: TcpListener, mut stream: TcpStream, clients: Clients, id: u64,"
        f" name: String, line: String, mut reader: BufReader<TcpStream>, client: Client, inbox: Receiver<Vec<u8>>)"
        f" -> io::Result<()> {{\n{s.code}\n{'' if ends_in_a_value(s.code) else '; Ok(())'} }} }}\n"
        for s in snippets("rust")
    ]
    (tmp_path / "snippets.rs").write_text((AROUND / "chat.rs").read_text() + "".join(modules))
    run("rustc", "--edition", "2021", "--crate-type", "lib", "--emit", "metadata", "snippets.rs", cwd=tmp_path)


def ends_in_a_value(code: str) -> bool:
    return code.strip().splitlines()[-1].split(" //")[0] == "result"
