"""The profile: everything that is needed to speak with one chat server, as written in `[dialect]` of harness.toml.

A profile is declared by the user, known for a builtin, or found by `harness.dialect.detect`. Its JSON Schema is
published in docs/harness.schema.json.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.dialect.framing import ChunkFraming, Framing, LineFraming

FramingName = Literal["line", "chunk"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoginStep(_Part):
    """One step of a login: wait until `expect` has been seen (case and accents aside), then send `send`."""

    expect: str | None = None
    send: str | None = None
    refused: str | None = Field(default=None, description="when this comes instead of `expect`, the server said no")
    optional: bool = Field(default=False, description="go on when `expect` does not come")


class Notices(_Part):
    """What the others are told. `{name}` stands for who came or went."""

    join: str | None = None
    leave: str | None = None


class Names(_Part):
    """Which names a server takes."""

    max: Annotated[int, Field(ge=1)] | None = None
    pattern: str | None = None


class KeepAlive(_Part):
    """A heartbeat: when a unit contains `expect`, `send` is answered."""

    expect: str
    send: str


class Resume(_Part):
    """Session resumption: `token` is a regular expression with one group, found in the introduction; `send` uses it."""

    token: str
    send: str

    @field_validator("token")
    @classmethod
    def _one_group(cls, value: str) -> str:
        try:
            groups = re.compile(value).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        if groups != 1:
            raise ValueError("needs exactly one group: the token")
        return value


class Profile(_Part):
    """How one server speaks. The defaults are the simplest chat there is: raw lines, no login."""

    name: str = "declared"
    framing: FramingName | dict[Literal["send", "receive"], FramingName] = "line"
    newline: str | None = Field(default=None, description="line: \\n or \\r\\n; chunk: appended to each send")
    encoding: Literal["utf-8", "ascii"] = "utf-8"
    login: tuple[LoginStep, ...] = ()
    auto: bool = Field(default=False, description="in the room from the connection on; the login only names it")
    speak_first: bool = Field(default=False, description="whoever comes in is listed only once it has said something")
    say: str = "{text}"
    attributes: Literal["server", "client"] = "server"
    echo: bool | None = None
    leave: str | None = None
    list: str | None = None
    whisper: str | None = None
    rename: str | None = None
    notices: Notices | None = None
    duplicates: Literal["refused", "reprompted", "accepted", "replaces"] | None = None
    max_clients: Annotated[int, Field(ge=1)] | None = None
    max_message: Annotated[int, Field(ge=1)] | None = Field(default=None, description="bytes of one message")
    names: Names = Names()
    pause: Annotated[float, Field(ge=0, le=5)] = Field(default=0.0, description="s between two sends of one client")
    idle: Annotated[float, Field(gt=0)] | None = Field(default=None, description="s of silence until it drops one")
    keepalive: KeepAlive | None = None
    resume: Resume | None = None

    @property
    def named(self) -> bool:
        """Whether a client tells the server its name."""
        return any("{name}" in (step.send or "") for step in self.login)

    @property
    def must_log_in(self) -> bool:
        """Whether a client is not in the room before it has answered something."""
        return any(step.send for step in self.login) and not self.auto

    def sending(self) -> Framing:
        """A fresh framing for what the client sends."""
        return self._framing("send")

    def receiving(self) -> Framing:
        """A fresh framing for what the server sends."""
        return self._framing("receive")

    def framing_name(self, direction: Literal["send", "receive"]) -> FramingName:
        """line or chunk, for one direction."""
        return self.framing if isinstance(self.framing, str) else self.framing.get(direction, "line")

    def _framing(self, direction: Literal["send", "receive"]) -> Framing:
        if self.framing_name(direction) == "line":
            return LineFraming(self.newline or "\n")
        return ChunkFraming(self.newline or "")

    def speak(self, text: str, name: str) -> str:
        """What a client sends to say `text` to everybody."""
        return fill(self.say, text=text, name=name)

    def to_json(self) -> dict[str, Any]:
        """The profile as results.json shows it: what differs from the defaults, and the framing."""
        shown: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        shown.setdefault("framing", self.framing)
        return shown


def fill(template: str, **values: str) -> str:
    """Put values for `{name}`, `{text}`, `{to}`, `{token}`; every other brace stays (JSON has many)."""
    return re.sub(r"\{(name|text|to|token)\}", lambda m: values.get(m[1], m[0]), template)
