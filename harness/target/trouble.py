"""Why a server did not start: what it printed is read for the usual reasons, each told in a sentence with what to do.

Only words that a runtime, a compiler or the kernel writes are looked for, at the end of the output. What is not
recognised gets no reading; the output itself is shown in any case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.target import sources
from harness.target.spec import ServerSpec, TargetError

#: A port that somebody has already.
TAKEN = re.compile(
    r"address already in use|EADDRINUSE|already bound|endere\wo j\w est\w em uso|BindException: Address already|AddrInUse"
    r"|only one usage of each socket address",
    re.I,
)
#: A program that wants a terminal and got pipes.
NO_TERMINAL = re.compile(
    r"not a (?:tty|terminal)|inappropriate ioctl|needs? a (?:tty|terminal)|requires? a (?:tty|terminal)|setRawMode is not a"
    r"|no(?:cbreak|raw|echo)\(\) returned ERR|cbreak\(\) returned ERR|error opening terminal|setupterm: could not find"
    r"|could not (?:get|open) (?:the )?(?:tty|terminal)|/dev/tty",
    re.I,
)
#: An address of another machine, but none that every machine has.
_ADDRESS = re.compile(r"(?<![\w.])(?!127\.|0\.0\.0\.0|255\.)(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")

Reading = Callable[["re.Match[str]", str, ServerSpec], str]


@dataclass(frozen=True, slots=True)
class _Sign:
    """Words in the output, and what they mean."""

    words: re.Pattern[str]
    means: Reading


def reading(output: str, spec: ServerSpec, status: int | None) -> str | None:
    """The likeliest reason and what to do, in a sentence or two; None when nothing is recognised.

    `status`: the exit status, negative for a signal, None while it runs.
    """
    for sign in _SIGNS:
        found = sign.words.search(output)
        if found is not None:
            return sign.means(found, output, spec)
    if status == 0 and re.match(r"(javac|gcc|g\+\+|cc|clang|rustc|tsc|mcs|csc)$", Path(spec.argv[0]).name):
        return "it is a compiler: put it into `build` of [server] in harness.toml, and the program that it makes into `command`"
    if status == 0 and not output.strip():
        return "it printed nothing: is there a line that calls its main function?"
    if status is not None and status < 0:
        return "look for the fault by starting it by hand, without the harness"
    return None


def declined(spec: ServerSpec) -> None:
    """Raises TargetError for a command that cannot be judged from its process: containers run elsewhere."""
    words = [Path(word).name for word in spec.argv]
    if re.fullmatch(r"(docker|podman|nerdctl)(-compose)?", words[0]) and (
        words[0].endswith("-compose") or {"compose", "run", "start", "exec"} & set(words[1:4])
    ):
        raise TargetError(
            f"{words[0]} starts the server in a container, where the harness cannot see its process. Give the command that "
            "runs inside the container (see its Dockerfile), or start it yourself and use --connect HOST:PORT",
            kind="not-found",
        )


def foreign_address(spec: ServerSpec, output: str = "") -> str | None:
    """An address of some other machine that the output or the server's source names, with the file; None without one."""
    kinds = {path.suffix for path in sources.named(spec)}
    for name, text in (("", output), *(told for told in sources.texts(spec) if Path(told[0]).suffix in kinds)):
        found = next((m for m in _ADDRESS.finditer(text) if all(int(part) < 256 for part in m[1].split("."))), None)
        if found is not None:
            return f"{found[1]}, in {name}" if name else found[1]
    return None


def _named(found: re.Match[str]) -> str:
    """What the words name: the first group that took part."""
    return next((group for group in found.groups() if group), "")


def _python_2(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return "it is written in Python 2: start it with python2, or convert it to Python 3 (`2to3 -w` does most of it)"


def _python_3(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return "it is written in Python 3 and was started with Python 2: start it with python3"


def _no_such_address(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    where = foreign_address(spec, output)
    named = f" ({where})" if where else ""
    return (
        f"it wants to listen on an address that this machine does not have{named}: let it listen on 0.0.0.0 (every "
        "address), or take the address from its command, where {host} is filled in"
    )


def _low_port(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return "it was refused: ports below 1024 are for the system, and files need the right to be read"


def _no_file(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return (
        f"there is no file {_named(found)} here: give the path from this folder, or `cwd` of [server] in harness.toml"
    )


def _no_class(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    name = _named(found).replace("/", ".")
    near, folder = name.rpartition(".")[2], spec.cwd
    source = next((path for path in (folder / f"{near}.java", folder / "src" / f"{near}.java") if path.is_file()), None)
    compiled = next(iter(sorted(folder.glob(f"**/{near}.class"))), None) if source or folder.is_dir() else None
    if compiled is not None:
        place = compiled.parent.relative_to(folder)
        return f"Java did not find the class {name}; there is a {near}.class in `{place}`: say `java -cp CLASSPATH package.{near}`"
    if source is not None:
        return f'Java did not find the class {name}: compile it first, `build = "javac {source.relative_to(folder)}"` in [server] of harness.toml'
    return f"Java did not find the class {name}: compile it, and say where it is (`java -cp FOLDER package.Class`)"


def _no_module(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    name = _named(found)
    if name.startswith((".", "/")):
        return f"there is no file {name} here: give the path from this folder, or `cwd` of [server] in harness.toml"
    if "Cannot find module" in found[0] or "Cannot find package" in found[0]:
        return f"the Node package {name} is not installed: run `npm install` in its folder first"
    return f"the Python module {name} is not installed here: `pip install` it for the Python that runs the server"


def _syntax(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    places = re.findall(r'File "([^"\n]+)", line (\d+)|^(\S+?\.[cm]?[jt]s):(\d+)$', output, re.M)
    if not places:
        return "it does not compile: mend the error that it printed"
    file, line = [part for part in places[-1] if part][:2]
    return f"it does not compile: an error in {Path(file).name}, line {line}"


def _compiler(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return f"it does not compile: an error in {Path(found[1]).name}, line {found[2]}"


def _arguments(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    if spec.fixed_port:
        return "it wants arguments: give them in the command, and {port} where the port stands"
    return "it wants other arguments than it was given"


def _no_script(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return "there is nothing of that name to run here: is this the folder of the server? `cwd` of [server] says where it is"


def _older_java(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return "it was compiled for a newer Java than this one: compile it here, with `build` of [server] in harness.toml"


def _unknown_host(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return "it looks up the name of a machine that is not known here: let it listen on 0.0.0.0 (every address)"


def _other_service(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return (
        "it connects to another program (a database?) that is not there. In a network of its own it reaches nothing "
        "outside: `--no-namespaces` lets it, when that program runs here"
    )


def _end_of_input(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return "it asks for something: `stdin` of [server] in harness.toml says what it is told ({port} is filled in)"


def _not_found(found: re.Match[str], output: str, spec: ServerSpec) -> str:
    return f"there is no command {_named(found)} here: install it, or give its full path"


def _sign(words: str, means: Reading) -> _Sign:
    return _Sign(re.compile(words, re.M), means)


_PYTHON_2 = (
    r"Missing parentheses in call to '(print|exec)'|[Mm]ultiple exception types must be parenthesized"
    r"|No module named '?(thread|Queue|SocketServer|Tkinter|urllib2|ConfigParser|cPickle|httplib|BaseHTTPServer|StringIO)'?$"
    r"|name '(raw_input|unicode|xrange|unichr)' is not defined|has no attribute 'has_key'"
    r"|inconsistent use of tabs and spaces|leading zeros in decimal integer"
)
#: The first that is found is the reading: the more telling ones stand first.
_SIGNS = (
    _sign(_PYTHON_2, _python_2),
    _sign(r"Non-ASCII character '.*' in file .* but no encoding declared", _python_3),
    _sign(
        r"[Cc]annot assign requested address|EADDRNOTAVAIL|[Cc]an't assign requested address|AddrNotAvailable"
        r"|n\wo \w poss\wvel atribuir (?:o )?endere\wo|requested address is not valid in its context",
        _no_such_address,
    ),
    _sign(r"UnsupportedClassVersionError", _older_java),
    _sign(r"Could not find or load main class ([\w./$]+)|NoClassDefFoundError: ([\w./$]+)", _no_class),
    _sign(r"Unable to access jarfile (\S+)|can't open file '([^'\n]+)'", _no_file),
    _sign(r"No module named '?([\w.]+)|Cannot find (?:module|package) '([^'\n]+)'", _no_module),
    _sign(r"^(?:\w*SyntaxError|IndentationError|TabError)\b", _syntax),
    _sign(r"^([^\s:]+\.(?:java|c|cc|cpp|go|rs|ts|kt|cs)):(\d+)(?::\d+)?: (?:fatal )?error", _compiler),
    _sign(r"^(?:\./)?([^\s:]+\.go):(\d+):\d+: ", _compiler),
    _sign(r"^ +--> ([^\s:]+\.rs):(\d+)", _compiler),
    _sign(r"EACCES|\[Errno 13\]|[Pp]ermission denied", _low_port),
    _sign(r"gaierror|UnknownHostException|ENOTFOUND|[Nn]ame or service not known|EAI_AGAIN", _unknown_host),
    _sign(r"EOFError|NoSuchElementException: No line found|EOF when reading a line", _end_of_input),
    _sign(
        r"sys\.argv[\s\S]*IndexError: list index out of range|ArrayIndexOutOfBoundsException"
        r"|^(?i:usage|uso|usar|modo de uso)\s*:|the following arguments are required|not enough values to unpack",
        _arguments,
    ),
    _sign(r"[Mm]issing script|No rule to make target|no makefile found|there is no POM|ENOENT.*package\.json", _no_script),
    _sign(r"ECONNREFUSED|[Cc]onnection refused|ENETUNREACH|[Nn]etwork is unreachable", _other_service),
    _sign(r"([\w./-]+): (?:command )?not found$", _not_found),
)  # fmt: skip
