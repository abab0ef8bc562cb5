"""malformed, continued: lies about where a message ends, and JSON whose parts are not what they should be.

Where the size of a message stands before it, a receiver believes its sender: a size that is wrong puts everything behind
it in the wrong place, for that sender. What it says then need not be understood; nobody else may notice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import psutil

from harness import Member, Room, scenario
from harness.dialect.framing import CountedFraming
from harness.dialect.profile import fill, is_json
from harness.history import Claimed
from harness.properties.quoting import quote
from scenarios.cast import throw, throw_raw, trio
from scenarios.malformed import deaf_stranger, noise, sense

#: Of a message that was announced as huge, so much is sent: enough for a reader that asks for more at once.
BEGINNING = b"x" * 4096
#: So many bytes of a lie are shown in the story: a head, and the beginning of what follows.
SHOWN = 80
#: A claim is made only where this many servers that believe it find the memory.
BELIEVERS = 3


def counting(room: Room) -> CountedFraming:
    """How this server's messages are counted."""
    framing = room.profile.sending()
    assert isinstance(framing, CountedFraming)
    return framing


def lie_about_a_size(room: Room, lie: str) -> bytes:
    """A head that lies in this way, and what is sent behind it."""
    framing = counting(room)
    (words,) = noise(room, "noise-without-newline")
    words = words[:100]
    match lie:
        case "more-than-follows" | "cut-off":
            (surplus,) = noise(room, "surplus")
            return framing.head(len(words) + int(surplus)) + words
        case "less-than-follows":
            return framing.head(1) + words
        case "below-zero":
            (number,) = noise(room, "below-zero")
            if is_decimal(room):
                return framing.head(int(number)) + words
            lowest = 256 ** len(framing.head(0)) // 2  # where no sign is known it is half of the highest
            believable(room, lowest)
            return framing.head(-lowest) + words
        case "half-a-head":
            return framing.head(len(words))[: len(framing.head(0)) // 2]
    if not is_decimal(room):
        room.skip("here a length is a binary number: every byte is a digit of it")
    (text,) = noise(room, "no-size")
    width = room.profile.header
    return (b"9" * width if lie == "endless-digits" else text[:width].ljust(width)) + words


def lied(room: Room, member: Member, data: bytes) -> bytes:
    """Tell the story what is sent now; the same bytes."""
    room.step(f"sends {len(data)} bytes that begin with {quote(data[:SHOWN].rstrip())}", member.who)
    return data


def is_decimal(room: Room) -> bool:
    """Whether a size is written in decimal digits."""
    return room.profile.framing_name("send") == "header"


def believable(room: Room, size: int) -> None:
    """Skip a claim that the machine could not bear if it were believed by several servers at once."""
    memory = psutil.virtual_memory()
    if memory.available < BELIEVERS * size and size < 2 * memory.total:
        room.skip(f"a server that believed {size >> 20} MiB would take too much of this machine's memory")


@scenario(
    "malformed", title="A length that lies: {case}", titulo="Um tamanho que mente: {case}",
    aims=["survives", "delivers", "responsive", "sockets"], needs=["counted"],
    cases={
        lie: {"lie": lie}
        for lie in (
            "more-than-follows", "less-than-follows", "below-zero", "no-number", "endless-digits", "half-a-head", "cut-off",
        )
    },
)  # fmt: skip
async def length(room: Room, lie: str) -> None:
    """The size before a message is not its size. TCP brings the bytes in order and knows no messages: whoever reads so
    many bytes waits for what never comes, or takes the rest of one message for the head of the next.

    The others talk while it waits; then it leaves, in the middle of a message for all that the server knows, and comes
    back on a new connection, where nothing of the old one may be left.
    """
    data = lie_about_a_size(room, lie)
    ana, bia, caio = await trio(room, counted=False)
    await throw_raw(room, bia, lied(room, bia, data))
    if lie != "cut-off":
        await room.talk(ana, caio)
    bia.close()
    await room.talk(ana, caio)
    await room.back(bia)
    await room.talk()


@scenario(
    "malformed", title="Messages of no length", titulo="Mensagens de tamanho nenhum", aims=["survives", "delivers"],
    needs=["counted"],
)  # fmt: skip
async def length_zero(room: Room) -> None:
    """A size of zero, and nothing behind it: an empty message, four times in one segment. A read of zero bytes gives
    nothing, which is also what the end of the stream gives; a first character there is not."""
    head = counting(room).head(0)
    ana, bia, caio = await trio(room)
    await throw_raw(room, bia, head, 4 * head)
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A length that lies, at the door: {case}", titulo="Um tamanho que mente, à porta: {case}",
    aims=["accepts", "responsive", "survives"], needs=["counted"],
    cases={lie: {"lie": lie} for lie in ("more-than-follows", "no-number", "half-a-head")},
)  # fmt: skip
async def length_at_the_door(room: Room, lie: str) -> None:
    """The first bytes of a connection announce more than follows, and it stays as it is. Whoever reads the first message
    where it accepts waits there, and the next ones are let in by the kernel alone."""
    data = lie_about_a_size(room, lie)
    ana = await room.enter("ana")
    stranger = await deaf_stranger(room)
    await throw_raw(room, stranger, lied(room, stranger, data))
    caio = await room.enter("caio")
    await room.talk(ana, caio)
    stranger.close()
    await room.talk(caio, ana)


@scenario(
    "malformed", title="A length that claims {case}", titulo="Um tamanho que anuncia {case}", level="hardened",
    aims=["memory", "survives", "responsive"], needs=["counted"],
    cases={"256-MiB": {"size": 256 << 20}, "2-GiB": {"size": (1 << 31) - 1}}, again=False,
)  # fmt: skip
async def claim(room: Room, size: int) -> None:
    """A few bytes say that millions follow. Whoever makes room for them before they come, and fills it, gives one client
    all of its memory for the price of one segment. It may close, or wait; the others talk."""
    framing = counting(room)
    if framing.head(size) == framing.head(size - 1):
        room.skip(f"a length of {len(framing.head(0))} bytes cannot claim so much")
    believable(room, size)
    ana, bia, caio = await trio(room, counted=False)
    room.stage.sample("claim-begin")
    room.log.add(Claimed(at_s=room.log.now(), conn=bia.conn, size=size))
    room.step(f"claims a message of {size >> 20} MiB", bia.who)
    await throw_raw(room, bia, framing.head(size), BEGINNING)
    for label in ("claim", "claim", "claim-end"):
        await room.talk(ana, caio)
        room.stage.sample(label)
    bia.reset()
    await room.talk(ana, caio)


@scenario(
    "malformed", title="A head in pieces", titulo="Um cabeçalho aos pedaços", aims=["intact", "responsive", "delivers"],
    needs=["counted"],
)  # fmt: skip
async def head_in_pieces(room: Room) -> None:
    """A good message, its size cut into single bytes, each in a segment of its own; the others talk before the last of
    them comes. A read of four bytes may give one: what it gives is not yet the size."""
    width = len(counting(room).head(0))
    ana, bia, caio = await trio(room)
    said, data = bia.compose("a head in pieces", expects=room.log.audience(bia), segments=width + 1)
    room.log.said(said)
    await throw_raw(room, bia, *(data[at : at + 1] for at in range(width - 1)))
    await room.talk(ana, caio)
    await throw_raw(room, bia, data[width - 1 : width], data[width:])
    await room.settled()
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A message and a half in one segment, cut {case}",
    titulo="Uma mensagem e meia num segmento, corte: {case}", aims=["intact", "delivers", "ordered"], needs=["counted"],
    cases={"in-the-head": {"inside": 0}, "behind-the-head": {"inside": 1}, "in-the-words": {"inside": 2}},
)  # fmt: skip
async def one_and_a_half(room: Room, inside: int) -> None:
    """Two good messages, the border between the segments somewhere in the second: what is left over after the first one
    has to be kept, be it half a size or half a sentence."""
    width = len(counting(room).head(0))
    ana, bia, caio = await trio(room)
    audience = room.log.audience(bia)
    first, one = bia.compose("whole", expects=audience, segments=2)
    second, two = bia.compose("cut in two", expects=audience, segments=2)
    place = len(one) + (max(1, width // 2), width, width + 3)[inside]
    await bia.utter([first, second], one + two, [(one + two)[:place], (one + two)[place:]])
    await room.settled()
    await sense(room, bia, ana, caio)


@scenario(
    "malformed", title="A block {case}", titulo="Um bloco {case}", aims=["survives", "delivers", "genuine"],
    needs=["blocks"], cases={kind: {"kind": kind} for kind in ("without-a-zero", "of-zeros", "of-noise", "that-is-short")},
)  # fmt: skip
async def block(room: Room, kind: str) -> None:
    """A struct as it should not be: fields that no zero ends, so that a reader of C strings reads on behind them; zeros
    alone; noise; half of one, whose other half never comes. After a whole one the next begins where it should."""
    fields = room.profile.fixed
    size = fields.name + fields.message
    (bytes_,) = noise(room, "block")
    short = kind == "that-is-short"
    sent = {"without-a-zero": b"A" * size, "of-zeros": bytes(size), "of-noise": (bytes_ * size)[:size]}
    ana, bia, caio = await trio(room, counted=not short)
    data = bytes_[: size // 2] if short else 2 * sent[kind]
    await throw_raw(room, bia, lied(room, bia, data))
    await room.talk(ana, caio)
    if short:
        bia.close()
    await sense(room, *[] if short else [bia], caio)


#: What stands where a string was meant.
WRONG = ("number", "list", "object", "null", "true")
#: Escapes of half a character (RFC 8259, section 8.2): good JSON, and no text that could be sent as UTF-8.
HALF = r'"half of one \ud83d"'


def misshapen(room: Room, template: str, how: str, name: str) -> Iterable[bytes]:
    """The dialect's own JSON object with one part after the other as it should not be."""
    whole = json.loads(fill(template, text="misshapen", name=name))
    if not isinstance(whole, dict):
        room.skip("this server's messages are JSON, but no objects")
    drawn = noise(room, f"json-{how}")[0].decode() if how in ("number", "list", "object", "depth") else how
    deep = "[" * int(drawn) + "]" * int(drawn) if how == "depth" else ""
    for wrong in whole:
        parts = [(key, json.dumps(value)) for key, value in whole.items()]
        if how == "missing":
            parts = [part for part in parts if part[0] != wrong]
        elif how == "twice":
            parts += [(wrong, '"once more"')]
        else:
            instead = {"half": HALF, "depth": deep}.get(how, drawn)
            parts = [(key, instead if key == wrong else value) for key, value in parts]
        yield ("{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in parts) + "}").encode()


@scenario(
    "malformed", title="A part of a JSON message is {case}", titulo="Uma parte de uma mensagem JSON é {case}",
    aims=["survives", "serves", "delivers"], needs=["json"],
    cases={how: {"how": how} for how in (*WRONG, "missing", "twice", "half", "depth")},
)  # fmt: skip
async def json_parts(room: Room, how: str) -> None:
    """Good JSON in the server's own form, and one key after the other holds what was not meant: a number, a list, nothing,
    half a surrogate pair, a nesting deeper than a parser's stack; or is not there, or stands there twice.

    Where the program takes the parts for granted it fails later than in the parser: in the code that tells everybody.
    """
    ana, bia, caio = await trio(room)
    for message in misshapen(room, room.profile.say, how, bia.name):
        await throw(room, bia, lied(room, bia, message))
        await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A part of a JSON login is {case}", titulo="Uma parte de um login JSON é {case}",
    aims=["survives", "accepts", "serves"], needs=["json", "login"],
    cases={how: {"how": how} for how in (*WRONG, "missing", "half")},
)  # fmt: skip
async def json_login(room: Room, how: str) -> None:
    """The same at the door, each try on a connection of its own: a name that is a number or a list is kept, compared and
    joined with text later, for everybody who comes or asks who is there."""
    template = next((step.send for step in room.profile.login if step.send and is_json(step.send)), None)
    if template is None:
        room.skip("nothing in JSON is said here before one is in the room")
    ana = await room.enter("ana")
    strangers = list[Member]()
    for message in misshapen(room, template or "", how, "stranger"):
        strangers.append(await deaf_stranger(room))
        await throw(room, strangers[-1], lied(room, strangers[-1], message))
    caio = await room.enter("caio")
    await room.talk(ana, caio)
    for stranger in strangers:
        stranger.reset()
    await room.talk(caio, ana)
