"""disconnect (desconexão súbita): a client goes away, in each of the ways there are, and often comes back.

Servers walk through their clients in the order in which these joined: whoever leaves here joined in the middle, or
first, so that there is somebody behind it in the list.
"""

from __future__ import annotations

import asyncio

from harness import Room, scenario
from harness.history import Awaited
from scenarios.cast import Manner, comes_back, go, in_a_row, noticed, orders, says_many, throw_raw, trio, unit_of

#: Connections of a port scan.
SCANNED = 100
#: Nobody speaks for so long, in seconds: many times what a server needs to read that a client has gone.
SILENCE_S = 0.3
#: How often one client leaves and returns.
TIMES = 10


@scenario(
    "disconnect", title="Sudden disconnection", titulo="Desconexão súbita", level="essential", documented=2,
    aims=["delivers", "welcomes", "forgets"],
)  # fmt: skip
async def abrupt(room: Room) -> None:
    """A client says something and closes its socket at once, without a word of farewell: message and FIN arrive
    together. It comes back under the same name, and everybody talks."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    room.note("Connected to the server")
    await bia.say("and now I am gone")
    bia.close()
    await room.talk(ana, caio)
    await room.back(bia)
    await room.talk()


@scenario(
    "disconnect", title="A reset before a word was said", titulo="Um reset antes de qualquer palavra", level="essential",
    aims=["survives", "accepts", "delivers"],
)  # fmt: skip
async def reset_before_login(room: Room) -> None:
    """A client connects and resets the connection without having sent a byte: the server's first read, or its
    greeting, fails with ECONNRESET. Twice, with others before and after it."""
    ana = await room.enter("ana")
    (await room.connect("nobody")).reset()
    caio = await room.enter("caio")
    stranger = await room.connect("stranger")
    await room.until(lambda: stranger.inbox.total > 0, 0.05)  # where there is a greeting, it has come
    stranger.reset()
    await room.talk(ana, caio)


@scenario(
    "disconnect", title="A client vanishes with a TCP reset", titulo="Um cliente some com um reset de TCP",
    level="essential", aims=["delivers", "forgets", "welcomes"],
)  # fmt: skip
async def reset_after_login(room: Room) -> None:
    """RST instead of FIN: the server's next read of that socket fails with ECONNRESET, its next write with EPIPE.

    The others must notice no more than that one of them left. Then it returns under the same name.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    bia.reset()
    await room.talk(ana, caio)
    await room.back(bia)
    await room.talk()


@scenario(
    "disconnect", title="A reset while nobody speaks ({case})", titulo="Um reset enquanto ninguém fala ({case})",
    aims=["identity", "forgets", "survives", "delivers"], cases={"first": {"number": 0}, "middle": {"number": 1}},
)  # fmt: skip
async def reset_in_silence(room: Room, number: int) -> None:
    """The server sleeps when the RST comes: it is the failed read that tells it, and no failed write.

    Where others speak at the same moment, a server may meet the dead socket while it writes, and take the other one of
    its two ways to remove a client. Here it has all the time it wants before somebody speaks, and somebody new comes.
    """
    people = await room.join("ana", "bia", "caio", "dora")
    gone = people[number]
    gone.reset()
    await noticed(room, gone)
    await room.pause(SILENCE_S)  # the silence is the subject
    others = [member for member in people if member is not gone]
    await room.talk(*others)
    await room.enter("elis")
    await room.talk(*others)
    await comes_back(room, gone)
    await room.talk()


@scenario(
    "disconnect", title="FIN without a farewell", titulo="FIN sem despedida", level="essential",
    aims=["delivers", "forgets", "sockets", "idles"],
)  # fmt: skip
async def fin_without_farewell(room: Room) -> None:
    """The client closes its socket: the server reads the end of the stream, an empty read that is not an empty message.

    Whoever does not look for it spins on it, or keeps the connection in CLOSE_WAIT for ever.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    bia.close()
    await room.talk(ana, caio)
    await room.back(bia)
    await room.talk()


@scenario(
    "disconnect", title="A polite leave", titulo="Uma saída educada", level="essential", needs=["leave"],
    aims=["closes", "forgets", "welcomes"],
)  # fmt: skip
async def polite_leave(room: Room) -> None:
    """The leave word, then FIN from the server and from the client. Afterwards the same person comes back."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await bia.leave()
    await room.talk(ana, caio)
    await room.back(bia)
    await room.talk()


@scenario(
    "disconnect", title="The first of the room vanishes ({case})", titulo="O primeiro da sala some ({case})",
    level="essential", aims=["delivers", "forgets"], cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}},
)  # fmt: skip
async def first_of_the_room(room: Room, how: Manner) -> None:
    """Who joined first leaves: whatever is kept in the order of joining has everybody else behind it.

    A dead socket at the head of a broadcast loop is met before anybody has been served.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await go(ana, how)
    await room.talk(bia, caio)
    await room.back(ana)
    await room.talk()


@scenario(
    "disconnect", title="The last of the room vanishes ({case})", titulo="O último da sala some ({case})",
    aims=["delivers", "forgets"], cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}},
)  # fmt: skip
async def last_of_the_room(room: Room, how: Manner) -> None:
    """Who joined last leaves, and two more come before it returns: the end of the list moves."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await go(caio, how)
    await room.talk(ana, bia)
    await room.join("dora", "elis")
    await room.back(caio)
    await room.talk()


@scenario(
    "disconnect", title="Half-close: it stops speaking and still listens", titulo="Meio fechado: para de falar e ouve",
    aims=["delivers", "sockets", "idles"],
)  # fmt: skip
async def half_close(room: Room) -> None:
    """FIN in one direction only (RFC 9293, section 3.6). The server may take it for a farewell or go on sending;
    it may not spin on the ended stream, nor keep the socket when the client has closed the other half, too."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await bia.say("I have said all I had to say")
    bia.half_close()
    await room.talk(ana, caio)
    if bia.wire is not None:
        bia.wire.close()
    await room.talk(caio, ana)
    await comes_back(room, bia)
    await room.talk()


@scenario(
    "disconnect", title="Half-close over a slow line", titulo="Meio fechado por uma linha lenta",
    aims=["delivers", "sockets", "idles"], proxy=True, needs=["half-close-through-proxy"],
)  # fmt: skip
async def half_close_over_a_line(room: Room) -> None:
    """The last words and the FIN behind them travel for 100 ms, and arrive in that order: the server has all that was
    said before it sees the end. The other direction stays open until the server closes it, or the client."""
    line = await room.line()
    ana = await room.enter("ana")
    bia = await room.enter("bia", line=line)
    caio = await room.enter("caio")
    await line.toxic("latency", stream="upstream", latency=100)
    await bia.say("I have said all I had to say")
    bia.half_close()
    await room.talk(ana, caio)
    if bia.wire is not None:
        bia.wire.close()
    await room.talk(caio, ana)
    await room.pause(0.25)  # the end is still on its way
    await comes_back(room, bia)
    await room.talk()


@scenario(
    "disconnect", title="A reset in mid-line", titulo="Um reset no meio de uma linha",
    aims=["delivers", "genuine"],
)  # fmt: skip
async def reset_in_mid_line(room: Room) -> None:
    """Half a message has arrived, without its newline, when the connection is reset. That half belongs to nobody:
    it may be shown or dropped, but it must not end up in front of somebody else's next message."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await throw_raw(room, bia, room.profile.speak("this will never be a whole", bia.name).encode())
    bia.reset()
    await room.talk(ana, caio)
    await room.back(bia)
    await room.talk()


@scenario(
    "disconnect", title="A reset while the server is sending to it", titulo="Um reset enquanto o servidor lhe envia",
    aims=["delivers", "survives"],
)  # fmt: skip
async def reset_while_receiving(room: Room) -> None:
    """The others speak so quickly that the server is writing to the socket at the moment of the reset.

    The first write to a closed peer succeeds; the RST it provokes breaks the next one (EPIPE, and SIGPIPE in C).
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    for _ in range(4):
        for speaker in (ana, caio):
            await speaker.say(room.words())
        bia.reset()
    await room.settled()
    await room.back(bia)
    await room.talk()


@scenario(
    "disconnect", title="Closed with unread data pending", titulo="Fechado com dados não lidos",
    aims=["delivers", "survives"],
)  # fmt: skip
async def unread_data(room: Room) -> None:
    """A client does not read for a while and then just ends: the kernel turns its close into a RST, because data was
    waiting that nobody will ever read (RFC 2525, section 2.17)."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    bia.counted = False
    bia.stall()
    await room.talk(ana, caio, rounds=3)
    bia.abandon()
    await room.talk(caio, ana)
    (await room.back(bia)).counted = True
    await room.talk()


@scenario(
    "disconnect", title="A port scan: a hundred connect and close", titulo="Varredura de portas: cem conectam e fecham",
    aims=["survives", "accepts", "sockets", "threads"],
)  # fmt: skip
async def port_scan(room: Room) -> None:
    """Connections that are closed as soon as they are made, as a port scanner or a load balancer's check makes them.

    A server that reads the name where it accepts meets an end of input there, a hundred times.
    """
    ana = await room.enter("ana")
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        for number in range(min(SCANNED, 4 * room.setting.max_clients)):
            (await room.connect(f"scan{number}", role="crowd")).close()
    await room.enter("dora")
    await room.talk()


@scenario(
    "disconnect", title="Connected and reset before they are accepted", titulo="Conectados e resetados antes de serem aceitos",
    aims=["survives", "accepts"],
)  # fmt: skip
async def connect_and_reset(room: Room) -> None:
    """Connections that are reset before the server has accepted them: accept(2) may fail with ECONNABORTED, or give
    a socket that is dead already and whose peer's address cannot be asked for any more.

    So that this really happens, the server sleeps (SIGSTOP) while two come and go, five times over. Then many more.
    """
    ana = await room.enter("ana")
    caio = await room.enter("caio")
    for _ in range(5 if not room.stage.remote else 0):
        room.stage.freeze()
        for member in [await room.connect("brief", role="crowd") for _ in range(2)]:  # listen(1) holds two
            member.reset()
        room.stage.thaw()
        await room.talk(caio, ana)
    async with room.chatting(ana, caio):
        for member in await room.crowd(20, login=False, at_once=True):
            member.reset()
    await room.talk(caio, ana)


@scenario(
    "disconnect", title="A reset in the middle of the login", titulo="Um reset no meio do login",
    aims=["survives", "accepts", "admits"], needs=["names"],
)  # fmt: skip
async def reset_inside_name(room: Room) -> None:
    """Half of the name has arrived, without its newline, when the connection is reset; and once more with a FIN.

    Whoever reads names in the accept loop, or with a lock held, stops here for everybody.
    """
    ana = await room.enter("ana")
    for how in ("reset", "fin"):
        stranger = await room.connect("stranger")
        await room.until(lambda who=stranger: who.inbox.total > 0, 0.05)  # type: ignore[misc]
        if room.profile.framing_name("send") == "line":
            await throw_raw(room, stranger, b"str")
        await go(stranger, how)
    caio = await room.enter("caio")
    await room.talk(ana, caio)


@scenario(
    "disconnect", title="The client's process is killed", titulo="O processo do cliente é morto",
    aims=["delivers", "forgets"],
)  # fmt: skip
async def killed(room: Room) -> None:
    """A real process holds the client's socket and is ended by SIGKILL: it says nothing, its kernel says FIN, or RST
    where something was left unread."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await asyncio.to_thread(bia.die)
    await room.talk(ana, caio)
    await comes_back(room, bia)
    await room.talk()


@scenario(
    "disconnect", title="All vanish at the same moment ({case})", titulo="Todos somem no mesmo instante ({case})",
    aims=["survives", "welcomes", "forgets"], cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}},
)  # fmt: skip
async def all_vanish(room: Room, how: Manner) -> None:
    """Six connections end within a millisecond, and all six come back under their names.

    Several threads change the list of clients while others walk through it: Go ends the process for that, Java and
    Python the thread.
    """
    people = await room.join("ana", "bia", "caio", "dora", "elis", "fred")
    await room.talk()
    for member in people:
        await go(member, how)
    for member in people:
        await comes_back(room, member)
    await room.talk()


@scenario(
    "disconnect", title="Half of the room vanishes at the same moment ({case})",
    titulo="Metade da sala some no mesmo instante ({case})", aims=["delivers", "survives", "forgets"],
    cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}},
)  # fmt: skip
async def every_other_vanishes(room: Room, how: Manner) -> None:
    """Every other client leaves at once while those between them talk.

    A client that is removed from a list while the list is walked makes the walk skip the next one: that one misses
    a message, once, and never again.
    """
    people = await room.join("ana", "bia", "caio", "dora", "elis", "fred", "gil")
    stay, leave = people[1::2], people[0::2]
    for member in leave:
        await go(member, how)
    for member in stay:
        await room.talk(member)
    await room.back(leave[0])
    await room.talk()


@scenario(
    "disconnect", title="The speaker leaves in mid-broadcast ({case})", titulo="Quem fala some no meio do envio ({case})",
    aims=["delivers", "once", "ordered"], cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}},
)  # fmt: skip
async def speaker_leaves(room: Room, how: Manner) -> None:
    """Thirty messages in a row, and the connection is gone before the server can have passed on the last of them.

    What of them arrives is the server's business; that the others' messages arrive is not.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await says_many(room, bia, in_a_row(room, 30), "hurry")
    await go(bia, how)
    await room.talk(ana, caio)
    await room.back(bia)
    await room.talk()


@scenario(
    "disconnect", title="Somebody vanishes without a FIN or a RST", titulo="Alguém some sem FIN nem RST",
    aims=["delivers", "responsive"],
)  # fmt: skip
async def vanish(room: Room) -> None:
    """As if the cable were pulled: no packet leaves, none is answered. The server cannot know, and goes on sending.

    The others must not wait for the dead line. The same person comes back under another name, as its own one may
    still be taken.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    if not bia.vanish():
        room.skip("this system cannot drop a socket's packets without privileges")
    await room.talk(ana, caio, rounds=3)
    await room.enter("bia")
    await room.talk()


@scenario(
    "disconnect", title="Leaves and returns ten times ({case})", titulo="Sai e volta dez vezes ({case})",
    aims=["welcomes", "forgets", "threads", "sockets"],
    cases={"reset": {"how": "reset"}, "fin": {"how": "fin"}, "polite": {"how": "polite"}},
)  # fmt: skip
async def ten_times(room: Room, how: Manner) -> None:
    """One client leaves and comes back under its name, again and again, in between two who stay and talk.

    What one departure leaves behind (a thread, a socket, an entry in the list) is there ten times at the end.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    for _ in range(TIMES):
        await go(bia, how)
        await room.talk(caio, ana)
        bia = await comes_back(room, bia)
        if not bia.present:
            break  # who cannot come back cannot leave again
    await room.talk()


@scenario(
    "disconnect", title="A reset right behind the leave word", titulo="Um reset logo depois da palavra de saída",
    aims=["delivers", "forgets"], needs=["leave"],
)  # fmt: skip
async def farewell_and_reset(room: Room) -> None:
    """The client says good-bye and does not wait for the answer: the server's farewell meets a closed socket."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await orders(bia, room.profile.leave or "")
    bia.reset()
    await room.talk(ana, caio)
    await comes_back(room, bia)
    await room.talk()


@scenario(
    "disconnect", title="One comes while another vanishes", titulo="Um chega enquanto outro some",
    aims=["accepts", "delivers"],
)  # fmt: skip
async def crossing(room: Room) -> None:
    """Three times over, somebody connects at the very moment in which somebody else is reset.

    The newcomer is likely to get the number of the descriptor that has just been closed: what was kept by that
    number now belongs to another.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    for who in ("dora", "elis", "fred"):
        bia.reset()
        (bia,) = await asyncio.gather(room.enter(who))
        await room.talk(ana, bia, caio)
    await room.talk()


@scenario(
    "disconnect", title="A whisper to one who has left", titulo="Um cochicho para quem já saiu",
    aims=["private", "survives"], needs=["whisper"],
)  # fmt: skip
async def whisper_to_the_departed(room: Room) -> None:
    """Whispers to a client that was reset, before and after the server has noticed, and when it is back.

    The addressee cannot be found: the sender may be told so, but the room must not hear what was not meant for it.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    bia.reset()
    await ana.whisper(bia, "are you there")
    await noticed(room, bia)
    await ana.whisper(bia, "are you still there")
    await room.talk(ana, caio)
    returned = await room.back(bia)
    await ana.whisper(returned, "welcome back")
    await room.talk()


@scenario(
    "disconnect", title="A session is resumed ({case})", titulo="Uma sessão é retomada ({case})", aims=["resumes"],
    needs=["resume"], cases={"reset": {"how": "reset"}, "silent": {"how": "silent"}},
)  # fmt: skip
async def resume(room: Room, how: Manner) -> None:
    """A client that was cut off returns with the token that it was given: it gets its name and what it missed.

    `silent`: the server has not even noticed yet. It may hand the session over all the same, or say that it is still
    in use, as it cannot know better.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await go(bia, how)
    if how == "reset":
        await noticed(room, bia)
        await room.talk(ana, caio)  # by now the server has read the end of the old connection
    token = await ana.say("said while you were away")
    await room.settled()
    asked = room.log.now()
    returned = await room.back(bia, resume=True)
    missed = await room.until(lambda: token in returned.inbox.tokens or returned.gone)
    back = await returned.say("here I am again")
    await room.settled()
    known = bia.name.encode() in unit_of(room, caio, back)
    if how == "reset" or known:
        awaited(room, "resume-identity", asked, known, returned.conn)
    if how == "reset":
        awaited(room, "resume-missed", asked, missed and not returned.gone, returned.conn)


def awaited(room: Room, what: str, asked_at_s: float, came: bool, conn: int) -> None:
    """Write down what was waited for, and whether it came."""
    room.log.add(
        Awaited(
            at_s=room.log.now(), what=what, asked_at_s=asked_at_s, came=came, conn=conn,
            deadline_s=room.deadlines.reply_s,
        )
    )  # fmt: skip


@scenario(
    "disconnect", title="Somebody returns while its old line is still open", level="hardened",
    titulo="Alguém volta com a linha antiga ainda aberta", aims=["identity", "delivers"], needs=["names"],
)  # fmt: skip
async def second_window(room: Room) -> None:
    """The same person opens a second window: same name, and the first connection is alive and silent.

    The server may refuse the name, change it, or close the older connection; it may not let two share one unnoticed.
    """
    ana, bia, caio = await trio(room, counted=False)
    second = await room.connect("bia", name=bia.name, visit=2)
    second.counted = False
    if room.baseline.duplicates in ("accepted", "replaces") and await second.log_in(None, room.deadlines.reply_s):
        await second.say("which of us is it?")
    await room.talk(ana, caio)
    bia.reset()
    second.reset()
    await room.talk(caio, ana)
