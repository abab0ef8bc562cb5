"""Internet Relay Chat as a dialect: RFC 1459, and RFC 2812 where it says more.

A line of at most 512 bytes ends with CR LF (RFC 1459, section 2.3). A client gives NICK and USER and is registered when
001 comes (RFC 2812, section 5.1; servers of 1988 had none, and are not spoken to); then it joins a channel, whose members'
list ends with 366. PRIVMSG goes to everybody in the channel but the sender. PING is answered with PONG and the same
words, also before 001: some servers send a cookie first and register nobody who does not give it back.
"""

from __future__ import annotations

import re

from harness.dialect.profile import KeepAlive, LoginStep, Names, Profile

#: The channel in which the harness meets.
CHANNEL = "#harness"
#: The line of 512 bytes less CR LF, `PRIVMSG #harness :`, and the sender's address that the server puts in front of it:
#: a nickname of 9, a user name of 10 and a host name of 63 bytes (RFC 2812, sections 1.1 and 1.2.1).
LONGEST_TEXT = 400
#: What the probe sends to a server of which it knows nothing: a numeric reply, or words to one who has no name yet.
_SIGNS = re.compile(
    rb"^(?::\S+ \d{3} \S+ .|(?::\S+ )?(?:NOTICE \S+ :|PING :?\S+\s*$|ERROR :))", re.MULTILINE | re.IGNORECASE
)
_PASSWORD_WANTED = re.compile(rb"^(?::\S+ )?464 ", re.MULTILINE)


def sounds_like_irc(data: bytes) -> bool:
    """Whether what a server has said may be IRC: an experiment must show it."""
    return _SIGNS.search(data) is not None


def wants_a_password(data: bytes) -> bool:
    """Whether the server has said 464: ERR_PASSWDMISMATCH, a PASS is missing (RFC 1459, section 6.1)."""
    return _PASSWORD_WANTED.search(data) is not None


IRC = Profile(
    name="irc",
    framing="line",
    newline="\r\n",
    login=(
        LoginStep(send="NICK {name}"),
        LoginStep(send="USER harness 0 * :harness"),
        LoginStep(expect=" 001 {name}", refused=" 433 "),
        LoginStep(send=f"JOIN {CHANNEL}"),
        LoginStep(expect=f" 366 {{name}} {CHANNEL}"),
    ),
    say=f"PRIVMSG {CHANNEL} :{{text}}",
    echo=False,
    leave="QUIT",
    list=f"NAMES {CHANNEL}",
    whisper="PRIVMSG {to} :{text}",
    rename="NICK {name}",
    max_message=LONGEST_TEXT,
    names=Names(max=9, pattern=r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]*"),
    keepalive=KeepAlive(pattern=r"^PING (.*)$", send="PONG {echo}"),
)
