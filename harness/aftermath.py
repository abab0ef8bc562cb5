"""The aftermath that all scenarios share: the fault is over, now the room must work again.

Three rounds among those who stayed; two fresh clients while they are there; everybody leaves; two fresh clients in the
empty room; rest; the end of the process. What of this could not be done is seen in the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.client.member import Member
from harness.dialect.masking import stands_in
from harness.history import Noticed, Phase, Sample
from harness.registry import Scenario
from harness.room import Room

#: The first write to a closed peer succeeds, the RST it provokes breaks the second: hence three.
ROUNDS = 3
#: Servers answer a FIN with theirs within this time, or not at all, in seconds.
GOODBYE_S = 0.2
#: A process is looked at so often, at least, until it is at rest, in seconds.
REST_LOOK_S = 0.2
#: Clients that come and go before a growing number of threads is called a leak: a pool fills up and stops.
POOL = 64
POOL_S = 4.0
#: Of the time that a scenario may take: a leak is looked for when no more than this has passed, and the fault is done
#: again for no more than that, both times together. A server that spins makes everything slow, and an error is no verdict.
EARLY, AGAIN = 0.5, 0.25


def phase(room: Room, name: str) -> None:
    """From here on the play is in this part."""
    room.log.add(Phase(at_s=room.log.now(), name=name))


async def aftermath(room: Room, item: Scenario) -> None:
    """Everything after the fault."""
    phase(room, "calm")
    await room.calm()
    if not room.stage.alive():
        room.stage.note_death()
        return
    phase(room, "rounds")
    await rounds(room)
    phase(room, "newcomers")
    fresh = await newcomers(room, "nina", "otto")
    await room.talk()
    await hear_who_left(room)
    await see_who_left(room)
    phase(room, "empty")
    stays = (
        [m for m in (*fresh[1:], *room.people) if m.present and m.identity.way == "direct"][:1]
        if room.baseline.ends_when_empty
        else []
    )
    await everybody_leaves(room, polite=fresh[:1], but=stays)
    last = await newcomers(room, "pia", "rui")
    if stays:
        phase(room, "stop")
        await final_stop(room)
    elif not room.stage.remote:
        await everybody_leaves(room, polite=last[:1])
        phase(room, "rest")
        await rest(room, item)
        phase(room, "stop")
        await final_stop(room)
    else:
        await everybody_leaves(room, polite=last)


async def rounds(room: Room) -> None:
    """Those who stayed speak, in all directions, three times."""
    for _ in range(ROUNDS):
        if len(room.people) > 1:
            await room.talk()


async def newcomers(room: Room, *who: str) -> list[Member]:
    """Fresh clients join and talk with one another, both ways."""
    fresh = await room.join(*who[: max(0, room.free_places())], role="newcomer")
    await room.talk(*fresh)
    await room.talk(*fresh)
    return fresh


async def hear_who_left(room: Room) -> None:
    """Give the notices of those who left their time to come, where this server gives notices."""
    gone = {m.name for m in room.log.members if knowably_gone(m) and m.identity.role != "crowd"}
    if room.baseline.leave_notice is None or not room.people:
        return

    def told() -> bool:
        units = [record.unit for record in room.log.records if isinstance(record, Noticed)]
        return all(any(stands_in(name, unit) for unit in units) for name in gone)

    await room.log.wait("notice", told, 1.1 * room.deadlines.reply_s)


async def see_who_left(room: Room) -> None:
    """Look at the list, where there is one: those who are gone must not stand in it. Who is connected under their name
    may, also where the harness does not know whether it was let in; so may who vanished without a word, for the server
    cannot know: where it lets a namesake in (as `bia (2)`, say), the dead line keeps the name when that one has gone."""
    if not room.baseline.lists or not room.people:
        return
    here = {m.name for m in room.log.members if m.wire is not None and (not m.gone or m.left == "silent")}
    gone = sorted({m.name for m in room.log.members if knowably_gone(m)} - here)
    await room.look(room.people[0], gone[:50])


def knowably_gone(member: Member) -> bool:
    """Whether the server can know that this client left."""
    return member.joined and (member.left in ("polite", "fin", "reset", "killed"))


async def everybody_leaves(room: Room, polite: list[Member], but: Sequence[Member] = ()) -> None:
    """Out, all of them; those in `polite` with the leave word, the others with FIN, reading to the end. `but` stay.

    A client that closes while the server still writes to it answers with an RST (the kernel's rule): nobody here does.
    """
    for member in polite:
        if member.present and member not in but:
            await member.leave()
    await finish(room, *(member for member in room.log.members if member.left is None and member not in but))
    await room.hang_up()
    for member in room.log.members:
        if member.left == "half-close" and member.wire and not member.wire.closed:
            member.wire.close()


async def finish(room: Room, *leaving: Member) -> None:
    """FIN, and what the server still says is read to its end."""
    for member in leaving:
        member.finish()
    await room.log.patience.until(lambda: all(m.ended or not m.wire for m in leaving), GOODBYE_S)
    for member in leaving:
        member.close()


async def see_off(room: Room, *leaving: Member) -> None:
    """These have done what they came for. At somebody else's server they say goodbye: it may listen to nothing else."""
    if room.stage.remote:
        for member in leaving:
            await member.leave()
    await finish(room, *(member for member in leaving if member.left is None))


async def clear(room: Room) -> None:
    """The end of a conversation, in whatever state it is. Nobody stays logged in at somebody else's server, nor is reset
    there; our own ends now, and its port is to be free at once."""
    if room.stage.remote:
        await everybody_leaves(room, polite=list(room.log.members))
    for member in room.log.members:
        if member.wire:
            member.wire.kill_holder()
            member.wire.reset()


async def rest(room: Room, item: Scenario) -> None:
    """Everybody has left: threads, sockets and processor come to rest, or are seen to grow."""
    before = next((s for s in room.log.records if isinstance(s, Sample) and s.label == "before"), None)
    if before is None or not room.stage.alive():
        return
    rest_s = room.deadlines.rest_s / (3 if "sockets" in room.setting.known_leaks else 1)
    await at_rest(room, before, "after-1", rest_s)
    early = room.log.now() < EARLY * room.setting.limit_s
    if leaking(room, before) and not room.setting.known_leaks and early:
        room.log.hasten()
        await see_it_grow(room, item, before)
        room.log.hasten(ends=True)
    await room.stage.look_idle("idle")


async def at_rest(room: Room, before: Sample, label: str, deadline_s: float) -> Sample | None:
    """Wait until the process is back where it was, at most until the deadline; the last look is written down."""
    end = room.log.clock.calm() + deadline_s
    pause = 0.01
    while room.stage.alive() and room.log.clock.calm() < end:
        sample = room.stage.process.sample(label)
        if settled(sample, before, room):
            room.log.add(sample)
            return sample
        await asyncio.sleep(pause)
        pause = min(REST_LOOK_S, pause * 2)
    return room.stage.sample(label)


def ghosts(room: Room) -> set[int]:
    """Local ports of those who vanished in silence: the server cannot know, and may keep what it has for them."""
    return {m.wire.local_port for m in room.log.members if m.left == "silent" and m.wire}


def settled(sample: Sample, before: Sample, room: Room) -> bool:
    """Back at rest: no more threads, processes, descriptors than before, no socket of a client that is gone."""
    spare = len(ghosts(room))
    return (
        sample.threads <= before.threads + spare
        and sample.processes <= before.processes + spare
        and sample.descriptors <= before.descriptors + spare
        and not stale_peers(sample, room)
    )


def stale_peers(sample: Sample, room: Room) -> list[tuple[str, int]]:
    """Connected sockets of the server whose client is gone and could be known to be gone."""
    allowed = ghosts(room)
    return [
        (state, port) for state, port in sample.peers if port not in allowed and state in ("ESTABLISHED", "CLOSE_WAIT")
    ]


def leaking(room: Room, before: Sample) -> bool:
    """Whether the last look still showed more than before, in a way that only growth can judge."""
    samples = [s for s in room.log.records if isinstance(s, Sample) and s.label.startswith("after-")]
    if not samples or not samples[-1].alive:
        return False
    last, spare = samples[-1], len(ghosts(room))
    descriptors = last.descriptors > before.descriptors + spare and not stale_peers(last, room)
    return last.threads > before.threads + spare or last.processes > before.processes + spare or descriptors


async def see_it_grow(room: Room, item: Scenario, before: Sample) -> None:
    """A leak is what grows with every departure: a pool is filled first, then the same is done twice again."""
    await fill_pools(room)
    await at_rest(room, before, "after-2", room.deadlines.rest_s / 3)
    left_s = AGAIN * room.setting.limit_s
    for label, part, share in (("after-3", 1 / 3, 0.5), ("after-4", 1, 1)):
        room.again()
        began = room.log.now()
        await once_more(room, item, left_s * share)
        left_s -= room.log.now() - began
        if not room.stage.alive():
            return
        await at_rest(room, before, label, room.deadlines.rest_s * part)


async def fill_pools(room: Room) -> None:
    """Many come and go politely: a pool of threads reaches its size here."""
    end = room.log.now() + POOL_S
    for number in range(POOL):
        if room.log.now() > end or not room.stage.alive():
            return
        member = await room.connect(f"pool{number}", role="crowd")
        member.counted = False
        await room.log_in(member)
        await member.leave()


async def once_more(room: Room, item: Scenario, longest_s: float) -> None:
    """The fault again with other people, or three who come and go where it cannot be done twice."""
    try:
        async with asyncio.timeout(longest_s):
            if item.again:
                await item.body(room, **item.arguments)
            else:
                for member in await room.join("tia", "ugo", "vera"):
                    member.reset()
    except TimeoutError:
        room.step("the fault took too long the second time")
    if item.again:
        await room.calm()
    await everybody_leaves(room, polite=[])


async def final_stop(room: Room) -> None:
    """SIGTERM while somebody is connected, then a knock at the closed door."""
    if not room.stage.alive():
        return
    if room.stage.plan.isolated or not room.stage.plan.spec.fixed_port:
        await room.enter("zoe", role="newcomer")
    ended = await room.stage.stop()
    if ended:
        await room.until(lambda: not room.people, room.deadlines.reply_s)
        await room.knock()
