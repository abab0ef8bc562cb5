"""chat: the server does its job when nothing is wrong. Whoever fails here need not look at the faults yet."""

from __future__ import annotations

from harness import Member, Room, scenario
from scenarios.cast import renames, says_in_pieces, says_many


@scenario(
    "chat", title="Two people talk", titulo="Duas pessoas conversam", level="essential", aims=["delivers", "identity"]
)
async def two_talk(room: Room) -> None:
    """Two clients connect, say their names and talk in turn, three times each.

    This is all that a chat has to do; every other scenario does it again under worse circumstances.
    """
    ana, bia = await room.join("ana", "bia")
    for _ in range(3):
        await room.talk(ana)
        await room.talk(bia)


@scenario(
    "chat", title="A room of twenty talks at once", titulo="Vinte pessoas conversam ao mesmo tempo", level="essential",
    aims=["delivers", "once", "ordered"],
)  # fmt: skip
async def room_of_twenty(room: Room) -> None:
    """Twenty connections, each on a socket of its own, and each message has to be written to nineteen of them.

    All of them speak without waiting for one another, twice.
    """
    people = await room.join(*(f"guest{letter}" for letter in "abcdefghijklmnopqrst"[: room.setting.max_clients]))
    await room.all_of(people, lambda one: one.say(room.words()))
    await room.settled()
    await room.all_of(people, lambda one: one.say(room.words()))
    await room.settled()


@scenario(
    "chat", title="People come and go, politely", titulo="Pessoas chegam e saem, educadamente", level="essential",
    aims=["delivers", "forgets", "closes"],
)  # fmt: skip
async def comings_and_goings(room: Room) -> None:
    """Four people come, say something and leave as people leave, one after the other, while two others talk.

    Nothing is wrong at all, and yet the list of clients grows and shrinks all the time.
    """
    ana = await room.enter("ana")
    visitors = [await room.enter(who) for who in ("dora", "elis")]
    caio = await room.enter("caio")
    async with room.chatting(ana, caio):
        for visitor in visitors:
            await room.talk(visitor)
            await visitor.leave()
        for visitor in await room.join("fred", "gil"):
            await room.talk(visitor)
            await visitor.leave()


@scenario(
    "chat", title="One whispers, only one hears", titulo="Um cochicha, só um ouve", aims=["private"], needs=["whisper"]
)
async def whisper(room: Room) -> None:
    """A directed message each way between two, with others on both sides of them in the list.

    A message of everybody's follows: whoever has heard that one would have seen a leaked whisper before it.
    """
    ana, bia, caio, dora = await room.join("ana", "bia", "caio", "dora")
    for speaker, listener in ((bia, caio), (caio, bia), (ana, dora)):
        token = await speaker.whisper(listener, "just between us")
        await room.until(lambda t=token, who=listener: t in who.inbox.tokens)  # type: ignore[misc]
    await room.talk()


@scenario(
    "chat", title="The list shows who is there", titulo="A lista mostra quem está", aims=["forgets"], needs=["list"]
)
async def list_names(room: Room) -> None:
    """Everybody asks for the list, somebody leaves, and it is asked for again until the name is gone from it."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    for member in (ana, bia, caio):
        await room.ask_list(member)
    await bia.leave()
    await room.talk(ana, caio)
    await room.look(ana, [bia.name])


@scenario(
    "chat", title="Somebody changes the name and back", titulo="Alguém troca de nome e volta ao antigo",
    aims=["identity", "delivers"], needs=["rename"],
)  # fmt: skip
async def rename(room: Room) -> None:
    """One takes another name, talks under it, and takes the old one again, while the others talk.

    Where names are the keys of the list of clients, a change of name is a removal and an insertion.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    for name in (room.name_for("rita"), bia.name):
        await renames(room, bia, name)
        await room.talk(bia, ana, caio)


@scenario("chat", title="Each command once", titulo="Cada comando, uma vez", aims=["survives", "delivers", "private"])
async def commands(room: Room) -> None:
    """Join, list, whisper, another name, leave: whatever of these the server knows, in the middle of the talk."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    async with room.chatting(ana, caio):
        if room.baseline.lists:
            await room.ask_list(bia)
        if room.baseline.whispers:
            await bia.whisper(caio, "a word for you")
        if room.profile.rename:
            await renames(room, bia, room.name_for("rita"))
            await renames(room, bia, bia.name)
        await room.talk(bia)
        await bia.leave()


@scenario(
    "chat", title="{case} messages in one segment", titulo="{case} mensagens em um só segmento", level="essential",
    aims=["intact", "delivers", "ordered"], needs=["lines", "bursts"], cases={"20": {"count": 20}, "200": {"count": 200}},
)  # fmt: skip
async def many_in_one_segment(room: Room, count: int) -> None:
    """TCP keeps no borders: what was sent in many calls may be read in one, and here it always is.

    One `send` carries many messages. The server has to find each of them and pass all of them on, in order.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await says_many(room, bia, count, "quick")
    await room.settled()
    await room.talk(ana, caio, bia)


@scenario(
    "chat", title="One message in {case} segments", titulo="Uma mensagem em {case} segmentos",
    aims=["intact", "delivers"], cases={"2": {"pieces": 2}, "20": {"pieces": 20}},
)  # fmt: skip
async def one_in_many_segments(room: Room, pieces: int) -> None:
    """What was sent in one call may be read in many (RFC 9293, section 3.8): here the server reads each piece alone.

    The next piece is sent only when the server's receive queue is empty. The others talk meanwhile.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    async with room.chatting(ana, caio):
        await says_in_pieces(room, bia, "a message that takes its time to arrive", pieces)
    await room.talk(bia)


@scenario(
    "chat", title="The longest message it takes", titulo="A maior mensagem que ele aceita", aims=["intact", "delivers"]
)
async def longest_message(room: Room) -> None:
    """A message as long as this server allows, from the middle of the room; then a short one.

    It takes more than one `recv` of 1024 bytes, and the leftovers of a buffer would show in the short one.
    """
    ana, bia, caio = await room.join("ana", "bia", "caio")
    longest = min(room.profile.max_message or 900, 8000)
    await room.talk(bia, words="x" * max(1, longest - 40))
    await room.talk(bia, words="short")
    await room.talk(ana, caio)


@scenario(
    "chat", title="Short after long", titulo="Curta depois de longa", aims=["intact", "genuine"]
)  # fmt: skip
async def short_after_long(room: Room) -> None:
    """Long and short messages in turn, from two people: a buffer that is not cleared, or whose end is not marked, shows
    the tail of an older message behind a shorter one."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    for length in (180, 1, 90, 2, 45):
        await room.talk(bia, words="l" * length)
        await room.talk(caio, words="s")
    await room.talk(ana)


@scenario(
    "chat", title="Silence, then talk", titulo="Silêncio, depois conversa", aims=["delivers", "responsive", "idles"]
)
async def silence_then_talk(room: Room) -> None:
    """Nobody says anything for a while. A read with a time-out must take that for silence, not for a departure; and a
    server that has nobody to serve sleeps, however many are connected."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await room.pause(1.0)  # the silence is the subject
    await room.stage.look_idle("silence")
    await room.talk(bia, ana, caio)


@scenario(
    "chat", title="Everybody says a lot at the same time", titulo="Todos falam muito ao mesmo tempo",
    aims=["ordered", "once", "intact"],
)  # fmt: skip
async def all_at_once(room: Room) -> None:
    """Six people say ten messages each without waiting: twelve hands write into the same sockets.

    Two threads that write to one socket without a lock may mix their bytes, or swap their order.
    """
    people = await room.join("ana", "bia", "caio", "dora", "elis", "fred")

    async def chatter(member: Member) -> None:
        for _ in range(10):
            await member.say(room.words())

    await room.all_of(people, chatter)
    await room.settled()


@scenario(
    "chat", title="Text in {case}", titulo="Texto em {case}", aims=["intact"],
    cases={
        "portuguese": {"text": "São João, amanhã às três: ação, coração, você"},
        "greek": {"text": "Καλημέρα, τι κάνεις;"},
        "japanese": {"text": "こんにちは、元気ですか"},
        "arabic": {"text": "مرحبا كيف حالك"},
        "emoji": {"text": "party 🎉👩‍👩‍👧🏳️‍🌈 time"},
    },
)  # fmt: skip
async def unicode(room: Room, text: str) -> None:
    """Good UTF-8 with characters of two, three and four bytes must arrive as it was sent (RFC 3629)."""
    if room.profile.encoding == "ascii":
        room.skip("this server is declared to take ASCII only")
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await room.talk(bia, words=text)
    await room.talk(ana, caio, words=text)


@scenario(
    "chat", title="One stands at the door and says nothing", titulo="Um fica à porta e não diz nada",
    aims=["admits", "accepts"], needs=["login"],
)  # fmt: skip
async def at_the_door(room: Room) -> None:
    """A connection that has not said its name is not in the room: it is shown nothing, and nobody is told about it.

    Meanwhile the others talk, and somebody else comes in: the one at the door must not keep the door shut.
    """
    ana = await room.enter("ana")
    stranger = await room.connect("stranger")
    async with room.chatting(ana):
        caio = await room.enter("caio")
    await room.talk(ana, caio)
    stranger.close()
    await room.talk(caio, ana)
