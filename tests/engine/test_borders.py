"""Who parts messages at newlines means lines; who takes a read for a message does not, whatever it adds or strips."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.engine.borders import blanks_swallowed, framed_apart

TEXTS = ["one half xq1", "and another xq2", "but the third one xq3"]

Relay = Callable[[bytes], bytes]


def said(end: str, say: str = "{text}") -> bytes:
    return "".join(say.replace("{text}", text) + end for text in TEXTS).encode()


def lines(data: bytes) -> list[bytes]:
    return [line.strip() for line in data.split(b"\n") if line.strip()]


PARTED: dict[str, Relay] = {
    "its name": lambda data: b"".join(b"<ana> " + line + b"\n" for line in lines(data)),
    "a name and no newline": lambda data: b"".join(b"ana: " + line for line in lines(data)),
    "a frame of two lines": lambda data: b"".join(b"ana\n" + line + b"\n" for line in lines(data)),
}
WHOLE: dict[str, Relay] = {
    "as it came": lambda data: data,
    "stripped": lambda data: data.strip(),
    "stripped, and a newline": lambda data: data.strip() + b"\n",
    "one more newline": lambda data: data + b"\n",
    "its name once": lambda data: b"ana: " + data,
    "its name once, stripped": lambda data: b"[10:01] ana: " + data.strip() + b"\n",
    "the last byte cut": lambda data: data[:-1] + b"\n",
    "no newline at all": lambda data: b"ana: " + data.replace(b"\n", b""),
    "blanks for newlines": lambda data: b"ana: " + b" ".join(data.split()),
    "carriage returns too": lambda data: data.replace(b"\n", b"\r\n"),
    "a zero byte behind it": lambda data: data + b"\0",
}


@pytest.mark.parametrize("relay", PARTED.values(), ids=PARTED)
def test_a_frame_for_each_line_of_a_segment_is_seen(relay: Relay) -> None:
    assert framed_apart(relay(said("\n")), TEXTS, "{text}", "ana")


@pytest.mark.parametrize("relay", WHOLE.values(), ids=WHOLE)
def test_who_takes_a_read_for_a_message_is_not_blamed(relay: Relay) -> None:
    assert not framed_apart(relay(said("\n")), TEXTS, "{text}", "ana")
    assert not blanks_swallowed(relay(said("\n\n")), TEXTS)


@pytest.mark.parametrize("size", range(4, 80))
def test_who_reads_little_at_a_time_is_not_blamed(size: int) -> None:
    def frames(data: bytes) -> bytes:
        return b"".join(b"ana: " + data[at : at + size] + b"\n" for at in range(0, len(data), size))

    assert not framed_apart(frames(said("\n")), TEXTS, "{text}", "ana")


def test_a_command_in_front_of_the_second_line_is_no_frame() -> None:
    shown = b"ana: " + said("\n", "/all {text}").removeprefix(b"/all ")
    assert not framed_apart(shown, TEXTS, "/all {text}", "ana")


def test_blank_lines_that_are_swallowed_part_messages() -> None:
    assert blanks_swallowed(b"".join(line + b"\n" for line in lines(said("\n\n"))), TEXTS)


def test_a_line_that_did_not_come_says_nothing() -> None:
    assert not framed_apart(b"ana: one half xq1\nana: and another xq2\n", TEXTS, "{text}", "ana")
    assert not blanks_swallowed(b"one half xq1\nand another xq2\n", TEXTS)
