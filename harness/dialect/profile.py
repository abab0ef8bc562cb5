"""The profile: everything that is needed to speak with one chat server, as written in `[dialect]` of harness.toml.

A profile is declared by the user, known for a builtin, or found by `harness.dialect.detect`. Its JSON Schema is
published in docs/harness.schema.json.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.dialect.framing import (
    ChunkFraming,
    FixedFraming,
    Framing,
    HeaderFraming,
    JsonFraming,
    LengthFraming,
    LineFraming,
    Readable,
    TerminatedFraming,
    UtfFraming,
)

FramingName = Literal["line", "chunk", "header", "length", "utf", "nul", "fixed", "json"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _groups(pattern: str) -> int:
    """How many groups a regular expression has. Raises ValueError when it is none."""
    try:
        return re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error


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
    """A heartbeat: what is answered, and when. `{echo}` in `send` is what the group of `pattern` has found."""

    expect: str | None = Field(default=None, min_length=1, description="when a unit contains this, `send` is answered")
    pattern: str | None = Field(default=None, description="a regular expression instead, with at most one group")
    send: str

    @field_validator("pattern")
    @classmethod
    def _a_group_at_most(cls, value: str | None) -> str | None:
        if value is not None and _groups(value) > 1:
            raise ValueError("needs at most one group: what is given back")
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.expect is None) == (self.pattern is None):
            raise ValueError("needs either `expect` or `pattern`")
        if "{echo}" in self.send and (self.pattern is None or not _groups(self.pattern)):
            raise ValueError("`{echo}` in `send` needs a `pattern` with a group")
        return self

    def answers(self, data: bytes, units: Sequence[bytes]) -> list[bytes]:
        """What must be sent back when these bytes came, which completed these units.

        `expect` may stand in what is no whole unit yet (a word without a newline); a `pattern` is looked for in units.
        """
        if self.pattern is None:
            return [self.send.encode()] if (self.expect or "").encode() in data else []
        texts = (unit.decode("utf-8", "surrogateescape") for unit in units)
        found = [match for text in texts for match in re.finditer(self.pattern, text, re.MULTILINE)]
        echoes = [(match[1] or "") if match.re.groups else "" for match in found]
        return [self.send.replace("{echo}", echo).encode("utf-8", "surrogateescape") for echo in echoes]


class Resume(_Part):
    """Session resumption: `token` is a regular expression with one group, found in the introduction; `send` uses it."""

    token: str
    send: str

    @field_validator("token")
    @classmethod
    def _one_group(cls, value: str) -> str:
        if _groups(value) != 1:
            raise ValueError("needs exactly one group: the token")
        return value


class Length(_Part):
    """The binary number in front of each message."""

    bytes: Literal[1, 2, 4, 8] = 4
    order: Literal["big", "little"] = "big"


class Fixed(_Part):
    """The sizes of a block's fields, in bytes; `name` 0: there is no field for the name."""

    name: Annotated[int, Field(ge=0, le=65536)] = 0
    message: Annotated[int, Field(ge=2, le=1 << 20)] = 2048


class Profile(_Part):
    """How one server speaks. The defaults are the simplest chat there is: raw lines, no login."""

    name: str = "declared"
    framing: FramingName | dict[Literal["send", "receive"], FramingName] = "line"
    newline: str | None = Field(default=None, description="line: \\n or \\r\\n; chunk, json: appended to each send")
    header: Annotated[int, Field(ge=1, le=256)] = Field(default=64, description="header: its width in bytes")
    length: Length = Length()
    fixed: Fixed = Fixed()
    terminator: str = Field(default="\0", min_length=1, description="nul: what ends each message")
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
    idle_once_in: bool = Field(default=False, description="idle: counts from the login on, not from the connection")
    keepalive: KeepAlive | None = None
    resume: Resume | None = None

    @property
    def commanded(self) -> bool:
        """Whether a word of command or an object is around what is said, as in `/msg {text}`: a piece of it says nothing."""
        return any(c.isalnum() for c in self.say.partition("{text}")[0].replace("{name}", ""))

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
        framing = self._framing("receive")
        return Readable(framing) if is_json(self.say) and self.framing_name("receive") != "json" else framing

    def framing_name(self, direction: Literal["send", "receive"]) -> FramingName:
        """line or chunk, for one direction."""
        return self.framing if isinstance(self.framing, str) else self.framing.get(direction, "line")

    def _framing(self, direction: Literal["send", "receive"]) -> Framing:
        match self.framing_name(direction):
            case "line":
                return LineFraming(self.newline or "\n")
            case "chunk":
                return ChunkFraming(self.newline or "")
            case "header":
                return HeaderFraming(self.header)
            case "length":
                return LengthFraming(self.length.bytes, self.length.order)
            case "utf":
                return UtfFraming()
            case "nul":
                return TerminatedFraming(self.terminator)
            case "fixed":
                return FixedFraming((self.fixed.name, self.fixed.message) if self.fixed.name else (self.fixed.message,))
            case "json":
                return JsonFraming("\n" if self.newline is None else self.newline)

    @property
    def bordered(self) -> bool:
        """Whether both directions mark where a message ends: its borders must be kept."""
        return self._marks_ends("send") and self._marks_ends("receive")

    @property
    def shows_ends(self) -> bool:
        """Whether the server marks where each message ends that it shows, whatever its clients do."""
        return self._marks_ends("receive")

    def _marks_ends(self, direction: Literal["send", "receive"]) -> bool:
        framing = self.framing_name(direction)
        return framing != "chunk" and not (framing == "json" and self.newline == "")

    @property
    def parsed(self) -> bool:
        """Whether a client program takes messages apart and shows what is in them: IRC, whose messages may hold any byte but
        NUL, CR and LF (RFC 1459, section 2.3.1). A server need not keep control bytes from a terminal there."""
        return self.say.upper().startswith("PRIVMSG ")

    @property
    def counted(self) -> bool:
        """Whether the size of each message that a client sends stands before it."""
        return self.framing_name("send") in ("header", "length", "utf")

    @property
    def in_step(self) -> bool:
        """Whether bytes that are no message end at the next border, and what is said then can be understood again.

        Where messages are counted, or fill a block, everything behind them is read in the wrong place.
        """
        return not self.counted and self.framing_name("send") != "fixed"

    def speak(self, text: str, name: str) -> str:
        """What a client sends to say `text` to everybody."""
        return fill(self.say, text=text, name=name)

    def to_json(self) -> dict[str, Any]:
        """The profile as results.json shows it: what differs from the defaults, and the framing."""
        shown: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        shown.setdefault("framing", self.framing)
        return shown


def fill(template: str, **values: str) -> str:
    """Put values for `{name}`, `{text}`, `{to}`, `{token}`; every other brace stays (JSON has many).

    Where the template is a JSON object or array, the values are escaped as parts of JSON strings.
    """
    if is_json(template):
        values = {key: json.dumps(value, ensure_ascii=False)[1:-1] for key, value in values.items()}
    return _GAP.sub(lambda m: values.get(m[1], m[0]), template)


_GAP = re.compile(r"\{(name|text|to|token)\}")


@functools.cache
def is_json(template: str) -> bool:
    """Whether a template is a JSON object or array."""
    if not template.lstrip().startswith(("{", "[")) or _GAP.match(template.lstrip()):
        return False
    try:
        json.loads(_GAP.sub("x", template))
    except ValueError:
        return False
    return True
