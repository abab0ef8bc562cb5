"""What a server's first bytes say for a framing; a plain text never says anything."""

from __future__ import annotations

import struct

import pytest

from harness.dialect.hints import read
from harness.dialect.manners import Lens, distinct, fits, hinted, of, shown, usual


def header(text: bytes, width: int = 64) -> bytes:
    """A frame with a decimal header."""
    return str(len(text)).encode().ljust(width) + text


@pytest.mark.parametrize(
    ("data", "framing"),
    [
        (header(b"Welcome"), "header"),
        (header(b"Welcome", 10), "header"),
        (b"00000007Welcome", "header"),
        (struct.pack(">I", 16) + b"Enter your name:", "length"),
        (struct.pack("<I", 5) + b"hello" + struct.pack("<I", 2) + b"hi", "length"),
        (b"\x00\x05hello", "length"),
        (b'{"type": "welcome", "id": 7}\n', "json"),
        (b"NICK\0", "nul"),
    ],
)
def test_a_frame_is_known_by_its_bytes(data: bytes, framing: str) -> None:
    assert shown(data)[0].framing == framing


def test_a_reply_code_before_a_line_is_no_header() -> None:
    assert [m.framing for m in shown(b"220 parlour ready, say NICK <name>\r\n")] == []
    assert shown(b"220 " + b"x" * 40)[0].framing == "header"  # no line: the rest may still come
    assert shown(b"30  a text that is cut\n")[0].framing == "header"
    assert shown(b"12  hello there\n")[0].framing == "header"


def test_the_width_of_a_header_is_seen() -> None:
    assert [shown(header(b"hi", width))[0].header for width in (10, 64)] == [10, 64]


@pytest.mark.parametrize(
    "text",
    [b"", b"NICK", b"Enter your name: ", b"12 people are here\n", b"1) red\n2) blue\n", b"\r\nHi", b"{name} please\n",
     b"\x1b[32mWelcome\x1b[0m\n", "Olá, qual é o seu nome?".encode(), b"[12:01] ana: hi"],
)  # fmt: skip
def test_a_plain_text_is_not_blamed_for_being_a_frame(text: bytes) -> None:
    assert [m.framing for m in shown(text)] == []
    assert not any(fits(manner, text) for manner in usual())


def test_java_writes_its_two_bytes_by_write_utf() -> None:
    assert shown(b"\x00\x05hello", java=True)[0].framing == "utf"
    assert [m.framing for m in usual(java=True)].count("utf") == 1


def test_a_lens_shows_a_line_for_each_frame_and_a_bare_answer_as_it_is() -> None:
    framed, bare, objects = Lens(of("header")), Lens(of("header")), Lens(of("json"))
    assert framed.feed(header(b"one")) + framed.feed(header(b"two")) == b"one\ntwo\n"
    assert bare.feed(b"Welcome ana") == b"Welcome ana"
    assert objects.feed(b'{"from": "ana", "text": "hi"}\n') == b"ana hi\n"
    assert (framed.framed, bare.framed) == (True, False)


def test_a_header_that_comes_alone_is_one() -> None:
    lens = Lens(of("header"))
    assert lens.feed(header(b"hello")[:64]) + lens.feed(b"hello") == b"hello\n"


def test_hints_become_manners_in_their_order() -> None:
    found = hinted(read([("s.py", "HEADER = 10\nstruct.unpack('<H', x)\njson.loads(y)")]))
    assert [m.framing for m in found] == ["json", "length", "header"]
    assert (found[1].length.bytes, found[1].length.order, found[2].header) == (2, "little", 10)
    assert len(distinct([*found, *found, *usual()])) < len(found) * 2 + len(usual())
