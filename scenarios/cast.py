"""Who plays: the small acts that many scenarios share. The faults themselves are in the families."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Literal

from harness import Member, Room
from harness.dialect.masking import missing_parts, stands_in
from harness.dialect.profile import LoginStep, fill
from harness.history import Heard, Noticed, Said
from harness.line import Line

Manner = Literal["fin", "reset", "half-close", "killed", "silent", "polite"]

#: How often a client that was refused tries again, as a real one does.
TRIES = 4


async def trio(room: Room, *, counted: bool = True) -> tuple[Member, Member, Member]:
    """Ana, Bia and Caio come in. Bia, in the middle, will misbehave; the others are bystanders.

    `counted=False`: whatever Bia sends need not be heard by anybody.
    """
    ana = await room.enter("ana")
    bia = await room.enter("bia", role="faulty", counted=counted)
    caio = await room.enter("caio")
    return ana, bia, caio


async def go(member: Member, how: Manner) -> None:
    """Leave in this manner."""
    if how == "polite":
        await member.leave()
    else:
        {
            "fin": member.close,
            "reset": member.reset,
            "half-close": member.half_close,
            "killed": member.die,
            "silent": member.vanish,
        }[how]()


async def noticed(room: Room, *gone: Member) -> bool:
    """Wait until the server has closed its side for those who are gone; False when it has not in time."""
    return await room.log.patience.poll(lambda: not room.stage.holds(*gone), room.deadlines.reply_s)


async def comes_back(room: Room, member: Member, *, line: Line | None = None) -> Member:
    """Return under the same name as soon as the server lets it: it may still hold the old connection.

    One that was refused its name for as long as the server may take to notice is not let in by more tries.
    """
    for attempt in range(TRIES):
        returned = await room.back(member, line=line)
        if returned.present or room.told_no(returned):
            break
        returned.close()
        await room.pause(0.05 * 2**attempt)  # a client's own back-off
    return returned


async def throw(room: Room, member: Member, *messages: bytes) -> None:
    """Send these as they are, each framed as a message. The server may end the connection, or say nothing."""
    with contextlib.suppress(OSError):
        for message in messages:
            await member.send_line(message)
    await room.log.read_by_server(member)


async def throw_raw(room: Room, member: Member, *pieces: bytes) -> None:
    """Send these bytes without any framing, each in a segment of its own."""
    with contextlib.suppress(OSError):
        for piece in pieces:
            await member.send(piece)
            await room.log.read_by_server(member)


async def orders(member: Member, template: str) -> None:
    """Say a command. Whoever was cut off meanwhile says none: that is for the judges, and no trouble of ours."""
    with contextlib.suppress(OSError):
        await member.command(template)


async def renames(room: Room, member: Member, name: str) -> None:
    """Ask for another name; needs `rename`."""
    await orders(member, (room.profile.rename or "").replace("{name}", name))


async def answer_login(room: Room, member: Member, name: str) -> None:
    """Give `name` to the login's questions, and wait for no word about it: a server may refuse an odd name or close."""
    await answers(room, member, room.profile.login, name)


async def answers(room: Room, member: Member, steps: Sequence[LoginStep], name: str) -> None:
    """Go through these steps of the login, up to the last that sends something."""
    last = max((number for number, step in enumerate(steps) if step.send is not None), default=-1)
    for step in steps[: last + 1]:
        if step.expect is not None:
            await room.until(lambda question=step.expect: member.gone or member.inbox.shows(question))  # type: ignore[misc]
        if step.send is not None and not member.gone:
            await member.answer(fill(step.send, name=name))
            await room.log.read_by_server(member)


def around_the_name(room: Room) -> tuple[Sequence[LoginStep], Sequence[LoginStep]]:
    """The steps of the login up to the one that gives the name, and those behind it."""
    steps = room.profile.login
    named = next((n for n, step in enumerate(steps) if step.send is not None and "{name}" in step.send), -1)
    return steps[: named + 1], steps[named + 1 :]


async def asked(room: Room, member: Member, steps: Sequence[LoginStep]) -> bool:
    """Wait for what the first of these steps expects: False for one that was told no instead, or nothing."""
    expected = fill(steps[0].expect or "", name=member.name)
    no = steps[0].refused and fill(steps[0].refused, name=member.name)
    await room.until(lambda: member.gone or member.inbox.shows(expected) or bool(no and member.inbox.shows(no)))
    return member.inbox.shows(expected) and not member.gone


def let_in(room: Room, member: Member) -> bool:
    """Whether the server has said to this one what it says to those whom it lets in."""
    welcome = fill(room.profile.login[-1].expect or "", name=member.name)
    introduction = room.baseline.introduction
    if member.gone or not (welcome or introduction):
        return False
    return member.inbox.shows(welcome) and not missing_parts(bytes(member.inbox.raw), introduction, member.name)


def asks_for_a_bare_name(room: Room) -> bool:
    """Whether the first thing that a client says is its name: whatever it sends before is one."""
    return any(step.send is not None and step.send.strip() == "{name}" for step in room.profile.login)


def taken_in(room: Room, stranger: Member, since_s: float) -> bool:
    """Whether a server may have taken one in who never logged in: it was welcomed, or the others were told that somebody
    came. True as well where a server shows neither: nobody can know then."""
    baseline, last = room.baseline, next((s.expect for s in reversed(room.profile.login) if s.expect), None)
    if not baseline.introduction and baseline.join_notice is None:
        return True
    raw = bytes(stranger.inbox.raw)
    if baseline.introduction and not missing_parts(raw, baseline.introduction, stranger.name):
        return True
    if last is not None and stranger.inbox.shows(fill(last, name=stranger.name)):
        return True
    names = [m.name for m in room.log.members if m.joined]
    told = (r.unit for r in room.log.records if isinstance(r, Noticed) and r.at_s >= since_s)
    return any(not any(stands_in(name, unit) for name in names) for unit in told)


def unit_of(room: Room, listener: Member, token: str) -> bytes:
    """The line in which this token reached the listener; empty when it did not."""
    found = (r for r in room.log.records if isinstance(r, Heard) and r.conn == listener.conn and r.token == token)
    return next((record.unit for record in found), b"")


def in_a_row(room: Room, count: int) -> int:
    """How many messages of one client make one send: `count`, where messages have borders and may come so fast."""
    return count if room.baseline.lines and room.baseline.pace_s is None else 1


async def says_many(room: Room, member: Member, count: int, words: str) -> None:
    """`count` messages in one send."""
    audience = room.log.audience(member)
    composed = [member.compose(f"{words} {n}", expects=audience, joined=count) for n in range(count)]
    await member.utter([said for said, _ in composed], b"".join(data for _, data in composed))


async def says_in_pieces(room: Room, member: Member, words: str, pieces: int) -> None:
    """One message, cut as evenly as may be; the server reads each piece before the next one comes."""
    said, data = member.compose(words, expects=room.log.audience(member), segments=pieces)
    size = -(-len(data) // pieces)
    await member.utter([said], data, [data[at : at + size] for at in range(0, len(data), size)])


def forge(room: Room, member: Member, as_whom: Member, behind: str) -> tuple[Said, bytes]:
    """A message with a line break of some kind (`behind`), and then what looks like somebody else's message."""
    mark = (room.baseline.attribution or "").replace("{name}", as_whom.name)
    return member.compose(f"hello{behind}{mark}I quit", "forged", exact=False)
