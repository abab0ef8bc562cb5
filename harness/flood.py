"""Floods: bytes in bulk, at the server or through it at somebody who does not read.

Both are bounded in bytes and in time, look at the server's memory on the way, and leave a `Flooded` record: how much was
offered, how much was taken, whether the server stopped taking or ended the connection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from harness.client.member import Member
from harness.history import Flooded, Sample
from harness.room import Room

#: A line that never ends, in bytes: far more than any chat can need, little enough to be sent in a second.
ENDLESS = 64 << 20
ENDLESS_S = 5.0
#: Where most of it seems to have stayed in the server's memory, so much: more than a runtime's habit can explain
#: (`RUNTIME_HABIT` of the judges).
MOST_ENDLESS = 224 << 20
#: One send of it.
PIECE = b"x" * (1 << 18)
#: The server that takes nothing for so long has stopped taking.
STALL_S = 1.0
#: After so many bytes the server's memory is looked at again.
LOOK = 8 << 20
#: What is poured at one who does not read: loopback alone swallows some 4 MB before a server's send blocks.
POURED = 24 << 20
POUR_S = 5.0
#: Where two messages must be kept apart, a turn takes longer: so many times as long is poured.
PACED = 2
#: So much of it the kernel holds, before a server has to.
SWALLOWED = 4 << 20
#: Where more than this part of the rest seems to have stayed in the server's memory, so much more is poured: an unbounded
#: queue grows on, what a garbage collector leaves lying about for a while does not.
SUSPICIOUS = 0.6
MOST_POURED = 128 << 20
MORE_S = 14.0
#: And so many shares at a time: a server that is slow to take them would else be let off for its slowness.
MORE_SHARES = 3
#: Somewhat more than the kernel holds: what then waits in the server is a matter of its own queue.
OVERFULL = 5 << 20
#: Less than this tests nothing, unless the server reacted before.
LEAST = 8 << 20
#: One speaker's share of a turn; a spoken message follows it, so that the others' patience paces the flood.
TURN = 1 << 16
#: A line of filler is no longer than this, or than the server's longest message.
FILLER = 900


async def endless_line(room: Room, member: Member, total: int = ENDLESS) -> Flooded:
    """Send one line without an end until `total`, or until the server closes or stops taking; what it takes, it reads."""
    first = room.stage.sample("flood-begin")
    taken = offered = 0
    looked = 0
    began = room.log.clock.calm()
    most, until = total, began + ENDLESS_S
    with contextlib.suppress(OSError):
        while offered == taken < most and room.log.clock.calm() < until and member.wire and not member.gone:
            offered += len(PIECE)
            taken += await member.wire.send(PIECE, deadline_s=STALL_S)
            await room.log.pulse.next(0)
            if taken - looked >= LOOK:
                looked = taken
                now = room.stage.sample("flood")
                if taken > total - LOOK and _keeps_it(first, now, taken):
                    most, until = max(total, MOST_ENDLESS), began + MORE_S
    if not member.gone:  # what the kernel still holds of it would go on long after its sender has left
        await room.log.read_by_server(member, room.deadlines.reply_s)
    return _told(room, Flooded(
        at_s=room.log.now(), conn=member.conn, offered=offered, taken=taken, what="a line without an end",
        stalled=offered > taken and not member.gone, ended=member.gone,
    ))  # fmt: skip


async def pour(room: Room, speakers: Sequence[Member], reader: Member, total: int = POURED) -> Flooded:
    """Let the speakers fill the room until `total`, the reader is dropped, somebody else has to wait, or time is up."""
    first = room.stage.sample("flood-begin")
    share = _filler(room)
    poured, looked, stalled, dropped = 0, 0, False, False
    began = room.log.clock.calm()
    most, until, shares = total, began + POUR_S * (PACED if room.profile.pause else 1), 1
    while poured < most and not stalled and not dropped and room.log.clock.calm() < until:
        for speaker in speakers:
            with contextlib.suppress(OSError):
                poured += await speaker.send(share * shares)
        stalled = not await room.talk(*speakers)
        if not await _left_to_speak(room, speakers):
            break
        dropped = room.stage.holds(reader) is False
        if poured >= looked + LOOK:
            looked = poured
            if _keeps_it(first, room.stage.sample("flood"), poured):
                most, until, shares = MOST_POURED, began + MORE_S, MORE_SHARES
    return _told(room, Flooded(
        at_s=room.log.now(), conn=reader.conn, offered=poured, taken=poured, what="messages at one who does not read",
        stalled=stalled, ended=dropped,
    ))  # fmt: skip


async def overfill(room: Room, speakers: Sequence[Member], reader: Member, total: int = OVERFULL) -> int:
    """Let the speakers say more than the kernel holds for one who does not read, so that the rest waits in the server, and
    little enough that a bounded queue may still hold it. How many bytes; fewer when the reader was dropped, or time was up."""
    share, said, until = _filler(room), 0, room.log.clock.calm() + POUR_S
    while said < total and room.stage.holds(reader) is not False and room.log.clock.calm() < until:
        for speaker in speakers:
            with contextlib.suppress(OSError):
                said += await speaker.send(share)
        if not await room.talk(*speakers) or not await _left_to_speak(room, speakers):
            break
    return said


async def _left_to_speak(room: Room, speakers: Sequence[Member]) -> bool:
    """Whether one of them is still there. Where none is, nothing else is waited for: their ends have to be let in here."""
    await room.log.pulse.next(0)
    return any(speaker.present for speaker in speakers)


def _filler(room: Room) -> bytes:
    """One speaker's share of a turn: messages of nothing."""
    line = room.profile.speak("x" * min(room.profile.max_message or FILLER, 4000), "x").encode()
    return room.profile.sending().encode(line) * max(1, TURN // len(line))


def _keeps_it(first: Sample | None, now: Sample | None, poured: int) -> bool:
    """Whether much of what was poured seems to have stayed in the server's memory."""
    return first is not None and now is not None and now.rss_bytes - first.rss_bytes > SUSPICIOUS * (poured - SWALLOWED)


def _told(room: Room, record: Flooded) -> Flooded:
    """Write the flood down, with the server's memory after it."""
    room.stage.sample("flood-end")
    room.log.add(record)
    how = "the server ended it" if record.ended else "the server stopped taking" if record.stalled else "all was taken"
    room.step(f"{record.what}: {record.taken >> 10} KiB; {how}")
    return record
