"""Framings and tokens: whatever TCP cuts or joins, the same units and the same tokens come out."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.client.inbox import KEPT_BYTES, Inbox
from harness.dialect import tokens
from harness.dialect.framing import LONGEST_UNIT, ChunkFraming, Framing, LineFraming

MESSAGE = st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"").rstrip(b"\r"))
CUTS = st.lists(st.integers(0, 400), max_size=12)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces, cut at these places."""
    borders = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(borders)]


def fed(framing: Framing, pieces: list[bytes]) -> list[bytes]:
    """All units of these pieces."""
    return [unit for piece in pieces for unit in framing.feed(piece)]


@settings(deadline=None, max_examples=60)
@given(messages=st.lists(MESSAGE, max_size=8), newline=st.sampled_from(["\n", "\r\n"]), places=CUTS)
def test_any_cut_of_the_bytes_gives_the_same_lines(messages: list[bytes], newline: str, places: list[int]) -> None:
    framing = LineFraming(newline)
    data = b"".join(framing.encode(message) for message in messages)
    assert fed(framing, cut(data, places)) == messages
    assert framing.pending == b""


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=300), places=CUTS)
def test_no_byte_is_lost_or_made_up(data: bytes, places: list[int]) -> None:
    framing = LineFraming()
    units = fed(framing, cut(data, places))
    assert units == [line.removesuffix(b"\r") for line in data.split(b"\n")[:-1]]
    assert framing.pending == data.split(b"\n")[-1]


def test_an_unfinished_line_stands_in_pending() -> None:
    framing = LineFraming()
    assert framing.feed(b"hello\nYour na") == [b"hello"]
    assert framing.feed(b"me: ") == []
    assert framing.pending == b"Your name: "


def test_a_carriage_return_inside_a_line_stays() -> None:
    assert LineFraming().feed(b"a\rb\r\n") == [b"a\rb"]


@settings(deadline=None, max_examples=60)
@given(limit=st.integers(1, 50), sizes=st.lists(st.integers(1, 30), max_size=20))
def test_an_endless_line_is_given_out_in_parts_and_never_kept(limit: int, sizes: list[int]) -> None:
    framing = LineFraming(limit=limit)
    units = []
    for size in sizes:
        units += framing.feed(b"x" * size)
        assert len(framing.pending) <= limit
    assert b"".join(units) + framing.pending == b"x" * sum(sizes)


def test_the_bound_of_an_unfinished_line_is_small_enough_for_many_clients() -> None:
    assert LONGEST_UNIT * 200 <= 1 << 28


@settings(deadline=None, max_examples=60)
@given(pieces=st.lists(st.binary(max_size=20), max_size=10))
def test_a_chunk_is_what_one_read_brought(pieces: list[bytes]) -> None:
    framing = ChunkFraming()
    assert fed(framing, pieces) == [piece for piece in pieces if piece]
    assert framing.pending == b""


def test_a_chunk_is_sent_with_the_terminator_of_its_dialect() -> None:
    assert ChunkFraming().encode(b"hello") == b"hello"
    assert ChunkFraming("\r\n").encode(b"hello") == b"hello\r\n"


# -- tokens ----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(sender=st.integers(0, 36**2 - 1), number=st.integers(0, 36**3 - 1), text=st.text(max_size=30))
def test_a_token_has_one_form_and_is_found_in_any_company(sender: int, number: int, text: str) -> None:
    token = tokens.make(sender, number, text)
    assert len(token) == tokens.LENGTH
    assert re.fullmatch(r"xq[0-9a-z]{9}", token)
    assert tokens.find(f"[ana] {token} (12:00)".encode()) == [token]


def test_tokens_of_many_members_and_messages_are_all_different() -> None:
    made = {tokens.make(sender, number, "hello") for sender in range(60) for number in range(200)}
    assert len(made) == 60 * 200


def test_the_words_are_in_the_checksum() -> None:
    assert tokens.make(1, 1, "hello")[:7] == tokens.make(1, 1, "hallo")[:7]
    assert tokens.make(1, 1, "hello") != tokens.make(1, 1, "hallo")
    assert tokens.make(1, 1, "\ud800")  # a lone surrogate can be said too


def test_numbers_wrap_and_do_not_grow() -> None:
    assert tokens.base36(36**2 + 5, 2) == tokens.base36(5, 2) == "05"


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(1, 6),
    places=CUTS,
    framing=st.sampled_from([LineFraming, ChunkFraming]),
    gap=st.binary(max_size=3),
)
def test_each_token_is_found_once_across_the_borders_of_reads(
    count: int, places: list[int], framing: type[LineFraming | ChunkFraming], gap: bytes
) -> None:
    said = [tokens.make(1, number, "hi") for number in range(count)]
    separator = b"\n" + gap.replace(b"x", b"")
    data = b"".join(token.encode() + separator for token in said)
    inbox = Inbox(framing())
    found = [token for piece in cut(data, places) for _, many in inbox.feed(piece) for token in many]
    assert found == said
    assert inbox.tokens == set(said)
    assert inbox.total == len(data)


def test_an_inbox_keeps_a_bounded_part_of_a_flood() -> None:
    inbox = Inbox(ChunkFraming())
    for _ in range(40):
        inbox.feed(b"x" * (1 << 16))
    assert len(inbox.raw) == KEPT_BYTES
    assert inbox.total == 40 << 16


def test_an_inbox_shows_a_prompt_that_has_no_newline_and_forgets_what_was_answered() -> None:
    inbox = Inbox(LineFraming())
    inbox.feed("Qual é o seu NOME? ".encode())
    assert inbox.shows("seu nome")
    inbox.mark = len(inbox.raw)
    assert not inbox.shows("seu nome")
    assert inbox.since_mark() == b""


@pytest.mark.parametrize(("pattern", "found"), [(r"Token: ([0-9a-f]+)", "ab12"), (r"no (thing)", None)])
def test_an_inbox_finds_the_token_of_a_session(pattern: str, found: str | None) -> None:
    inbox = Inbox(LineFraming())
    inbox.feed(b"\x1b[1mToken: ab12\x1b[0m\n")
    assert inbox.find(pattern) == found
