"""The files that a server's command names, and their neighbours: read as text, bounded, never executed.

They give a digest (a dialect that was found is good as long as they are the same) and hints for the search. A link that
leads out of the folder is not followed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.target.spec import ServerSpec

#: So many files, so much of each, and so much in all are read for hints, in bytes.
MOST_FILES, MOST_OF_ONE, MOST_IN_ALL = 40, 256 << 10, 2 << 20
#: A larger file counts by its size and time, not by its content.
LARGE = 16 << 20
SYSTEM = ("/usr/", "/bin/", "/lib", "/etc/", "/opt/", "/sbin/", "/proc/", "/sys/", "/dev/")
TEXT = frozenset(
    {".py", ".js", ".mjs", ".cjs", ".ts", ".java", ".kt", ".c", ".h", ".cc", ".cpp", ".hpp", ".go", ".rs", ".cs", ".rb",
     ".php", ".pl", ".lua", ".ex", ".exs", ".erl", ".hs", ".scala", ".swift", ".sh"}
)  # fmt: skip


#: What says how a wrapper starts the server: it counts for the digest.
RECIPES = frozenset(
    {"makefile", "gnumakefile", "package.json", "go.mod", "cargo.toml", "pom.xml", "build.gradle", "build.gradle.kts",
     "procfile", "justfile", "taskfile.yml", "pyproject.toml", "cmakelists.txt"}
)  # fmt: skip
#: Folders that hold no sources of the server's own, and how deep one is looked for.
NOT_OURS = frozenset({"node_modules", "target", "build", "dist", "out", "bin", "obj", "venv", "vendor", "__pycache__"})
DEEPEST = 6


def named(spec: ServerSpec) -> list[Path]:
    """The files that the command names: as arguments, as a Java class, as a Python module."""
    folder, found = _folder(spec), []
    words = [word for part in spec.argv for word in re.split(r"[\s;&|<>]+", part)]
    for word in words:
        stem = re.sub(r"[^\w./-]", "", word).replace(".", "/") if not word.startswith(("-", "{")) else ""
        for candidate in (
            word,
            f"{stem}.py",
            f"{stem}.java",
            f"{stem}.class",
            f"src/{stem}.java",
            f"{stem}/__main__.py",
        ):
            path = folder / candidate if candidate and not candidate.startswith(("-", "{")) else None
            if path is not None and _is_ours(path, folder, word) and path not in found:
                found.append(path)
    return found


def _folder(spec: ServerSpec) -> Path:
    return spec.cwd if spec.cwd.is_dir() else Path()


def _is_ours(path: Path, folder: Path, word: str) -> bool:
    """A regular file; a relative one stays inside the folder, whatever links it goes through."""
    try:
        if not path.is_file() or "\0" in word:
            return False
        real = path.resolve()
        return os.path.isabs(word) or real.is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False


def digest(spec: ServerSpec) -> str:
    """What a finding about this server depends on: the command, and the content of the files it names."""
    told = hashlib.sha256()
    for part in (
        spec.command_text or "",
        str(_folder(spec).resolve()),
        spec.build or "",
        spec.stdin or "",
        repr((sorted(spec.env.items()), spec.pty, spec.chat_port)),
    ):
        told.update(part.encode("utf-8", "surrogateescape") + b"\0")
    for path in dict.fromkeys([*named(spec), *_around(spec, recipes=True)]):
        try:
            facts = path.stat()
            content = path.read_bytes() if facts.st_size <= LARGE else f"{facts.st_size} {facts.st_mtime_ns}".encode()
        except OSError:
            continue
        told.update(str(path).encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(content).digest())
    return told.hexdigest()


def texts(spec: ServerSpec) -> list[tuple[str, str]]:
    """(name, text) of the source files: those that the command names first, then their neighbours."""
    found, size = [], 0
    for path in [p for p in dict.fromkeys([*named(spec), *_around(spec)]) if p.suffix in TEXT][:MOST_FILES]:
        try:
            with path.open("rb") as file:
                data = file.read(MOST_OF_ONE)
        except OSError:
            continue
        size += len(data)
        if size > MOST_IN_ALL:
            break
        if b"\0" not in data:
            found.append((path.name, data.decode("utf-8", "replace")))
    return found


def finder(spec: ServerSpec) -> Callable[[str, int], str]:
    """Looks up a line (file, number from 1) among the sources of this server, by the file's name; "" where it is not at
    hand. Nothing else is opened, whatever a server says where it was."""
    read: dict[str, list[str]] = {}

    def line(file: str, number: int) -> str:
        if not read:
            read.update((name, text.splitlines()) for name, text in reversed(texts(spec)))
        lines = read.get(re.split(r"[/\\]", file)[-1], [])
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    return line


def _around(spec: ServerSpec, *, recipes: bool = False) -> list[Path]:
    """The sources beside the named ones; where a wrapper (`make run`, `npm start`, a script) names none, the folder's.

    `recipes`: with the files that say what such a wrapper does.
    """
    ours = named(spec)
    if any(path.suffix in TEXT and path.suffix != ".sh" for path in ours):
        return [path for path in _neighbours(ours, _folder(spec)) if path.suffix in TEXT]
    compiled = any(path.is_relative_to(_folder(spec)) or not path.is_absolute() for path in ours)
    if ours and not compiled:
        return []  # a program from elsewhere
    return list(_below(_folder(spec), recipes=recipes))


def _below(folder: Path, *, recipes: bool) -> Iterator[Path]:
    """The sources in a folder and below it, bounded: where a project keeps them, the nearest first."""
    level, count = [folder], 0
    for _ in range(DEEPEST):
        deeper: list[Path] = []
        for place in level:
            try:
                with os.scandir(place) as entries:
                    here = sorted(entries, key=lambda entry: entry.name)[: 10 * MOST_FILES]
            except OSError:
                continue
            for entry in here:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name.lower() not in NOT_OURS:
                        deeper.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False) and (
                    Path(entry.name).suffix in TEXT or (recipes and entry.name.lower() in RECIPES)
                ):
                    count += 1
                    yield Path(entry.path)
            if count >= MOST_FILES:
                return
        level = deeper[:MOST_FILES]


def _neighbours(files: list[Path], folder: Path) -> Iterator[Path]:
    """Regular files beside the named ones: the client is often one of them. Not in the system's folders."""
    near = (path for path in files if path.suffix in TEXT or path.resolve().is_relative_to(folder.resolve()))
    places = dict.fromkeys(path.parent for path in near if not str(path.resolve()).startswith(SYSTEM))
    for place in places:
        try:
            with os.scandir(place) as entries:
                names = sorted(e.name for e in entries if e.is_file(follow_symlinks=False))
        except OSError:
            continue
        for name in names[: 10 * MOST_FILES]:
            if Path(name).suffix in TEXT:
                yield place / name
