"""lifecycle: the server's own life. It is told to end, started again, left alone, worked hard and left alone again."""

from __future__ import annotations

import signal

from harness import Room, scenario
from harness.history import Awaited
from scenarios.cast import comes_back

#: A declared idle time longer than this is not waited for, in seconds.
LONGEST_IDLE_S = 10.0
#: A server may look at its clocks only now and then: so long after twice the idle time it must have acted.
IDLE_MARGIN_S = 1.0


@scenario(
    "lifecycle", title="SIGTERM with clients connected", titulo="SIGTERM com clientes conectados",
    aims=["stops", "refuses"], needs=["process"], again=False,
)  # fmt: skip
async def sigterm(room: Room) -> None:
    """The way in which every supervisor ends a service. Within the deadline the process is gone, its port is closed,
    and each client has seen the end of its connection, also the one that had not logged in yet."""
    people = await room.join("ana", "bia", "caio")
    stranger = await room.connect("stranger")
    await room.talk()
    await room.stage.stop(signal.SIGTERM)
    await room.until(lambda: all(member.gone for member in (*people, stranger)))
    await room.knock()


@scenario(
    "lifecycle", title="SIGINT (Ctrl-C) with clients connected", titulo="SIGINT (Ctrl-C) com clientes conectados",
    aims=["stops"], needs=["process"], again=False,
)  # fmt: skip
async def sigint(room: Room) -> None:
    """The way in which a student ends the server. In a threaded server the main thread may sit in accept(2), and
    threads that are not daemons keep the process alive: not ending is a warning."""
    people = await room.join("ana", "bia", "caio")
    await room.talk()
    if not await room.stage.stop(signal.SIGINT):
        await room.stage.kill()
    await room.until(lambda: all(member.gone for member in people))


@scenario(
    "lifecycle", title="Restarted under traffic", titulo="Reiniciado sob tráfego", aims=["restarts", "stops", "serves"],
    needs=["process"], again=False,
)  # fmt: skip
async def restart_under_traffic(room: Room) -> None:
    """SIGTERM arrives while messages are on their way and somebody is in the middle of its login; the server is
    started again on the same port and everybody returns."""
    people = await room.join("ana", "bia", "caio")
    for member in people:
        await member.say(room.words())
    await room.connect("stranger")
    if not await room.stage.stop():
        await room.stage.kill()
    await room.until(lambda: all(member.gone for member in people))
    if await room.stage.start_again():
        await room.talk(*[await comes_back(room, member) for member in people])


@scenario(
    "lifecycle", title="Idle for the declared time ({case})", titulo="Ocioso pelo tempo declarado ({case})",
    aims=["expires", "delivers"], needs=["idle"], server_options={"idle": "1"},
    cases={"logged-in": {"login": True}, "at-the-door": {"login": False}}, again=False,
)  # fmt: skip
async def idle(room: Room, login: bool) -> None:
    """A connection that says nothing and answers no heartbeat for longer than the declared idle time is dropped.

    From the server's side nothing else tells it from a client that lost its network. The others, who talk, stay.
    """
    declared = float(room.stage.option("idle") or room.baseline.idle_s or 0)
    if declared > LONGEST_IDLE_S:
        room.skip(f"the declared idle time of {declared:.0f} s is too long to wait for")
    if not login and room.profile.idle_once_in:
        room.skip("the idle time is promised to those who have logged in")
    ana = await room.enter("ana")
    silent = await room.enter("bia", role="faulty", counted=False) if login else await room.connect("bia")
    silent.answers_heartbeats = False
    caio = await room.enter("caio")
    asked, deadline = room.log.now(), 2 * declared + IDLE_MARGIN_S
    async with room.chatting(ana, caio, pause_s=0.1):
        came = await room.until(lambda: silent.gone, deadline)
    room.log.add(
        Awaited(
            at_s=room.log.now(), what="idle", asked_at_s=asked, came=came, deadline_s=deadline, conn=silent.conn
        )
    )  # fmt: skip
    await room.talk(ana, caio)


@scenario(
    "lifecycle", title="Who answers heartbeats stays", titulo="Quem responde aos heartbeats fica", aims=["delivers"],
    needs=["idle"], server_options={"idle": "0.8", "heartbeat": "0.2"}, again=False,
)  # fmt: skip
async def heartbeat(room: Room) -> None:
    """Somebody reads and says nothing for longer than the idle time, but answers the server's heartbeats: it is alive,
    and must not be dropped."""
    declared = float(room.stage.option("idle") or room.baseline.idle_s or 0)
    if room.profile.keepalive is None or declared > 1:
        room.skip("no heartbeat is declared, or its time is too long to wait for")
    ana, bia, caio = await room.join("ana", "bia", "caio")
    async with room.chatting(ana, caio, pause_s=0.1):
        await room.pause(1.6 * declared)  # bia's silence is the subject
    await room.talk(bia)


@scenario(
    "lifecycle", title="Many rooms of work, then nothing", titulo="Muitas salas de trabalho, depois nada",
    aims=["threads", "sockets", "memory", "idles"],
)  # fmt: skip
async def many_rooms(room: Room) -> None:
    """Five times over, eight people come, talk and leave, each half of them in another way. Then nobody is left.

    Threads, descriptors and processor must come back to where they were before the first of them came.
    """
    for _ in range(5):
        people = await room.join("ana", "bia", "caio", "dora", "elis", "fred", "gil", "hugo")
        await room.talk()
        for number, member in enumerate(people):
            if number % 2:
                member.reset()
            else:
                await member.leave()
    await room.let_go(*people)
