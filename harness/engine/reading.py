"""What a conversation with an unknown server is about: a guess of how to come in and speak, and what was read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from harness.dialect.hypotheses import Ask
from harness.dialect.masking import fold, lines, text_of
from harness.dialect.profile import Profile, fill
from harness.engine.guests import Guest

#: How long the first greeting may take, and how long it is waited when silence must be certain, in seconds.
GREETING_S, PATIENT_GREETING_S = 0.12, 3.0


class PasswordAsked(Exception):
    """The server wants a password: that is never guessed."""


@dataclass(frozen=True)
class Step:
    """One answer of a login, and the words after which it is due."""

    send: str
    expect: str | None = None


@dataclass(frozen=True)
class Guess:
    """How to come in and speak. `steps` None: whatever the greeting asks for. `framing` None: to be found out.

    `ended`: a chunk is sent with the newline behind it. `manner`: messages are framed in this way, and no bare lines or
    chunks. `quick`: who is not heard at once is not heard; nothing else is tried.
    `keys`: messages are JSON objects, whose keys are to be found first.
    """

    why: str
    steps: tuple[Step, ...] | None = None
    say: str = "{text}"
    framing: str | None = None
    newline: str = "\n"
    ended: bool = False
    greeting_s: float = GREETING_S
    manner: Profile | None = None
    quick: bool = False
    keys: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """Two guesses of the same key are the same experiment."""
        return (
            self.steps and tuple(s.send for s in self.steps),
            self.say,
            self.framing,
            self.newline,
            self.ended,
            self.greeting_s,
            self.manner and self.manner.model_dump_json(),
            self.quick,
            self.keys,
        )


@dataclass
class Told:
    """One message: who said it, and what each of the others was shown while it went round."""

    speaker: Guest
    text: str
    shown: dict[str, bytes]

    def heard_by(self, guest: Guest) -> bool:
        """Whether the words reached a guest whole."""
        return self.text.encode() in self.shown.get(guest.name, b"")

    def before(self, guest: Guest) -> str:
        """What stands in front of the words."""
        line = text_of(self.shown[guest.name]).split(self.text)[0]
        return re.split(r"[\n\0]", line)[-1].lstrip("\r")


@dataclass
class Reading:
    """What a conversation has shown."""

    guess: Guess
    sounded_like_irc: bool = False  # and so was broken off: what stands in the way of being heard was not looked for
    greeting: bytes = b""
    second_greeting: bytes = b""
    asked: Ask | None = None
    asked_late: bool = False  # it asks after a while, and had been answered before
    steps: list[Step] = field(default_factory=list)
    names_heard: dict[str, dict[str, bytes]] = field(default_factory=dict)
    answers: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    greetings: list[tuple[str, bytes]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    say: str = "{text}"
    works: bool = False
    one_way: bool = False
    framing: str | None = None
    hinted: str | None = None
    cuts_last: bool = False
    #: Half a line is passed on at once, and yet lines that come together are several messages: it fails to wait for their ends.
    apart: bool = False
    ascii: bool = False
    receive: str = "chunk"
    borders: bool = True
    before: str = ""
    named: bool = False
    login: bool = True
    optional: bool = False
    ended: int = 0
    third: bool | None = None
    in_turn: bool = False
    not_accepted: bool = False
    unread: bool = False
    died: str | None = None
    others_shown: str = ""

    @property
    def text(self) -> str:
        """Everything that the server said to its guests, the greeting first."""
        return "\n".join([text_of(self.greeting), *(text_of(r) for r in self.replies), self.others_shown])


def stable_words(shown: list[tuple[str, bytes]]) -> str | None:
    """The words that every newcomer was shown, with {name} for its name: the surest sign that a login is over."""
    if not shown or not all(data.strip() for _, data in shown):
        return None
    common = [part for part in lines(shown[0][1], (shown[0][0],)) if all(part in lines(d, (n,)) for n, d in shown[1:])]
    found: list[str] = []
    for part in common:
        for piece in re.split(r"#|(?<=[.!?])", part):
            words = shortened(piece.strip(" -*=>:|"))
            enough = len(re.sub(r"\{name\}|\W", "", words)) >= 3 or "{name}" in words
            if enough and all(fold(fill(words, name=name)) in fold(text_of(data)) for name, data in shown):
                found.append(words)
    return next((f for f in found if "{name}" in f), found[0] if found else None)


def shortened(words: str) -> str:
    """As much of the words as makes sure, cut between two of them."""
    return words if len(words) <= 32 else words[:32].rsplit(" ", 1)[0].strip()
