"""On what a finding rests is said in both languages, with its numbers."""

from __future__ import annotations

import string

import pytest

from harness.dialect.profile import Profile
from harness.engine import grounds
from harness.engine.reading import Guess, Reading
from harness.language import PORTUGUESE

SENTENCES = {name: text for name, text in vars(grounds).items() if name.isupper() and isinstance(text, str)}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_ground_is_told_in_both_languages(name: str) -> None:
    text = SENTENCES[name]
    assert fields(PORTUGUESE[text]) == fields(text)


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (Reading(Guess(""), framing="line"), grounds.WAITED),
        (Reading(Guess(""), framing="chunk"), grounds.AT_ONCE),
        (Reading(Guess(""), framing="line", apart=True), grounds.PARTED),
        (Reading(Guess("", framing="chunk", ended=True), framing="chunk"), grounds.CUT),
        (Reading(Guess("", manner=Profile(framing="utf")), framing="utf"), grounds.FRAMED),
    ],
)
def test_how_messages_are_framed_rests_on_what_was_seen(reading: Reading, text: str) -> None:
    assert grounds.of_borders(reading).text == text


def test_somebody_elses_server_is_no_fresh_one() -> None:
    assert "fresh" not in grounds.of_login(3, servers=1, must=True, remote=True).text
    assert grounds.of_login(5, servers=2, must=False, remote=False).values == {"clients": 5, "servers": 2}
    assert grounds.of_quiet(1, named=True)["echo"].text == grounds.ONE_RUN
