"""What a server speaks that the harness does not: recognised from its first bytes and its answers, told in words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.dialect.masking import fold

_MAGIC = (
    (b"\xac\xed\x00\x05", "Java objects (ObjectOutputStream): only a Java program can speak that"),
    (b"\x80\x04\x95", "pickled Python objects: only a Python program can speak that"),
    (b"\x80\x03", "pickled Python objects: only a Python program can speak that"),
    (b"\x16\x03", "TLS: the harness speaks plain TCP"),
    (b"\x15\x03", "TLS: the harness speaks plain TCP"),
    (b"HTTP/", "HTTP: the harness speaks to chat servers over plain TCP"),
    (b"SSH-", "SSH"),
    (b"-----BEGIN", "a key exchange: its messages are encrypted"),
    (b"ssh-rsa", "a key exchange: its messages are encrypted"),
)
#: A mail or file server's greeting. The number alone is none: chats copy it.
_MAIL_OR_FILES = re.compile(rb"(?i)\A\s*220[ -][^\r\n]*(?:smtp|ftp|\bmail|\bmx\d*\b|postfix|exim|sendmail)")


@dataclass(frozen=True)
class Signs:
    """What was seen besides words."""

    not_accepted: bool = False
    one_way: bool = False
    died: str | None = None
    ended: bool = False


def foreign(data: bytes) -> str | None:
    """The protocol that these first bytes belong to, when it is none that the harness speaks."""
    for magic, what in _MAGIC:
        if data.lstrip()[: len(magic)] == magic or data[: len(magic)] == magic:
            return what
    if _MAIL_OR_FILES.search(data):
        return "SMTP or FTP"
    if re.search(rb"(?i)sec-websocket|400 bad request|<html", data):
        return "HTTP or WebSocket: the harness speaks to chat servers over plain TCP"
    if len(data) >= 64 and _entropy(data) > 5.6 and not data.isascii():
        return "key material: its messages are encrypted"
    return None


def _entropy(data: bytes) -> float:
    counts = Counter(data[:512])
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values())


def reason_of(greetings: Sequence[bytes], texts: Sequence[str], signs: Signs) -> str:
    """Why no dialect was found: the likeliest reading, in a sentence, and what to do."""
    advice = "; declare [dialect] in harness.toml (framing, login), see docs/dialects.md"
    for data in [*greetings, *(text.encode("utf-8", "surrogateescape") for text in texts)]:
        if (what := foreign(data)) is not None:
            return f"this server speaks {what}"
    if any(data.lstrip().startswith(b"220 ") for data in greetings):
        return f"this server seems to speak SMTP or FTP{advice}"
    said = fold("\n".join(texts))
    if re.search(r"\b(password|senha|contrasena|passwd)\b", said):
        return "a password seems to be asked for: declare the login in [dialect] of harness.toml"
    if signs.died is not None:
        return f"could not find out how this server speaks: {signs.died} while it was talked to{advice}"
    if signs.not_accepted:
        return (
            "it serves one client and accepts no second while that one is there: a conversation of two with its "
            "console, perhaps; a group chat is needed"
        )
    if signs.one_way:
        return f"could not find out how this server speaks: only one of two clients is heard by the other{advice}"
    if signs.ended:
        return (
            f"could not find out how this server speaks: it ends the connection of everybody who says something{advice}"
        )
    if not said.strip():
        return (
            "could not find out how this server speaks: it takes what it is sent, says nothing, and two clients never "
            f"heard each other's words. Either the harness does not speak its language, or it never delivers{advice}"
        )
    return f"could not find out how this server speaks: two clients never heard each other's words{advice}"
