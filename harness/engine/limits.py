"""What a server bears: how long a message may be, and how fast one client may speak.

A correct server may have limits. They are found in the quiet runs by trying, what the server says about them is a hint for
where to try, and scenarios that are about something else keep to them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from harness.aftermath import see_off
from harness.client.member import Member
from harness.dialect import tokens as token_of
from harness.history import Heard, Noticed
from harness.properties.quoting import quote
from harness.room import Room

#: Lengths that are tried for the longest message, in bytes.
LENGTHS = (4000, 1000, 400, 200, 120, 80, 60)
#: Of so many bytes a message may be anywhere. Where one comes shortened or cut, nothing says that this is meant.
USUAL = 200
#: So long a message may be where it cannot be tried.
UNTRIED = 400
#: The shortest message that a chat has to take: a few words, and their token.
LEAST = 40
#: A filler of so many equal letters is no word of the server's.
FILLER = b"x" * 8

#: A burst is so many messages, each sent when the last one was heard; it is over after a second, when it was a burst.
BURST, LEAST_BURST, BURST_S = 220, 20, 1.0
#: So long is waited for each of them to be heard, in seconds: longer would be no burst.
GLANCE_S = 0.05
#: So many in a row that nobody heard are a limit, even where the server says nothing about it.
IN_A_ROW = 4
#: Paces are tried with so many messages at the end of a train, which lasts so long, in seconds.
TRAIN, TRAIN_S = 8, 2.0
#: The answer of a server that bears no haste.
ENDS = "it ends the connection"
#: The slowest pace that is tried, in seconds between two messages.
SLOWEST_S = 3.0
#: A pace is kept with this much to spare: messages may come to the server closer together than they were sent.
TO_SPARE = 1.2

_NUMBER = re.compile(r"(?<![\d.,:])(\d{2,4})(?![\d.:])")
_OF_LENGTH = re.compile(
    r"\b(max|máx|limit|long|length|at[eé] |up to|byte|char|caract|tamanho|compri|longa|grande)", re.I
)
_OF_NAMES = re.compile(r"\b(nick|name|nome|apelido|usu[aá]rio|user)", re.I)


@dataclass(frozen=True)
class Pace:
    """How fast one client may speak: after `at_once` messages one each `gap_s` seconds. `answer`: what it meets who is
    faster, in words; empty where it meets silence."""

    at_once: int
    gap_s: float
    answer: str

    @property
    def met(self) -> str:
        """The same as a clause."""
        if self.answer in ("", ENDS):
            return self.answer or "what is said faster is not passed on"
        return f"the answer: {self.answer}"


async def spare(room: Room, who: str) -> Member | None:
    """Somebody who may be lost to what is tried; None where no more can come in."""
    if room.free_places() < 1:
        return None
    member = await room.connect(who, role="bystander")
    member.counted = False
    return member if await room.log_in(member) else None


# -- the longest message -----------------------------------------------------------------------------------------


async def longest_message(room: Room, listener: Member) -> int:
    """The longest message that arrives whole, in bytes as it is sent, its framing aside.

    What is dropped, refused or ends the speaker's connection is longer than the server takes. What comes shortened or cut
    is so only where it is long, or where the server announces it.
    """
    untried = list(LENGTHS)
    while untried:
        length = untried.pop(0)
        speaker = await spare(room, "stranger")
        if speaker is None:
            return min(UNTRIED, length)
        came = await _came(room, speaker, listener, length)
        shorter = {n for n in announced(bytes(speaker.inbox.raw)) if n < length}
        await see_off(room, speaker)
        if came == "whole":
            return length
        if came == "damaged" and length <= USUAL and not shorter:
            return USUAL
        untried = sorted({*untried, *shorter}, reverse=True)
    return LEAST


async def _came(room: Room, speaker: Member, listener: Member, length: int) -> str:
    """How a message of this length reaches the listener: whole, damaged, or not at all.

    A short one of the same speaker follows it: once that was heard, the long one will not come any more.
    """
    began = room.log.now()
    words = "x" * (length - len(room.profile.speak("", speaker.name).encode()) - token_of.LENGTH - 1)
    token = await speaker.say(words)
    fence = await speaker.say("short")
    await room.until(lambda: speaker.gone or bool({token, fence} & listener.inbox.tokens))
    units = [
        r.unit
        for r in room.log.records
        if isinstance(r, Heard | Noticed) and r.conn == listener.conn and r.at_s >= began
    ]
    if any(f"{words} {token}".encode() in unit for unit in units):
        return "whole"
    return "damaged" if any(FILLER in unit or token.encode() in unit for unit in units) else "not at all"


def announced(shown: bytes) -> set[int]:
    """Lengths of messages that a server speaks of, in bytes: `Line too long (max 80)`. Those of names are left aside."""
    found = set()
    for line in shown.decode("utf-8", "replace").splitlines():
        if _OF_LENGTH.search(line) and not _OF_NAMES.search(line):
            numbers = (int(number) for number in _NUMBER.findall(line))
            found |= {each for n in numbers if n >= LEAST for each in (n, n - 2)}  # with the line's end counted, or not
    return found


# -- the pace ----------------------------------------------------------------------------------------------------


async def pace(room: Room, listener: Member) -> Pace | None:
    """How fast one client may speak; None where no limit shows.

    A limit is what answers, or ends the connection, or swallows one message after the other, and what a slower client does
    not meet. The first pace that is tried is as if the burst were allowed each second.
    """
    speaker = await spare(room, "hasty")
    if speaker is None:
        return None
    burst = await _burst(room, speaker, listener)
    await see_off(room, speaker)
    if burst is None:
        return None
    gap = 1.0 / burst.at_once
    while gap <= SLOWEST_S:
        if await _keeps_up(room, listener, burst, gap):
            return Pace(burst.at_once, round(gap * TO_SPARE, 3), burst.answer)
        gap *= 2
    return None


async def _burst(room: Room, speaker: Member, listener: Member) -> Pace | None:
    """Say many things quickly; what limits it, if anything does (its `gap_s` is not known then)."""
    log, began, said = room.log, room.log.now(), list[str]()

    def unheard(last: int) -> bool:
        return len(said) > last and not listener.inbox.tokens & set(said[-last:])

    while len(said) < BURST and (len(said) < LEAST_BURST or log.now() - began < BURST_S):
        if speaker.gone or unheard(2 * IN_A_ROW):
            break
        said.append(await speaker.say(room.words()))
        await room.until(lambda: speaker.gone or said[-1] in listener.inbox.tokens, GLANCE_S)
    await room.until(lambda: speaker.gone or listener.inbox.tokens >= set(said), log.reply_deadline_s)
    heard = [token in listener.inbox.tokens for token in said]
    if all(heard) or not heard[0]:
        return None
    answer = ENDS if speaker.gone else _answers(room, speaker, began)
    at_once = heard.index(False)
    swallowed = at_once + IN_A_ROW <= len(said) and not any(heard[at_once : at_once + IN_A_ROW])
    return Pace(at_once, 0.0, answer) if answer or swallowed else None


def _answers(room: Room, speaker: Member, since_s: float) -> str:
    """What only the speaker was told meanwhile, if anything."""
    units = (
        r.unit for r in room.log.records if isinstance(r, Noticed) and r.conn == speaker.conn and r.at_s >= since_s
    )
    return next((quote(unit, 80) for unit in units if unit.strip()), "")


async def _keeps_up(room: Room, listener: Member, burst: Pace, gap_s: float) -> bool:
    """Whether one who speaks at this pace is heard all the time, with no allowance left from having been silent."""
    speaker = await spare(room, "patient")
    if speaker is None:
        return False
    strict = burst.answer == ENDS  # who is too fast once is lost: it must never be
    for _ in range(0 if strict else burst.at_once + 2):
        await speaker.say(room.words())
    count = max(2 * burst.at_once + TRAIN if strict else 0, math.ceil(TRAIN_S / gap_s) + TRAIN)
    said = []
    for _ in range(count):
        await room.pause(gap_s)  # the pace that is tried
        said.append(await speaker.say(room.words()))
        if speaker.gone:
            break
    last = set(said if strict else said[-TRAIN:])
    kept = await room.until(lambda: speaker.gone or listener.inbox.tokens >= last) and not speaker.gone
    await see_off(room, speaker)
    return kept
