from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.safe import quoted, visible, visible_lines

#: Every character, lone surrogates included, the dangerous ones often.
ANY_TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(
            "\x00\x07\x1b\r\n\t\x7f\x85\x9b\u061c\u200b\u200e\u202e\u2066\u2028\ud800\udcff\ufeff\ufffe:#[]\\"
        ),
    )
)
ANYTHING = st.one_of(st.binary(), ANY_TEXT)
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(ANYTHING)
def test_nothing_that_a_terminal_obeys_is_left(value: bytes | str) -> None:
    shown = visible(value)
    assert not BIDI & set(shown)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)
    assert shown.isprintable()


@given(ANYTHING, st.integers(24, 400))
def test_the_length_is_bounded(value: bytes | str, limit: int) -> None:
    assert len(visible(value, limit)) <= limit


@given(ANYTHING, st.integers(24, 400))
def test_what_is_safe_stays_as_it_is(value: bytes | str, limit: int) -> None:
    shown = visible(value, limit)
    assert visible(shown, limit) == shown


@given(ANYTHING)
def test_it_can_stand_in_xml_and_in_utf8(value: bytes | str) -> None:
    shown = visible(value)
    element = ElementTree.Element("x", {"a": shown})
    element.text = shown
    read = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (read.text or "") == shown == read.get("a")


@given(st.sampled_from(["", " ", "   "]), st.sampled_from(["::error::", "::set-output name=a::", "::stop-commands::"]))
def test_no_line_is_a_command_for_github(blanks: str, command: str) -> None:
    assert not visible(blanks + command + "x").lstrip().startswith("::")


@pytest.mark.parametrize(
    "command", ["##[error]x", "a ##[group]", "##vso[task.complete]", "##teamcity[message]", "###[x]"]
)
def test_no_line_is_a_command_for_azure_or_teamcity(command: str) -> None:
    shown = visible(command)
    assert not any(f"##{name}[" in shown for name in ("", "vso", "teamcity"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Olá, João — ok", "Olá, João — ok"),
        (b"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\u009b31m"),
        (b"caf\xc3\xa9 \xe9", "café \\xe9"),
        (b"\xc3", "\\xc3"),
        ("a\tb\r\n", "a\\tb\\r\\n"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("\ud83d", "\\ud83d"),
        ("a\u00a0b", "a\\u00a0b"),
        ("👍🏽", "👍🏽"),
        ("\U000e0001", "\\U000e0001"),
        ("", ""),
    ],
)
def test_what_it_looks_like(value: bytes | str, shown: str) -> None:
    assert visible(value) == shown


def test_a_flood_of_combining_marks_is_shown_as_such() -> None:
    assert visible("e" + "\u0301" * 6) == "e" + "\u0301" * 4 + "\\u0301" * 2


@pytest.mark.parametrize("value", ["é" * 1000, ("é" * 500).encode()])
def test_a_cut_tells_how_much_is_missing(value: bytes | str) -> None:
    shown = visible(value, 40)
    kept = shown.partition("…")[0]
    missing = len(value) - (len(kept) if isinstance(value, str) else len(kept.encode()))
    assert shown == f"{kept}…(+{missing})"
    assert kept


def test_a_huge_value_costs_no_more_than_what_is_shown_of_it() -> None:
    assert visible(b"\x1b" * (64 << 20), 100).endswith(")")


def test_of_many_lines_the_first_and_the_last_are_shown() -> None:
    text = "\n".join(map(str, range(20))) + "\n\n"
    assert visible_lines(text, most=6) == ["0", "1", "2", "… (+15)", "18", "19"]
    assert visible_lines(b"a\r\nb\x1b\n") == ["a", "b\\x1b"]
    assert visible_lines("") == []


def test_a_quotation_has_its_marks() -> None:
    assert quoted(b"hi\n") == '"hi\\n"'
