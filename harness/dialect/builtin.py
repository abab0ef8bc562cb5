"""The dialects that have a name: those of the documented servers (docs/protocol.md), and IRC."""

from __future__ import annotations

from harness.dialect.irc import IRC
from harness.dialect.profile import KeepAlive, LoginStep, Names, Profile, Resume

_NICK = (
    LoginStep(send="/nick {name}"),
    LoginStep(expect="* Agora voce e {name}", refused="ja esta em uso"),
)
_ORIGINAL = Profile(
    name="original",
    login=_NICK,
    auto=True,
    leave="/quit",
    whisper="/whisper {to} {text}",
    rename="/nick {name}",
)

#: What `--dialect NAME` knows.
KNOWN: dict[str, Profile] = {
    "reference": _ORIGINAL.model_copy(
        update={
            "name": "reference",
            "list": "/list",
            "idle": 300.0,
            "max_message": 4000,
            "names": Names(max=24, pattern="[A-Za-z0-9_-]+"),
            "keepalive": KeepAlive(expect="PING", send="/pong"),
            "resume": Resume(token=r"Token: ([0-9a-f]+)", send="/resume {token}"),
        }
    ),
    "original": _ORIGINAL,
    "patched": _ORIGINAL.model_copy(update={"name": "patched"}),
    "irc": IRC,
}
