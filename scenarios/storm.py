"""storm (tempestade de reconexões): many at once, again and again. `--storm N` says how many."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Member, Room, scenario
from scenarios.cast import Manner, comes_back, go, noticed

#: How often everybody drops and returns.
WAVES = 3
#: Clients that connect and never say a word.
SILENT = 30
#: Clients that come and go in one round, and rounds of which the memory is looked at after each.
ROUND, ROUNDS = 60, 3


async def drop(crowd: Sequence[Member]) -> None:
    """All of them reset their connections."""
    for member in crowd:
        member.reset()


@scenario(
    "storm", title="All drop and return at once, three waves", titulo="Todos caem e voltam de uma vez, três ondas",
    aims=["accepts", "welcomes", "delivers"],
)  # fmt: skip
async def waves(room: Room) -> None:
    """A switch reboots: all connections are reset in the same instant and all clients come back together, under their
    names; three times. Two who are connected elsewhere talk on."""
    ana = await room.enter("ana")
    crowd = await room.crowd()
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        for _ in range(WAVES):
            await drop(crowd)
            crowd = await room.crowd(people=crowd)
    await drop(crowd)
    await noticed(room, *crowd)


@scenario(
    "storm", title="Returns under its name before the loss was noticed ({case})",
    titulo="Volta com o mesmo nome antes de a perda ser notada ({case})", aims=["welcomes", "forgets", "delivers"],
    cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}},
)  # fmt: skip
async def return_before_noticed(room: Room, how: Manner) -> None:
    """The new connection and its name arrive right behind the end of the old one, from all four at the same time.

    The server may still hold the old entry under that name: a newcomer that finds it must neither take over a dead
    socket nor be kept out for ever. This is the documented fault: after such a return, messages stopped arriving.
    """
    people = await room.join("ana", "bia", "caio", "dora")
    await room.talk()
    for member in people:
        await go(member, how)
        await comes_back(room, member)
    await room.talk()
    await room.talk()


@scenario(
    "storm", title="The dead line's owner returns", titulo="O dono da linha morta volta",
    aims=["delivers", "responsive"], needs=["names"],
)  # fmt: skip
async def return_over_a_dead_line(room: Room) -> None:
    """One vanishes without a FIN or RST and comes back under the same name: the server believes that it is still here.

    It may refuse the name for now, as it cannot know. The others must go on hearing one another.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    if not bia.vanish():
        room.skip("this system cannot drop a socket's packets without privileges")
    await room.talk(ana, caio)
    again = await room.connect("bia", name=bia.name, visit=2)
    again.counted = False
    if room.baseline.duplicates in ("accepted", "replaces"):
        await again.log_in(None, room.deadlines.reply_s)
    await room.talk(caio, ana)
    again.reset()
    await room.talk(ana, caio)


@scenario(
    "storm", title="Steady coming and going under traffic ({case})", titulo="Vai e vem constante sob tráfego ({case})",
    aims=["delivers", "threads", "sockets"],
    cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}, "polite": {"how": "polite"}},
)  # fmt: skip
async def churn(room: Room, how: Manner) -> None:
    """Clients log in and leave again without a pause while two who stay talk to each other and lose nothing."""
    ana = await room.enter("ana")
    first = await room.crowd(4)
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        for _ in range(5):
            second = await room.crowd(4)
            await room.all_of(first, lambda one: go(one, how))
            first = second
        await room.all_of(first, lambda one: go(one, how))


@scenario(
    "storm", title="A thundering herd after a restart", titulo="A manada volta depois de um reinício",
    aims=["restarts", "accepts", "serves"], needs=["process"], again=False,
)  # fmt: skip
async def herd_after_restart(room: Room) -> None:
    """The server is killed and started again, and all clients return as soon as it listens."""
    ana, caio = await room.join("ana", "caio")
    crowd = await room.crowd()
    await room.stage.kill()
    await room.until(lambda: all(member.gone for member in (ana, caio, *crowd)))
    if await room.stage.start_again():
        crowd = await room.crowd(people=crowd, at_once=True)
        await room.talk(await comes_back(room, ana), await comes_back(room, caio))
    await drop(crowd)
    await noticed(room, *crowd)


@scenario(
    "storm", title="Many connect and never log in", titulo="Muitos conectam e nunca fazem login",
    aims=["accepts", "responsive", "admits"],
)  # fmt: skip
async def never_log_in(room: Room) -> None:
    """Thirty connections that say nothing. A newcomer comes in behind them, and everybody can talk.

    Where the name is read in the accept loop, the first of the silent ones keeps the door shut for all others.
    """
    ana = await room.enter("ana")
    silent = await room.crowd(SILENT, login=False)
    async with room.chatting(ana):
        caio = await room.enter("caio")
    await room.talk(ana, caio)
    await drop(silent)
    await room.talk(caio, ana)


@scenario(
    "storm", title="Rolling reconnects, two bystanders lose nothing",
    titulo="Reconexões em série, dois de fora não perdem nada", aims=["delivers", "ordered", "once"],
)  # fmt: skip
async def rolling(room: Room) -> None:
    """One after the other, every client of a crowd is reset and returns under its name, as in a rolling update of
    the machines they run on. Two who are not concerned talk all the while."""
    ana = await room.enter("ana")
    crowd = await room.crowd(min(room.storm, 20))
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        for place, member in enumerate(crowd):
            member.reset()
            (crowd[place],) = await room.crowd(people=[member])
            if room.told_no(crowd[place]):
                break  # nor would the others be let in under their names
    await drop(crowd)
    await noticed(room, *crowd)


@scenario(
    "storm", title="A storm through a slow line", titulo="Uma tempestade por uma linha lenta",
    aims=["accepts", "responsive"], proxy=True,
)  # fmt: skip
async def through_latency(room: Room) -> None:
    """A crowd comes in over a line with 40 ms ± 20 each way, drops and returns: logins take their time and overlap.

    Those who are connected directly must not wait for those who are slow.
    """
    line = await room.line()
    await line.toxic("latency", stream="both", latency=40, jitter=20)
    ana = await room.enter("ana")
    crowd = await room.crowd(min(room.storm, 25), line=line)
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        await drop(crowd)
        crowd = await room.crowd(people=crowd, line=line, at_once=True)
    await drop(crowd)


@scenario(
    "storm", title="A storm through resets", titulo="Uma tempestade de resets", proxy=True,
    aims=["survives", "delivers"], needs=["reset-through-proxy"],
)  # fmt: skip
async def through_resets(room: Room) -> None:
    """Half of those who come through the proxy are reset some milliseconds after their first words, by the line.

    Logins end in the middle, at places that nobody chose.
    """
    line = await room.line()
    await line.toxic("reset_peer", stream="downstream", toxicity=0.5, timeout=5)
    ana = await room.enter("ana")
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        for _ in range(2):
            crowd = await room.crowd(12, line=line, login=False, at_once=True)
            await room.all_of(crowd, say_a_name)
            await drop(crowd)
    await room.talk(caio, ana)


async def say_a_name(member: Member) -> None:
    """Begin to log in, and do not wait for the answer."""
    for step in member.profile.login:
        if step.send is not None and not member.gone:
            try:
                await member.command(step.send)
            except OSError:
                return


@scenario(
    "storm", title="Hundreds come and go: what do they leave behind?", titulo="Centenas vêm e vão: o que deixam para trás?",
    aims=["memory", "sockets", "threads"], again=False,
)  # fmt: skip
async def hundreds_come_and_go(room: Room) -> None:
    """Sixty clients log in and leave, three times over, half of them by RST and half by FIN. After each round the
    server's memory is looked at: what it keeps for those who have left grows by the same amount every time."""
    ana, caio = await room.join("ana", "caio")
    for number in range(ROUNDS):
        crowd = await room.crowd(ROUND)
        for place, member in enumerate(crowd):
            await go(member, "reset" if place % 2 else "fin")
        await noticed(room, *crowd)
        await room.talk(ana, caio)
        room.stage.sample(f"departures-{number + 1}")
