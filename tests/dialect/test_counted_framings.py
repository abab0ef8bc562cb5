"""The framings that count, terminate, fill up or nest their messages: any cut of the stream gives the same units."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client.inbox import Inbox
from harness.dialect import Profile
from harness.dialect.framing import (
    LONGEST_UNIT,
    CountedFraming,
    FixedFraming,
    Framing,
    HeaderFraming,
    JsonFraming,
    LengthFraming,
    TerminatedFraming,
    UtfFraming,
)
from harness.dialect.profile import FramingName
from harness.registry import load

KNOWN = load()
MAKERS: dict[str, Callable[[], Framing]] = {
    "header-64": HeaderFraming,
    "header-10": lambda: HeaderFraming(10),
    "length-1": lambda: LengthFraming(1),
    "length-2": lambda: LengthFraming(2),
    "length-4-little": lambda: LengthFraming(4, "little"),
    "length-8": lambda: LengthFraming(8),
    "nul": TerminatedFraming,
    "separator": lambda: TerminatedFraming("<END>"),
    "fixed": lambda: FixedFraming((300,)),
}


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


texts = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="<>"), min_size=1, max_size=200)


@pytest.mark.parametrize("name", MAKERS)
@given(messages=st.lists(texts, max_size=6), places=st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cut_gives_the_same_messages(name: str, messages: list[str], places: list[int]) -> None:
    sender, receiver = MAKERS[name](), MAKERS[name]()
    stream = b"".join(sender.encode(message.encode()) for message in messages)
    units = [unit for piece in cut(stream, places) for unit in receiver.feed(piece)]
    assert units == [message.encode() for message in messages]
    assert receiver.pending == b""


@given(
    messages=st.lists(texts, max_size=5),
    places=st.lists(st.integers(0, 10_000), max_size=12),
    newline=st.sampled_from(["", "\n"]),
)
def test_any_cut_of_json_gives_the_same_texts(messages: list[str], places: list[int], newline: str) -> None:
    profile = Profile(
        framing="json",
        newline=newline,
        say='{{"type": "chat", "message": "{text}"}}'.replace("{{", "{").replace("}}", "}"),
    )
    sender, receiver = profile.sending(), profile.receiving()
    stream = b"".join(sender.encode(profile.speak(message, "ana").encode()) for message in messages)
    units = [unit for piece in cut(stream, places) for unit in receiver.feed(piece)]
    assert units == [f"chat {message}".encode() for message in messages]


@given(st.text(max_size=80))
def test_whatever_is_said_in_json_is_json(text: str) -> None:
    profile = Profile(framing="json", say='{"from": "{name}", "text": "{text}"}')
    assert json.loads(profile.speak(text, 'a"\\na')) == {"from": 'a"\\na', "text": text}


@pytest.mark.parametrize(
    ("framing", "lie"),
    [
        (HeaderFraming(), b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (HeaderFraming(10), b"Welcome!"),
        (HeaderFraming(10), b"99999999  "),
        (LengthFraming(4), b"\x80\x00\x00\x00abc"),
        (LengthFraming(8), b"\xff" * 8),
        (LengthFraming(4), b"Enter your name:"),
    ],
)
def test_a_size_that_cannot_be_true_is_given_out_raw(framing: Framing, lie: bytes) -> None:
    assert framing.feed(lie) == [lie]
    assert framing.feed(b"and more") == [b"and more"]
    assert framing.pending == b""


def test_memory_is_bounded_without_a_terminator() -> None:
    framing = TerminatedFraming()
    piece = b"x" * (1 << 18)
    given_out = [unit for _ in range(9) for unit in framing.feed(piece)]
    assert given_out
    assert len(framing.pending) <= LONGEST_UNIT
    nested = JsonFraming()
    assert [unit for _ in range(9) for unit in nested.feed(b"[" * (1 << 18))]
    assert len(nested.pending) <= LONGEST_UNIT


def test_deep_nesting_is_no_danger() -> None:
    value = b"[" * 50_000 + b"]" * 50_000
    assert JsonFraming().feed(value) == [value]


def test_fixed_fields_hold_a_name_and_a_text() -> None:
    framing = FixedFraming((8, 16))
    block = framing.encode(b"ana\0hello")
    assert block == b"ana\0\0\0\0\0hello" + b"\0" * 11
    assert framing.feed(block + framing.encode(b"no name")) == [b"ana hello", b"no name"]
    assert len(framing.encode(b"x" * 100)) == 24


def test_what_is_no_json_is_a_line() -> None:
    framing = JsonFraming()
    assert framing.feed(b'Welcome!\n{"a": [1, "b\\"}", null, true]}{"c": 2.5}\n') == [
        b"Welcome!\n".strip(),
        b'1 b"}',
        b"2.5",
    ]


@pytest.mark.parametrize(
    ("declared", "kind", "bordered"),
    [
        ({"framing": "header", "header": 10}, HeaderFraming, True),
        ({"framing": "length", "length": {"bytes": 2, "order": "little"}}, LengthFraming, True),
        ({"framing": "utf"}, LengthFraming, True),
        ({"framing": "nul", "terminator": "|"}, TerminatedFraming, True),
        ({"framing": "fixed", "fixed": {"name": 32, "message": 1024}}, FixedFraming, True),
        ({"framing": "json"}, JsonFraming, True),
        ({"framing": "json", "newline": ""}, JsonFraming, False),
        ({"framing": {"send": "header", "receive": "chunk"}}, HeaderFraming, False),
    ],
)
def test_each_is_declared_by_its_name(declared: dict[str, object], kind: type, bordered: bool) -> None:
    profile = Profile.model_validate(declared)
    assert isinstance(profile.sending(), kind)
    assert profile.bordered is bordered


@pytest.mark.parametrize(
    ("framing", "in_step"),
    [
        ("line", True),
        ("chunk", True),
        ("nul", True),
        ("json", True),
        ("header", False),
        ("utf", False),
        ("fixed", False),
    ],
)
def test_a_server_that_cannot_understand_what_follows_noise_is_not_blamed(framing: FramingName, in_step: bool) -> None:
    """After raw noise the next message of its sender stands in the wrong place: `malformed/random-bytes` and its like do
    not ask for it then. A server that speaks `writeUTF` was once blamed for losing it."""
    assert Profile(framing=framing).in_step is in_step
    source = KNOWN["malformed/random-bytes"].source
    assert "counted=room.profile.in_step" in source


def test_utf_is_what_java_writes() -> None:
    assert Profile(framing="utf").sending().encode("olá".encode()) == b"\x00\x04ol\xc3\xa1"


@given(st.text(max_size=60))
def test_utf_is_modified_utf_8_and_read_back_as_plain(text: str) -> None:
    framing = UtfFraming()
    sent = framing.encode(text.encode())
    assert b"\0" not in sent[2:]
    assert not any(byte >= 0xF0 for byte in sent[2:])
    assert framing.feed(sent) == [text.encode()]


def test_a_java_server_that_cannot_read_four_bytes_is_not_blamed() -> None:
    """`readUTF` raises on the four bytes of U+1F389; Java itself writes two surrogates of three bytes each."""
    assert Profile(framing="utf").sending().encode("🎉".encode()) == bytes.fromhex("0006eda0bcedbe89")
    assert UtfFraming().encode(b"\xff\xf0\x9f broken") == b"\0\x0a\xff\xf0\x9f broken"


@pytest.mark.parametrize(
    ("framing", "size", "head"),
    [
        (HeaderFraming(6), 12, b"12    "),
        (HeaderFraming(6), -5, b"-5    "),
        (HeaderFraming(4), 123456, b"1234"),
        (LengthFraming(4), 258, b"\0\0\1\2"),
        (LengthFraming(4, "little"), 258, b"\2\1\0\0"),
        (LengthFraming(4), -(2**31), b"\x80\0\0\0"),
        (LengthFraming(2), -1, b"\xff\xff"),
        (UtfFraming(), 1 << 28, b"\xff\xff"),
    ],
)
def test_a_head_can_lie(framing: CountedFraming, size: int, head: bytes) -> None:
    assert framing.head(size) == head


def test_an_inbox_shows_units_and_not_their_sizes() -> None:
    inbox = Inbox(LengthFraming(4))
    inbox.feed(b"\x00\x00\x00\x08Welcome!\x00\x00\x00\x03ana\x00")
    assert bytes(inbox.raw) == b"Welcome!\nana\n"
    assert inbox.shows("welcome")
    assert inbox.total == 20


def test_json_in_another_framing_is_read_as_its_text() -> None:
    profile = Profile(framing="length", say='{"text": "{text}"}')
    framing = profile.receiving()
    assert framing.feed(profile.sending().encode(b'{"from": "ana", "text": "ol\\u00e1 \\"q\\""}')) == [
        'ana olá "q"'.encode()
    ]
    chunks = Profile(framing="chunk", say='{"text": "{text}"}').receiving()
    assert chunks.feed(b'{"from": "ana"}{"text": 7} ') == [b"ana 7"]
    assert chunks.feed(b"* ana joined") == [b"* ana joined"]
    assert chunks.feed(b'{"cut": ') == [b'{"cut":']
