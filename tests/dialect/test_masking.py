"""Masking: what varies is folded, what does not vary stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.dialect.masking import fold, lines, mask, missing_parts, shape_of_number, stands_in, text_of


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("user5", "user#"),
        ("user123456", "user#"),
        ("Guest_7 joined", "Guest_# joined"),
        ("cliente-123456 entrou", "cliente-# entrou"),
        ("[17:04:59] hello", "[#] hello"),
        ("2026-11-23 17:04", "# #"),
        ("you are 127.0.0.1:51234", "you are #"),
        ("3 users online", "# users online"),
        ("Token: 3f9a0c77b1d2", "Token: #"),
        ("id 550e8400-e29b-41d4-a716-446655440000.", "id #."),
        ("  many\t blanks  ", "many blanks"),
        ("no number at all", "no number at all"),
        ("/nick NAME", "/nick NAME"),
    ],
)
def test_what_varies_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Welcome, ana!", "Welcome, {name}!"),
        ("welcome ANA", "welcome {name}"),
        ("[ana] hi", "[{name}] hi"),
        ("*ana* _ana_", "*{name}* _{name}_"),
        ("banana", "banana"),
        ("Mariana and ana", "Mariana and {name}"),
        ("ana2", "ana2"),
    ],
)
def test_a_name_is_masked_as_a_word_of_its_own(text: str, masked: str) -> None:
    assert mask(text, ("ana",)) == masked.replace("ana2", "ana#")


def test_the_longer_of_two_names_goes_first() -> None:
    assert mask("ana.b and ana", ("ana", "ana.b")) == "{name} and {name}"


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**15), st.integers(0, 10**15), st.sampled_from(["user", "guest_", "Cliente-", "#", "anon"]))
def test_a_numbered_name_has_one_shape(one: int, other: int, word: str) -> None:
    assert mask(f"{word}{one} entrou") == mask(f"{word}{other} entrou")
    assert shape_of_number(f"{word}{one}") == shape_of_number(f"{word}{other}")


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60))
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text)
    assert mask(once) == once or "\x00" in text


@pytest.mark.parametrize(
    ("text", "folded"), [("Usuário", "usuario"), ("NOMBRE", "nombre"), ("Straße", "strasse"), ("ﬁn", "fin"), ("", "")]
)
def test_case_and_accents_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_colours_are_taken_out_and_bad_bytes_are_replaced() -> None:
    assert text_of(b"\x1b[1;32mana\x1b[0m: \xff") == "ana: �"


def test_the_lines_of_a_greeting_are_masked_and_the_empty_ones_left_out() -> None:
    assert lines(b"Welcome ana\r\n\r\n3 online\nname: ", ("ana",)) == ("Welcome {name}", "# online", "name:")


WANTED = ("Welcome, {name}!", "# online", "Commands: /list")


@pytest.mark.parametrize(
    ("intro", "missing"),
    [
        (b"Welcome, bia!\n12 online\nCommands: /list\n", ()),
        (b"\x1b[1mWelcome, bia!\x1b[0m\r\n999999 online\r\nCommands: /list /quit\r\n", ()),
        (b"news of today\nWelcome, bia!\n1 online\nCommands: /list", ()),
        (b"Welcome, bia!\n1 online\n", ("Commands: /list",)),
        (b"Welcome, ana!\n1 online\nCommands: /list\n", ("Welcome, {name}!",)),
        (b"", WANTED),
    ],
)
def test_the_stable_parts_of_an_introduction_are_looked_for(intro: bytes, missing: tuple[str, ...]) -> None:
    assert missing_parts(intro, WANTED, "bia") == missing


@pytest.mark.parametrize(
    ("name", "answer", "there"),
    [
        ("ana", b"online: ana, bia", True),
        ("ana", b"online: mariana, bia", False),
        ("ana", b"- Ana\n- bia", True),
        ("ana", b"\x1b[1mana\x1b[0m", True),
        ("joão".encode().decode(), "JOAO está aqui".encode(), True),
        ("ana", b"ana2", False),
        ("a.b", b"axb", False),
    ],
)
def test_a_name_stands_in_a_list_as_a_word_of_its_own(name: str, answer: bytes, there: bool) -> None:
    assert stands_in(name, answer) is there


def test_a_word_of_many_kilobytes_is_masked_at_once() -> None:
    """A flood's filler without borders is one word: a pattern that looked at each letter twice took minutes for it."""
    word = "x" * 200_000
    assert mask(f"{word} ana", ("ana",)) == f"{word} {{name}}"
