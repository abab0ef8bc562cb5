"""`harness probe`: how a server speaks, found out by talking to it; told in plain words, and written as harness.toml."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.run import split_command
from harness.cli.target_words import BUILTINS, UserError, declared_keys, language_of, read_config, target
from harness.language import Language

if TYPE_CHECKING:
    from harness.dialect.profile import Profile
    from harness.engine.baseline import Learned
    from harness.engine.options import Options

#: Lines of the conversation that are shown as proof, and when nothing was found.
PROOF, TRIED = 24, 60
#: All of it takes no longer, a build apart; the quiet runs at its end, which are short, are left so much of it, in seconds.
LONGEST_S, QUIET_S = 60.0, 12.0


def probe(
    context: typer.Context,
    what: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND]", help="after --: a command")] = None,
    server: Annotated[str | None, typer.Option(help="a command ({port} is filled in)")] = None,
    connect: Annotated[str | None, typer.Option(help="HOST:PORT of a server that somebody else runs")] = None,
    write: Annotated[bool, typer.Option("--write", help="write harness.toml")] = False,
    cache: Annotated[bool, typer.Option(help="take what was found before, and remember what is found")] = True,
    hints: Annotated[bool, typer.Option(help="a look at the server's source orders the guesses")] = True,
    patience: Annotated[float | None, typer.Option(min=0.1, max=20, help="multiplies every deadline")] = None,
    wait: Annotated[float, typer.Option(min=0, help="seconds that a remote server may take to come up")] = 10.0,
    namespaces: Annotated[bool, typer.Option(help="a network namespace of its own, where allowed")] = True,
    lang: Annotated[str | None, typer.Option(help="en or pt-BR")] = None,
) -> None:
    """Find out how a chat server speaks.

    Exit status: 0 it was found out, 2 it was not (what was tried, and what would help, is told).
    """
    from harness.engine.options import Options

    settings, where = read_config(Path.cwd())
    words, rest = split_command(what or [], sys.argv)
    if len(words) > 1 or (words and (server or connect)):
        raise UserError("give one target: --server, --connect, or a command after --")
    if words:
        connect, server = (words[0], None) if _is_address(words[0]) else (None, words[0])
    spec = target(server, connect, rest, settings, where)
    if spec.name in BUILTINS and spec.kind == "builtin":
        spec = _as_command(spec)
    options = Options(
        spec=spec, patience=patience or settings.run.patience or 1.0, wait_s=wait, namespaces=namespaces, hints=hints,
        overrides=declared_keys(settings), cache=cache, lang=language_of(lang),
    )  # fmt: skip
    say = Language.of(options.lang)
    if write and Path("harness.toml").exists():
        raise UserError(say("harness.toml exists already: it was left as it is"))
    gc.freeze()
    options, found, quiet, known = _found(options)
    if found.profile is None or quiet is None:
        for line in _failure(found, say):
            typer.echo(line, err=True)
        raise typer.Exit(2)
    profile = quiet.profile or found.profile
    for line in told(spec.command_text or spec.name, found.profile, quiet, found, say, known=known):
        typer.echo(line)
    if write:
        _write(Path.cwd() / "harness.toml", options, profile, say)


def _is_address(word: str) -> bool:
    host, _, port = word.rpartition(":")
    return bool(host) and port.isdigit() and " " not in word


def _as_command(spec: Any) -> Any:
    from dataclasses import replace

    return replace(spec, kind="command")


def _one(key: str, work: Any, limit_s: float) -> Any:
    """A piece of work in a worker. Raises UserError when it broke, or was not done in time."""
    from harness.engine.workers import Workers

    with Workers(1) as workers:
        workers.start(key, work, limit_s)
        while True:
            for done in workers.wait():
                if done.failure is not None:
                    raise UserError(f"{key}: {done.failure}; --patience 2 gives twice the time")
                return done.value


def _found(options: Options) -> tuple[Options, Learned, Learned | None, bool]:
    """How it is started, what the search found, what the quiet runs say to it, and whether it was known before."""
    from dataclasses import replace

    from harness.engine.starting import Way, way

    if options.spec.build is not None:
        from harness.engine.run import BASELINE_S, built

        made = _one("build", lambda: built(options), BASELINE_S)
        if made.failure is not None:
            return options, made, None, False
    end_s = time.monotonic() + LONGEST_S * max(1.0, options.patience)
    if options.spec.kind == "remote":
        return options, *_understood(options, end_s)
    started: Way = _one("start", lambda: way(options), end_s - time.monotonic())
    if started.learned is not None:
        return options, started.learned, None, False
    tried = []
    for spec in started.specs:
        options = replace(options, spec=spec)
        found, quiet, known = _understood(options, end_s)
        if quiet is not None:
            return options, replace(found, told=(*started.told, *found.told)), quiet, known
        tried.append(found)
    return options, tried[0], None, False


def _understood(options: Options, end_s: float) -> tuple[Learned, Learned | None, bool]:
    """What the search found, what the quiet runs say to it, and whether it was known before; by `end_s`, monotonic."""
    from dataclasses import replace

    from harness.engine.baseline import learn, misled
    from harness.engine.detecting import detect
    from harness.engine.remembered import forget, recall, remember

    known = recall(options.spec) if options.cache else None
    if known is not None:
        known = known.model_copy(update=dict(options.overrides))
        from harness.engine.baseline import Learned

        quiet = _one("baseline", lambda: learn(options, known), end_s - time.monotonic())
        if quiet.baseline is not None and not misled(quiet, options):
            return Learned(profile=known), quiet, True
        forget(options.spec)
    search_s = max(1.0, end_s - time.monotonic() - QUIET_S)
    found = _one("dialect", lambda: detect(options, search_s), search_s + QUIET_S)
    if found.profile is None:
        return found, None, False
    speaks = found.profile
    quiet = _one("baseline", lambda: learn(options, speaks), end_s - time.monotonic())
    if misled(quiet, options):
        speaks = speaks.model_copy(update={"leave": None})
        found = replace(found, profile=speaks, grounds={k: g for k, g in found.grounds.items() if k != "leave"})
        quiet = _one("baseline", lambda: learn(options, speaks), end_s - time.monotonic())
    if quiet.baseline is None:
        return quiet, None, False
    if options.cache:
        remember(options.spec, speaks)
    return found, quiet, False


def told(
    server: str, profile: Profile, quiet: Learned, found: Learned, say: Language, *, known: bool = False
) -> Iterator[str]:
    """What was found, for people: what it is, how sure, what is not known, and the conversation that shows it."""
    from harness.report.safe import visible, visible_lines

    yield say("{server}: understood", server=visible(server))
    if known:
        yield "  " + say("found out earlier, and confirmed now by two quiet runs (--no-cache finds out anew)")
    yield ""
    grounds = {**found.grounds, **quiet.grounds}
    for key, what, text in (*dialect_lines(profile, say), *baseline_lines(quiet, say)):
        yield f"  {what:<16} {visible(text, 160)}"
        if key in grounds:
            yield f"  {'':<16} ({say(grounds[key].text, **grounds[key].values)})"
    if found.told:
        yield ""
        yield say("Good to know, and what could not be found out:")
        yield from (f"  {visible(say.sentence(say(text)), 160)}" for text in found.told)
    if found.transcript:
        yield ""
        yield say("The conversation that shows it:")
        yield from (f"  {line}" for line in visible_lines(found.transcript, PROOF, 140))


def dialect_lines(profile: Profile, say: Language) -> Iterator[tuple[str, str, str]]:
    """The dialect: the key of each finding, what it is about, and the finding in plain words."""
    send, receive = profile.framing_name("send"), profile.framing_name("receive")
    yield "framing", say("messages"), say(FRAMINGS[send])
    if receive != send:
        yield "receive", say("its answers"), say(FRAMINGS[receive])
    steps = []
    for step in profile.login:
        if step.expect is not None:
            steps.append(say("it shows {text}", text=repr(step.expect)))
        if step.send is not None:
            steps.append(say("send {text}", text=repr(step.send)))
    if not steps:
        yield "login", say("login"), say("none: who is connected is in the room")
    else:
        needed = f" ({say('not needed to be in the room')})" if profile.auto else ""
        yield "login", say("login"), "; ".join(steps) + needed
    if profile.speak_first:
        yield (
            "speak_first",
            say("first words"),
            say("whoever comes in hears the others only after its own first message"),
        )
    yield "say", say("a message"), say("send {text}", text=repr(profile.say))
    by = "the server puts the name in front" if profile.attributes == "server" else "the client itself says who speaks"
    yield (
        "attributes",
        say("names"),
        say(by) + (f"; {say('at most {count} letters', count=profile.names.max)}" if profile.names.max else ""),
    )
    for key, what in (("leave", "leaving"), ("list", "the list"), ("whisper", "a whisper"), ("rename", "another name")):
        found = getattr(profile, key)
        yield key, say(what), repr(found) if found else say("no command was found")
    if profile.idle:
        yield "idle", say("silence"), say("is ended after {count} s, it says", count=f"{profile.idle:g}")
    if profile.resume:
        yield "resume", say("a session"), say("is taken up again by {command}", command=repr(profile.resume.send))
    if profile.encoding == "ascii":
        yield "encoding", say("encoding"), say("plain ASCII: accents do not arrive, and are neither sent nor judged")
    if profile.max_clients:
        yield "max_clients", say("clients"), say("at most {count} at the same time", count=profile.max_clients)


FRAMINGS = {
    "line": "lines: a newline ends each",
    "chunk": "chunks: one send is one message, nothing marks its end (TCP keeps no borders: two may come as one)",
    "header": "a decimal length in a header of fixed width, then the text",
    "length": "a binary length, then the text",
    "utf": "a length of two bytes, then the text (Java's writeUTF)",
    "nul": "a zero byte (or another mark) ends each",
    "fixed": "blocks of a fixed size",
    "json": "JSON values",
}


def baseline_lines(quiet: Learned, say: Language) -> Iterator[tuple[str, str, str]]:
    """What the quiet runs saw, in the same way."""
    baseline = quiet.baseline
    if baseline is None:
        return
    yield (
        "echo",
        say("an echo"),
        say("the sender hears its own words") if baseline.echo else say("none: the sender does not hear itself"),
    )
    for what, template in (("arrivals", baseline.join_notice), ("departures", baseline.leave_notice)):
        yield what, say(what), say("told as {text}", text=repr(template)) if template else say("nobody is told")
    if baseline.named:
        yield "duplicates", say("a taken name"), say(f"is {baseline.duplicates}")
    yield "round trip", say("round trip"), say.seconds(baseline.deadlines.quiet_rtt_s)


def _failure(found: Learned, say: Language) -> Iterator[str]:
    """Why, what was tried and what came back, and the lines that would help."""
    from harness.dialect.profile import LoginStep, Profile
    from harness.report.safe import visible, visible_lines
    from harness.sentences import in_portuguese

    reason = found.failure or "two clients never heard each other's words"
    yield "harness: " + visible(in_portuguese(reason) if say.code == "pt-BR" else reason, 600)
    if found.transcript:
        yield ""
        yield say("The server's output:") if found.start_error else say("What was tried, and what came back:")
        yield from (f"  {line}" for line in visible_lines(found.transcript, TRIED, 160))
    if not found.start_error:
        yield ""
        yield say("If you know how it speaks, say so in harness.toml, for instance:")
        yield from ("", "  [dialect]")
        likely = found.likely or Profile(framing="chunk", login=(LoginStep(expect="name"), LoginStep(send="{name}")))
        yield from (f"  {visible(line, 200)}" for line in _dialect(likely, say))


def _write(path: Path, options: Options, profile: Profile, say: Language) -> None:
    """harness.toml, unless there is one. Raises UserError."""
    if path.exists():
        raise UserError(say("harness.toml exists already: it was left as it is"))
    try:
        path.write_text(as_toml(options, profile, say), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path.name}: {error.strerror}") from None
    typer.echo("\n" + say("written: {path}", path=os.path.relpath(path)))


def as_toml(options: Options, profile: Profile, say: Language) -> str:
    """A commented harness.toml for this server and its dialect."""
    spec = options.spec
    target = (
        f"connect = {_value(spec.name)}" if spec.kind == "remote" else f"command = {_value(spec.command_text or '')}"
    )
    lines = [
        f"# {say('How to start this chat server, and how it speaks; found by `harness probe`.')}",
        "",
        "[server]",
        target,
        *_ways_of_starting(spec),
        "",
    ]
    lines.append("[dialect]")
    return "\n".join([*lines, *_dialect(profile, say)]) + "\n"


def _dialect(profile: Profile, say: Language) -> Iterator[str]:
    """The lines of `[dialect]`, with a comment where there is something to say."""
    for key, value in profile.to_json().items():
        if key == "name":
            if value != "declared":
                yield f"# {value}"
            continue
        comment = say(COMMENTS[key]) if key in COMMENTS else ""
        yield f"{key} = {_value(value)}" + (f"  # {comment}" if comment else "")


def _ways_of_starting(spec: Any) -> Iterator[str]:
    """The further lines of `[server]`."""
    for key, value in (("build", spec.build), ("stdin", spec.stdin), ("port", spec.chat_port)):
        if value is not None:
            yield f"{key} = {_value(value)}"
    if spec.pty:
        yield "pty = true"
    if spec.ready_log is not None:
        yield f"ready = {_value({'log': spec.ready_log})}"
    if spec.kind != "remote" and spec.cwd.resolve() != Path.cwd().resolve():
        yield f"cwd = {_value(os.path.relpath(spec.cwd))}"
    if spec.env:
        yield f"env = {_value(dict(spec.env))}"
    if spec.stop_signal != signal.SIGTERM:
        yield f"stop = {_value(signal.Signals(spec.stop_signal).name)}"


COMMENTS = {
    "framing": "what one message is: line, chunk, header, length, utf, nul, fixed, json",
    "login": "what is waited for and sent until a client is in the room",
    "say": "how something is said to everybody",
    "attributes": "who puts the name in front of a message",
    "pause": "s between two sends of one client, or TCP joins them",
    "leave": "without it, leaving is closing the connection",
    "encoding": "accents are not sent",
    "max_clients": "more are not served",
    "max_message": "bytes",
    "auto": "in the room without a login",
    "speak_first": "a client is listed only once it has said something",
}


def _value(value: Any) -> str:
    """A TOML value on one line."""
    import json

    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items() if each is not None) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f") if isinstance(value, str) else text
