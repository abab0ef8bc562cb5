"""What is tried next, after a conversation in which nobody heard anybody."""

from __future__ import annotations

from harness.dialect.hypotheses import Ask
from harness.dialect.profile import Profile
from harness.engine.detecting import Search
from harness.engine.options import Options
from harness.engine.reading import Guess, Reading, Step
from harness.target import command

NUL = Profile.model_validate({"framing": "nul"})


def next_to(asked: Ask) -> list[tuple[Step, ...] | None]:
    """The logins that are tried after this one, in a framing that is understood."""
    reading = Reading(Guess("whatever it asks for", manner=NUL))
    reading.asked, reading.greeting, reading.replies = asked, b"say /name <name>\0", [b"no such name\0"]
    search = Search(Options(spec=command("chat")), isolated=False, readings=[reading])
    return [guess.steps for guess in search._next(reading)]


def test_where_a_command_was_misread_the_bare_name_is_tried_in_the_same_framing() -> None:
    assert next_to(Ask("command", "/name {name}")) == [(Step("/name {name}"),), (Step("{name}"),)]
    assert next_to(Ask("name")) == [(Step("/name {name}"),)]
