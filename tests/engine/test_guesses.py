"""What is tried next, after a conversation in which nobody heard anybody."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from harness.dialect.hypotheses import LEAVE_WORDS, LIST_WORDS, Ask
from harness.dialect.profile import Profile
from harness.engine.confirming import BARE_LEAVES, BARE_LISTS, SHOWN_LEAVES, SHOWN_LISTS, Confirmation
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


def order_after(*replies: bytes) -> list[str]:
    """In which turn what is usual is tried, after a server answered so."""
    reading = Reading(Guess("whatever it asks for"), replies=list(replies))
    search = Search(Options(spec=command("chat")), isolated=False, readings=[reading])
    return [turn.__name__ for turn in search._in_turn()]


def test_one_that_is_mute_to_all_but_the_right_command_is_asked_before_the_keys_of_objects_are_looked_for() -> None:
    """Apache MINA's chat: each way of JSON took its 14 s, and none of the 45 s was left for `LOGIN NAME`."""
    assert order_after(b"", b"") == ["_otherwise_framed", "_answered", "_objects_framed", "_unanswered"]
    assert order_after(b"", b"?") == ["_answered", "_unanswered", "_otherwise_framed", "_objects_framed"]


def test_no_framing_and_no_command_is_left_out() -> None:
    search = Search(Options(spec=command("chat")), isolated=False, readings=[Reading(Guess("whatever it asks for"))])
    framed = asyncio.run(search._otherwise_framed()), asyncio.run(search._objects_framed())
    assert [all(guess.keys for guess in guesses) for guesses in framed] == [False, True]
    assert {guess.manner.framing for guesses in framed for guess in guesses if guess.manner} >= {
        "nul",
        "header",
        "json",
    }
    search._others = ["NICK {name}"]
    assert (Step("NICK {name}"),) in [guess.steps for guess in asyncio.run(search._unanswered())]


@pytest.mark.parametrize(
    ("text", "usual", "bare", "rare", "word"),
    [
        ("comandos: quien, chau", LIST_WORDS, BARE_LISTS, SHOWN_LISTS, "quien"),
        ("comandos: quien, chau", LEAVE_WORDS, BARE_LEAVES, SHOWN_LEAVES, "chau"),
    ],
)
def test_a_rare_word_is_said_first_where_the_servers_text_has_it_and_else_not_at_all(
    text: str, usual: tuple[str, ...], bare: tuple[str, ...], rare: tuple[str, ...], word: str
) -> None:
    house: Any = SimpleNamespace()
    confirmation = Confirmation(house, Profile())
    assert confirmation._candidates(text, usual, bare, rare, r"nothing")[0] == word
    assert word not in confirmation._candidates("hello", usual, bare, rare, r"nothing")
