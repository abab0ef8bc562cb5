"""refused (conexão recusada): the server is not there, or does not let anybody in, and comes back."""

from __future__ import annotations

import contextlib

from harness import Member, Room, scenario
from scenarios.cast import comes_back, noticed

#: Clients beyond the limit that try to come in.
TOO_MANY = 4
#: Descriptors that are left to the server when they run out. Runtimes need a few of their own.
SPARE = 6
#: Most of a crowd that connects in the same instant.
CROWD = 300


async def ended(room: Room, *members: Member) -> bool:
    """Wait until all of these have seen the end of their connection."""
    return await room.until(lambda: all(member.gone for member in members))


async def stop(room: Room) -> None:
    """Stop the server; one that does not listen is killed."""
    if not await room.stage.stop():
        await room.stage.kill()


@scenario(
    "refused", title="Connection refused", titulo="Conexão recusada", level="essential", documented=1,
    aims=["refuses"], needs=["process"], again=False,
)  # fmt: skip
async def no_listener(room: Room) -> None:
    """Nothing listens on the port: the kernel answers the SYN with a RST, and `connect` fails with ECONNREFUSED.

    The server is stopped before anybody came. A port that still accepts is one that something left open.
    """
    await stop(room)
    await room.knock()


@scenario(
    "refused", title="The server is stopped while people talk", titulo="O servidor é parado durante a conversa",
    level="essential", aims=["refuses", "stops"], needs=["process"], again=False,
)  # fmt: skip
async def stopped(room: Room) -> None:
    """The server ends: those who are connected see the end of their connection, newcomers are refused at once.

    Nobody may be left with an open connection to a process that is gone.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await room.talk(bia, ana, caio)
    await stop(room)
    await ended(room, ana, bia, caio)
    await room.knock()


@scenario(
    "refused", title="Stopped, started again at once, everybody returns",
    titulo="Parado, reiniciado em seguida, e todos voltam", aims=["restarts", "welcomes"], needs=["process"], again=False,
)  # fmt: skip
async def back_again(room: Room) -> None:
    """The server closed the connections, so its port is full of TIME_WAIT when it is started again on it.

    Without SO_REUSEADDR the new process cannot bind for a minute: EADDRINUSE (socket(7)).
    """
    people = await room.join("ana", "bia", "caio")
    await room.talk()
    await stop(room)
    await ended(room, *people)
    await room.knock()
    if await room.stage.start_again():
        await room.talk(*[await room.back(member) for member in people])


@scenario(
    "refused", title="Killed in mid-conversation, started again", titulo="Morto no meio da conversa, reiniciado",
    aims=["restarts", "serves"], needs=["process"], again=False,
)  # fmt: skip
async def killed(room: Room) -> None:
    """SIGKILL: the process has no last word, the kernel closes its sockets. Then it is started again on its port."""
    people = await room.join("ana", "bia", "caio")
    await people[1].say("half a conver")
    await room.stage.kill()
    await ended(room, *people)
    if await room.stage.start_again():
        await room.talk(*[await room.back(member) for member in people])


@scenario(
    "refused", title="The way to the server is cut and opened", titulo="O caminho até o servidor é cortado e reaberto",
    aims=["forgets", "welcomes"], proxy=True,
)  # fmt: skip
async def proxy_down(room: Room) -> None:
    """Two come through a proxy, two directly. The proxy is disabled: its clients are cut off, new ones refused.

    The server sees two connections end; those who came directly notice no more than that. Then the way is open again.
    """
    line = await room.line()
    ana = await room.enter("ana", line=line)
    bia, caio = await room.join("bia", "caio")
    dora = await room.enter("dora", line=line)
    await room.talk()
    async with room.chatting(bia, caio):
        await line.cut()
        await ended(room, ana, dora)
        await room.connect("eva", line=line)  # refused, by the proxy's host
        await line.mend()
        for member in (ana, dora):
            await comes_back(room, member, line=line)
    await room.talk()


@scenario(
    "refused", title="The way stands, the server behind it does not", titulo="O caminho existe, o servidor não",
    aims=["restarts", "welcomes"], needs=["process"], proxy=True, again=False,
)  # fmt: skip
async def upstream_down(room: Room) -> None:
    """A proxy accepts first and asks the server afterwards: with the server down, the client is let in and closed.

    That is not ECONNREFUSED, and a client has to cope with it. When the server is back, the same way works again.
    """
    line = await room.line()
    ana = await room.enter("ana", line=line)
    bia = await room.enter("bia")
    await room.talk()
    await stop(room)
    await ended(room, ana, bia)
    await ended(room, await room.connect("eva", line=line))
    if await room.stage.start_again():
        await room.talk(await room.back(bia), await comes_back(room, ana, line=line))


@scenario(
    "refused", title="Hundreds connect in the same instant", titulo="Centenas se conectam no mesmo instante",
    level="hardened", aims=["accepts"], again=False,
)  # fmt: skip
async def backlog(room: Room) -> None:
    """More handshakes than the listen backlog holds: the kernel drops some, and SYN cookies forget some.

    The clients try again, as real ones do. A server that accepts quickly, with a fair backlog, takes in all of them.
    """
    ana, bia = await room.join("ana", "bia")
    crowd = await room.crowd(min(CROWD, room.setting.max_clients - 8), at_once=True)
    await room.talk(bia, ana)
    await room.all_of(crowd, _close)
    await room.let_go(*crowd)  # each departure may be told to all the others: some ten thousand notices


async def _close(member: Member) -> None:
    member.close()


@scenario(
    "refused", title="More clients than it takes", titulo="Mais clientes do que ele aceita", level="hardened",
    aims=["accepts", "responsive"], server_options={"max-clients": "12"}, again=False,
)  # fmt: skip
async def full(room: Room) -> None:
    """The room is full: who comes now is told so or closed, within a moment, and those inside notice nothing.

    A client that is neither served nor refused waits for ever, and its user never learns why.
    """
    limit = int(room.stage.option("max-clients") or room.profile.max_clients or 0)
    if not limit:
        room.skip("this server declares no limit of clients")
    ana, caio = await room.join("ana", "caio")
    async with room.chatting(ana, caio):
        crowd = await room.crowd(limit - 2 + TOO_MANY, beyond=True)
    await room.all_of(crowd, _close)
    await noticed(room, *crowd)


@scenario(
    "refused", title="The server runs out of file descriptors", titulo="Os descritores do servidor acabam",
    level="hardened", aims=["survives", "accepts", "idles"], needs=["process"], again=False,
)  # fmt: skip
async def no_descriptors(room: Room) -> None:
    """Its limit is lowered on the running process (prlimit(2)), so that accept(2) fails with EMFILE.

    The connection stays in the queue meanwhile: a loop that only tries again spins. Those inside go on talking, and
    when some have left and the limit is lifted, a newcomer gets in.
    """
    ana, caio = await room.join("ana", "caio")
    if not room.stage.lower_descriptors(SPARE):
        room.skip("the server runs as another user, whose limits are not ours to change")
    async with room.chatting(ana, caio):
        crowd = [await room.connect(f"extra{letter}") for letter in "abcdefghijklmnopqrstuvwx"]
        await room.until(lambda: sum(one.inbox.total > 0 for one in crowd) >= SPARE, 0.3)
    room.stage.lift_descriptors()
    await room.all_of(crowd, _close)
    with contextlib.suppress(OSError):
        await room.enter("dora")
    await room.talk()


@scenario(
    "refused", title="The server freezes and goes on", titulo="O servidor congela e continua",
    aims=["serves", "delivers"], needs=["process"],
)  # fmt: skip
async def frozen(room: Room) -> None:
    """SIGSTOP, then SIGCONT: a laptop's lid, a debugger, a starved machine.

    Meanwhile the kernel goes on accepting connections and bytes in the server's name. When it runs on it finds all of
    that at once: messages, a newcomer, and one who has left.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    room.stage.freeze()
    for member in (ana, caio):
        await member.say("is anybody there?")
    bia.reset()
    dora = await room.connect("dora", role="newcomer")
    room.stage.thaw()
    await room.log_in(dora)
    await room.talk(ana, caio, dora)
