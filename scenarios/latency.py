"""latency: the network is slow, narrow, cut up or dead. Most of it is done by a Toxiproxy in between."""

from __future__ import annotations

import contextlib

from harness import Member, Room, scenario
from harness.flood import LEAST, overfill, pour
from scenarios.cast import comes_back, go, in_a_row, says_in_pieces, says_many, throw

#: How often a line flaps, and how long it is up or down each time, in seconds.
FLAPS, FLAP_S = 5, 0.1
#: While one reads what it missed, the others talk for so long; seconds.
CATCH_UP_S = 1.0


async def cut_off(room: Room, *members: Member) -> bool:
    """Wait until these have seen the end of their connections."""
    return await room.until(lambda: all(member.gone for member in members))


@scenario(
    "latency", title="100 ms ± 50 each way", titulo="100 ms ± 50 em cada direção", aims=["delivers", "ordered", "intact"],
    proxy=True,
)  # fmt: skip
async def both_ways(room: Room) -> None:
    """Two come over a slow line, two directly. A message takes its time, and arrives; the near ones do not wait."""
    line = await room.line()
    ana = await room.enter("ana", line=line)
    bia, caio = await room.join("bia", "caio")
    dora = await room.enter("dora", line=line)
    await line.toxic("latency", stream="both", latency=100, jitter=50)
    async with room.chatting(bia, caio):
        for member in (ana, dora):
            await room.talk(member)


@scenario(
    "latency", title="Each client is differently far away", titulo="Cada cliente a uma distância diferente",
    aims=["ordered", "once", "delivers"], proxy=True,
)  # fmt: skip
async def uneven(room: Room) -> None:
    """5, 60 and 200 ms away, and one next door: all four send three messages in a row without waiting.

    Everybody may hear the speakers mixed in another way, but each speaker in its own order.
    """
    lines = [await room.line(f"line{number}") for number in range(3)]
    people = [await room.enter(who, line=line) for who, line in zip(("ana", "bia", "caio"), lines, strict=True)]
    people.append(await room.enter("dora"))
    for line, distance in zip(lines, (5, 60, 200), strict=True):
        await line.toxic("latency", stream="both", latency=distance)
    for _ in range(3):
        await room.all_of(people, lambda one: one.say(room.words()))
    await room.settled()


@scenario(
    "latency", title="Joining over a slow line", titulo="Entrar por uma linha lenta", aims=["welcomes", "accepts"],
    proxy=True,
)  # fmt: skip
async def slow_join(room: Room) -> None:
    """The connection stands at once (the proxy answers it), but the greeting and each answer of the login take
    150 ms each way. The next newcomer, who is near, must not wait for that login."""
    line = await room.line()
    ana = await room.enter("ana")
    await line.toxic("latency", stream="both", latency=150)
    async with room.chatting(ana):
        far = await room.connect("bia", line=line, role="bystander")
        await room.enter("caio")
        await room.log_in(far)
    await room.talk(far, ana)


@scenario(
    "latency", title="A narrow line: 1 KB/s", titulo="Uma linha estreita: 1 KB/s", aims=["delivers", "responsive"],
    proxy=True,
)  # fmt: skip
async def narrow(room: Room) -> None:
    """One client's line takes a thousand bytes a second each way. Some short messages get through, if late."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    await line.toxic("bandwidth", stream="both", rate=1)
    await room.talk(ana, words="a")
    await room.talk(bia, words="b")
    await room.talk(caio, words="c")


@scenario(
    "latency", title="Everything in segments of one byte", titulo="Tudo em segmentos de um byte",
    aims=["intact", "delivers"], proxy=True, needs=["lines"],
)  # fmt: skip
async def sliced(room: Room) -> None:
    """A line on which each byte travels alone, in both directions: what is one message for the sender takes many
    reads, and the server's own messages arrive at the client in crumbs."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    await line.toxic("slicer", stream="both", average_size=1, size_variation=0, delay=200)
    await room.talk(bia, ana, caio)
    await room.talk(bia)


@scenario(
    "latency", title="A close that takes its time", titulo="Um fechamento que demora", aims=["delivers", "forgets"],
    proxy=True,
)  # fmt: skip
async def slow_close(room: Room) -> None:
    """The client has closed, but its FIN reaches the server half a second later. Until then the server may go on
    sending to it; afterwards the name is free again."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    await line.toxic("slow_close", stream="upstream", delay=500)
    bia.close()
    async with room.chatting(ana, caio):
        await room.pause(0.6)  # the delay of the close is the subject
    await comes_back(room, bia)
    await room.talk()


@scenario(
    "latency", title="The line swallows everything, then ends", titulo="A linha engole tudo e depois termina",
    aims=["delivers", "forgets"], proxy=True,
)  # fmt: skip
async def timeout(room: Room) -> None:
    """Nothing passes any more, in either direction, and after 300 ms of silence the connection is closed.

    What was said into the hole is lost, and that is nobody's fault. Then the client returns on a new line.
    """
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    bia.counted = False
    await line.toxic("timeout", stream="both", timeout=300)
    await room.talk(ana, caio)
    await cut_off(room, bia)
    await line.clear()
    await comes_back(room, bia, line=line)
    await room.talk()


@scenario(
    "latency", title="Reset by the network in mid-message", titulo="Reset da rede no meio de uma mensagem",
    aims=["delivers", "forgets", "genuine"], proxy=True, needs=["reset-through-proxy"],
)  # fmt: skip
async def reset_in_mid_message(room: Room) -> None:
    """A box on the way sends RST to both ends in the middle of a message, as a NAT does that lost its table."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    bia.counted = False
    with contextlib.suppress(OSError):
        await bia.send(room.profile.speak("half a", bia.name).encode())
    await line.toxic("reset_peer", stream="upstream", timeout=0)
    await says_in_pieces(room, bia, "the other half", 1)
    await cut_off(room, bia)
    await line.clear()
    await room.talk(ana, caio)
    await comes_back(room, bia, line=line)
    await room.talk()


@scenario(
    "latency", title="Cut inside a message", titulo="Cortado dentro de uma mensagem", aims=["delivers", "genuine"],
    proxy=True,
)  # fmt: skip
async def limit_data(room: Room) -> None:
    """The line passes ten more bytes and closes: the server has the beginning of a message and an end of the stream.

    That beginning is no message; whoever shows it as one shows what nobody said.
    """
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    bia.counted = False
    await line.toxic("limit_data", stream="upstream", bytes=10)
    await bia.say("this is cut off somewhere")
    await cut_off(room, bia)
    await line.clear()
    await room.talk(ana, caio)
    await comes_back(room, bia, line=line)
    await room.talk()


@scenario(
    "latency", title="One reads nothing while others talk", titulo="Um não lê nada enquanto outros conversam",
    level="hardened", aims=["responsive", "memory", "delivers"], again=False, timeout_s=90, needs=["bursts"],
)  # fmt: skip
async def stalled_reader(room: Room) -> None:
    """A client stays connected and never reads. The kernel's buffers fill, its window closes, and the server's next
    `send` to it would block: whoever sends in the only loop, or under a lock, stops for everybody. Whoever queues
    without a bound keeps all of it. A patient server drops that client."""
    ana = await room.enter("ana")
    zoe = await room.enter("zoe", role="faulty", receive_buffer=4096, counted=False)
    bia, caio = await room.join("bia", "caio")
    zoe.stall()
    flood = await pour(room, [ana, bia, caio], zoe)
    if flood.taken < LEAST and not flood.ended and not flood.stalled:
        room.skip(f"only {flood.taken >> 20} MiB went through in time: less than the kernel's own buffers hold")
    zoe.abandon()
    await room.talk()


@scenario(
    "latency", title="One catches up", titulo="Um se atrasa e depois lê tudo", level="hardened",
    aims=["ordered", "intact", "once"], again=False, timeout_s=90, needs=["bursts"],
)  # fmt: skip
async def catching_up(room: Room) -> None:
    """A client reads nothing until the kernel's buffers are full, then reads again while the others go on talking.

    What the server could not write at once waits in its own queue, or a `send` took only a part: new messages must not
    overtake the old ones, and no message may be cut in the middle. The server may have dropped that client instead.
    """
    ana = await room.enter("ana")
    zoe = await room.enter("zoe", role="faulty", receive_buffer=4096, counted=False)
    bia, caio = await room.join("bia", "caio")
    zoe.stall()
    await overfill(room, [ana, bia, caio], zoe)
    zoe.read_on()
    async with room.chatting(ana, caio, pause_s=0.02):
        await room.until(lambda: zoe.gone, CATCH_UP_S)
    last = await ana.say("have you read all of it?")
    await room.until(lambda: zoe.gone or last in zoe.inbox.tokens, 5 * CATCH_UP_S)
    zoe.close()
    await room.talk()


@scenario(
    "latency", title="One reads slowly", titulo="Um lê devagar", aims=["delivers", "responsive", "ordered"], proxy=True,
)  # fmt: skip
async def slow_reader(room: Room) -> None:
    """One client's downstream takes 20 KB/s, and the others say more than that for a moment. It gets all of it, later;
    they get it at once."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    await line.toxic("bandwidth", stream="downstream", rate=20)
    for speaker in (ana, caio):
        await says_many(room, speaker, in_a_row(room, 60), "a message to fill a narrow line with")
    await room.settled()
    await room.talk(bia)


@scenario(
    "latency", title="The line flaps, five times a second", titulo="A linha oscila, cinco vezes por segundo",
    aims=["welcomes", "forgets", "delivers"], proxy=True,
)  # fmt: skip
async def flapping(room: Room) -> None:
    """Up for a tenth of a second, down for another, five times; the client comes back each time the line is up.

    Each time the server sees one connection end and another with the same name begin.
    """
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        for _ in range(FLAPS):
            await line.cut()
            await cut_off(room, bia)
            await room.pause(FLAP_S)  # the line's own rhythm
            await line.mend()
            bia = await comes_back(room, bia, line=line)
            await room.pause(FLAP_S)
    await room.talk()


@scenario(
    "latency", title="The line stutters", titulo="A linha engasga", aims=["delivers", "ordered", "once"], proxy=True,
    needs=["own-toxics"],
)  # fmt: skip
async def stuttering(room: Room) -> None:
    """Nothing passes for 150 ms, then everything for 100 ms, again and again, as on a crowded radio link. Nothing is
    lost and no connection ends: what was held comes in bursts."""
    line = await room.line()
    ana = await room.enter("ana", line=line)
    bia = await room.enter("bia")
    caio = await room.enter("caio", line=line)
    await line.now_and_then("bandwidth", 150, 100, stream="both", rate=0)
    async with room.chatting(bia):
        await room.talk(ana, caio, rounds=2)


@scenario(
    "latency", title="Slow upwards, quick downwards", titulo="Lenta na ida, rápida na volta",
    aims=["delivers", "ordered", "responsive"], proxy=True,
)  # fmt: skip
async def asymmetric(room: Room) -> None:
    """One client's line is that of a home: 2 KB/s and 80 ms up, 200 KB/s and 10 ms down. It hears the others at once;
    they hear it late, and in its order."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    await line.toxic("bandwidth", stream="upstream", rate=2)
    await line.toxic("latency", stream="upstream", latency=80)
    await line.toxic("bandwidth", stream="downstream", rate=200)
    await line.toxic("latency", stream="downstream", latency=10)
    async with room.chatting(ana, caio):
        for _ in range(3):
            await room.talk(bia)


@scenario(
    "latency", title="One client's bytes arrive wrong", titulo="Os bytes de um cliente chegam errados",
    aims=["delivers", "responsive", "survives"], proxy=True, needs=["own-toxics"],
)  # fmt: skip
async def corrupted(room: Room) -> None:
    """On the way from one client to the server every twentieth byte has a wrong bit: letters become others, control
    bytes, halves of UTF-8. The server may show it, refuse it or end that connection; nobody else may feel it."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", role="faulty", line=line, counted=False)
    caio = await room.enter("caio")
    await line.toxic("corrupt", stream="upstream", per_million=50_000)
    async with room.chatting(ana, caio):
        await throw(room, bia, *[b"words that arrive as other words, number %d" % n for n in range(20)])
    await line.clear()
    await room.talk(ana, caio)
    bia.reset()
    await room.talk(caio, ana)


@scenario(
    "latency", title="Latency jumps and goes back to normal", titulo="A latência dispara e volta ao normal",
    aims=["delivers", "once", "ordered"], proxy=True,
)  # fmt: skip
async def spike(room: Room) -> None:
    """For a moment the line takes 300 ms each way, then it is quick again. What was under way arrives, once and in
    order, and the room is as it was."""
    line = await room.line()
    ana = await room.enter("ana", line=line)
    bia = await room.enter("bia")
    caio = await room.enter("caio", line=line)
    await room.talk()
    await line.toxic("latency", stream="both", latency=300)
    for member in (ana, bia, caio):
        await member.say(room.words())
    await line.change("latency", stream="both", latency=5)
    for member in (ana, bia, caio):
        await member.say(room.words())
    await room.settled()
    await line.clear()
    await room.talk()


@scenario(
    "latency", title="Half of the room is behind a dead line ({case})",
    titulo="Metade da sala atrás de uma linha morta ({case})", level="hardened",
    aims=["responsive", "delivers", "forgets"], proxy=True,
    cases={
        "swallows": {"kind": "timeout", "attributes": {"timeout": 0}},
        "holds": {"kind": "bandwidth", "attributes": {"rate": 0}},
    },
)  # fmt: skip
async def half_dead(room: Room, kind: str, attributes: dict[str, int]) -> None:
    """Two of four are connected through a line on which nothing moves any more: no data, no end of it.

    The server cannot know. The other two must go on hearing each other; the dead ones come back on a new line.
    """
    line = await room.line()
    ana = await room.enter("ana", line=line)
    bia = await room.enter("bia")
    caio = await room.enter("caio", line=line)
    dora = await room.enter("dora")
    ana.counted = caio.counted = False
    await line.toxic(kind, stream="both", **attributes)
    await room.talk(bia, dora, rounds=3)
    for member in (ana, caio):
        await go(member, "reset")
    await line.cut()
    await room.talk(dora, bia)
    for member in (ana, caio):
        await comes_back(room, member)
    await room.talk()
