"""The IRC dialect without sockets, and heartbeats that must be answered with what they said."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.dialect.builtin import KNOWN
from harness.dialect.irc import sounds_like_irc, wants_a_password
from harness.dialect.profile import KeepAlive

PING = KeepAlive(pattern="^PING (.*)$", send="PONG {echo}")


@pytest.mark.parametrize(
    ("unit", "answer"),
    [
        (b"PING :irc.example.net", b"PONG :irc.example.net"),
        (b"PING 2F81A9C0", b"PONG 2F81A9C0"),
        (b"PING :caf\xe9", b"PONG :caf\xe9"),  # Latin-1 comes back as it was
        (b"PING :{text} {name}", b"PONG :{text} {name}"),
    ],
)
def test_a_ping_is_answered_with_its_own_words(unit: bytes, answer: bytes) -> None:
    assert PING.answers(unit + b"\r\n", [unit]) == [answer]


def test_nobody_can_make_others_answer_by_talking_of_it() -> None:
    assert PING.answers(b"", [b":bia!~b@host PRIVMSG #harness :PING :me"]) == []


def test_each_of_several_pings_is_answered() -> None:
    assert PING.answers(b"", [b"PING 1", b":x NOTICE * :hello", b"PING 2\nPING 3"]) == [b"PONG 1", b"PONG 2", b"PONG 3"]


def test_a_plain_heartbeat_needs_no_whole_unit() -> None:
    """A word without a newline is no unit yet, and may be all that the server sends."""
    assert KeepAlive(expect="PING", send="PONG").answers(b"PING", []) == [b"PONG"]
    assert KeepAlive(pattern="PING", send="PONG").answers(b"PING\n", [b"PING"]) == [b"PONG"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"send": "PONG"}, "either"),
        ({"expect": "PING", "pattern": "PING", "send": "PONG"}, "either"),
        ({"pattern": "PING (", "send": "PONG"}, "not a regular expression"),
        ({"pattern": "(P)I(N)G", "send": "PONG"}, "at most one group"),
        ({"expect": "PING", "send": "PONG {echo}"}, "needs a `pattern` with a group"),
        ({"pattern": "PING", "send": "PONG {echo}"}, "needs a `pattern` with a group"),
    ],
)
def test_a_wrong_heartbeat_is_told(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        KeepAlive.model_validate(wrong)


@pytest.mark.parametrize(
    "said",
    [
        b":irc.local 451 * JOIN :You have not registered.\r\n",
        b":irc.local NOTICE * :*** Looking up your hostname...\r\n",
        b"NOTICE AUTH :*** Checking Ident\r\n",
        b"PING :2F81A9C0\r\n",
        b":server 421 zelda HELLO :Unknown command\r\n",
    ],
)
def test_the_words_of_an_irc_server_are_known(said: bytes) -> None:
    assert sounds_like_irc(said)


@pytest.mark.parametrize(
    "said", [b"", b"Welcome! Your name?", b"NICK", b"zelda: hello 1", b"421 people are here", b"200 OK\r\n"]
)
def test_a_chat_is_not_taken_for_irc(said: bytes) -> None:
    assert not sounds_like_irc(said)


def test_a_missing_password_is_known_by_its_number() -> None:
    assert wants_a_password(b":ft_irc 464 * :Password incorrect\r\n")
    assert not wants_a_password(b":ft_irc 001 zelda :464 people are here\r\n")


def test_a_taken_name_is_a_refusal_and_lines_end_with_cr_lf() -> None:
    steps = KNOWN["irc"].login
    assert [step.refused for step in steps if step.expect] == [" 433 ", None]
    assert KNOWN["irc"].sending().encode(b"QUIT") == b"QUIT\r\n"
