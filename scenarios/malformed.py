"""malformed (dados malformados): bytes that no client should send. Drawn ones come from the run's seed.

What the server does with them is its own business: it may close, warn, ignore, or show them made harmless. Whoever sent
them and is still connected must be heard again when it talks sense, and nobody else may notice anything.
"""

from __future__ import annotations

import contextlib
import json

from harness import Member, Room, scenario
from harness.dialect.profile import is_json
from harness.flood import endless_line
from harness.history import Answered
from scenarios.cast import (
    answer_login,
    answers,
    around_the_name,
    asked,
    asks_for_a_bare_name,
    forge,
    let_in,
    renames,
    says_in_pieces,
    taken_in,
    throw,
    throw_raw,
    trio,
)
from scenarios.payloads import drawn

#: Empty lines in a flood.
EMPTY_LINES = 3000
#: How long a documented test waits for an answer to noise, in seconds.
ANSWER_S = 0.25
#: A message that comes drop by drop: so many pieces, so far apart (in seconds).
DRIPS, DRIP_S = 24, 0.04


async def sense(room: Room, odd: Member, *others: Member) -> None:
    """Afterwards all talk sense. The one that sent the odd bytes may have been dropped; if not, it is heard."""
    await room.talk(odd, *others)
    await room.talk()


def noise(room: Room, kind: str, count: int = 1) -> tuple[bytes, ...]:
    """Payloads of this kind that follow from the run's seed."""
    return drawn(kind, room.random.getrandbits(32), count)


@scenario(
    "malformed", title="Malformed data", titulo="Dados malformados", level="essential", documented=3,
    aims=["survives", "delivers", "genuine"],
)  # fmt: skip
async def random_bytes(room: Room) -> None:
    """Some hundred random bytes, without a newline: a line server waits for the rest, another tries to decode them.

    Then the line is ended, and the same client talks sense.
    """
    (bytes_,) = noise(room, "noise-without-newline")
    ana, bia, caio = await trio(room, counted=room.profile.in_step)
    room.note("Connected to the server")
    before = bia.inbox.total
    await throw_raw(room, bia, bytes_)
    if not await room.until(lambda: bia.gone or bia.inbox.total > before, ANSWER_S):
        room.note("Timeout waiting for a reply (may be expected)")
    await throw(room, bia, b"")
    await room.talk(ana, caio)
    await sense(room, bia, ana)


@scenario("malformed", title="Noise before the login", titulo="Ruído antes do login", aims=["survives", "accepts"])
async def noise_at_the_door(room: Room) -> None:
    """Random bytes are the first thing that a connection sends. A name that cannot be decoded, read where the server
    accepts, must not end the accepting."""
    payloads = noise(room, "noise", 3)
    ana = await room.enter("ana")
    for payload in payloads:
        await throw(room, await deaf_stranger(room), payload)
    caio = await room.enter("caio")
    await room.talk(ana, caio)


async def deaf_stranger(room: Room) -> Member:
    """One who connects and reads nothing: whatever it says may be taken for a name, and let it into the room."""
    stranger = await room.connect("stranger")
    stranger.stall()
    return stranger


@scenario(
    "malformed", title="Noise by the {case}", titulo="Ruído ({case})", aims=["survives", "delivers"],
    cases={
        "message": {"kind": "noise", "count": 4, "times": 1},
        "snippet": {"kind": "short-noise", "count": 20, "times": 1},
        "64-KiB": {"kind": "noise", "count": 1, "times": 128},
    },
)  # fmt: skip
async def noise_from_inside(room: Room, kind: str, count: int, times: int) -> None:
    """Random bytes, newlines among them, from one who is logged in: many broken messages at once."""
    payloads = noise(room, kind, count)
    ana, bia, caio = await trio(room)
    async with room.chatting(ana, caio):
        await throw(room, bia, *(payload * times for payload in payloads))
    await sense(room, bia, caio)


@scenario(
    "malformed", title="Invalid UTF-8: {case}", titulo="UTF-8 inválido: {case}", aims=["survives", "delivers"],
    cases={
        kind: {"kind": kind}
        for kind in ("lone-continuation", "overlong", "surrogate", "truncated", "beyond-unicode", "impossible-byte")
    },
)  # fmt: skip
async def invalid_utf8(room: Room, kind: str) -> None:
    """Byte sequences that RFC 3629 forbids, inside plain words. A strict decoder raises on them, and where nobody
    catches that the client's thread ends, with its socket open, or the whole server."""
    payloads = noise(room, kind, 3)
    ana, bia, caio = await trio(room)
    for payload in payloads:
        await throw(room, bia, payload)
        await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A character split over two segments ({case})",
    titulo="Um caractere dividido em dois segmentos ({case})", aims=["intact"], needs=["lines"],
    cases={"two-bytes": {"letter": "ã"}, "three-bytes": {"letter": "語"}, "four-bytes": {"letter": "🎉"}},
)  # fmt: skip
async def split_character(room: Room, letter: str) -> None:
    """Good UTF-8, but the segment ends inside a character: whoever decodes what one `recv` gave, and not what one
    line holds, breaks it."""
    if room.profile.encoding == "ascii":
        room.skip("this server is declared to take ASCII only")
    ana, bia, caio = await room.join("ana", "bia", "caio")
    said, data = bia.compose(f"before {letter} after", expects=room.log.audience(bia), segments=2)
    middle = data.index(b"before ") + len(b"before ") + 1
    await bia.utter([said], data, [data[:middle], data[middle:]])
    await room.settled()
    await room.talk(ana, caio)


@scenario(
    "malformed", title="Control bytes: {case}", titulo="Bytes de controle: {case}", aims=["survives", "intact", "genuine"],
    cases={"nul": {"kind": ""}, "c0": {"kind": "c0"}, "c1": {"kind": "c1"}},
)  # fmt: skip
async def control_bytes(room: Room, kind: str) -> None:
    """NUL ends a string in C, and what stands behind it in the buffer is an older message; the other controls move
    a terminal's cursor, ring its bell, or are no characters at all."""
    payloads = noise(room, kind, 4) if kind else (b"before\0behind", b"\0", b"\0\0\0hello", b"hello\0")
    ana, bia, caio = await trio(room)
    await room.talk(bia, caio, words="a message that is long enough to leave something behind")
    for payload in payloads:
        await room.talk(caio)  # of about the same length: what is left of it is the whole of its token
        await throw(room, bia, payload)
        said, data = bia.compose(payload.decode("utf-8", "replace"), exact=False)
        await bia.utter([said], data)
    await sense(room, bia, ana, caio)


@scenario(
    "malformed",
    title="ANSI escapes",
    titulo="Sequências de escape ANSI",
    level="hardened",
    aims=["survives", "delivers"],
)
async def ansi_escapes(room: Room) -> None:
    """Messages that would clear the readers' screens, move their cursors or ask their terminals to answer (ECMA-48)."""
    payloads = noise(room, "escapes", 6)
    ana, bia, caio = await trio(room)
    await throw(room, bia, *payloads)
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A line that never ends", titulo="Uma linha que nunca termina", level="hardened",
    aims=["memory", "responsive"], again=False,
)  # fmt: skip
async def endless(room: Room) -> None:
    """64 MiB without a newline. A server that waits for the end of the line keeps all of it, and one client has all
    of its memory. It may close, refuse or swallow it; meanwhile the others talk."""
    ana, bia, caio = await trio(room, counted=False)
    async with room.chatting(ana, caio):
        await endless_line(room, bia)
    bia.reset()
    await room.talk(ana, caio)


@scenario(
    "malformed", title="A flood of empty lines", titulo="Uma enxurrada de linhas vazias", level="hardened",
    aims=["survives", "responsive"],
)  # fmt: skip
async def empty_lines(room: Room) -> None:
    """Thousands of newlines and nothing else. Each may become an empty message to everybody, or an index error in a
    parser that looks at the first character."""
    ana, bia, caio = await trio(room, counted=room.profile.in_step)
    async with room.chatting(ana, caio):
        await throw_raw(room, bia, b"\n" * EMPTY_LINES, b"\r\n" * EMPTY_LINES)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="Only blanks: {case}", titulo="Só espaços: {case}", aims=["survives", "delivers"],
    cases={
        "nothing": {"text": ""}, "space": {"text": " "}, "spaces": {"text": " " * 300}, "tabs": {"text": "\t\t\t"},
        "no-break": {"text": "\u00a0\u2003\u3000"},
    },
)  # fmt: skip
async def blanks(room: Room, text: str) -> None:
    """A message of nothing but blanks: what is left of it after trimming has no first word and no first character."""
    ana, bia, caio = await trio(room)
    await throw(room, bia, room.profile.speak(text, bia.name).encode(), text.encode())
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="Line endings: {case}", titulo="Fins de linha: {case}", aims=["intact", "delivers"],
    needs=["newlines"],
    cases={
        "lf": {"ends": ["\n"], "exact": True}, "crlf": {"ends": ["\r\n"], "exact": True},
        "cr-inside": {"ends": ["\rmore\n"], "exact": False}, "lfcr": {"ends": ["\n\r"], "exact": False},
        "mixed": {"ends": ["\n", "\r\n", "\r\r\n"], "exact": False},
    },
)  # fmt: skip
async def line_endings(room: Room, ends: list[str], exact: bool) -> None:
    """LF, CR LF and what careless clients mix: several messages in one segment, each ended in another way."""
    ana, bia, caio = await trio(room)
    for _ in range(2):
        for end in ends:
            said, data = bia.compose("ended in some way", expects=room.log.audience(bia), exact=exact)
            await bia.utter([said], data.rstrip(b"\r\n") + end.encode())
    await throw(room, bia, b"")
    await sense(room, bia, ana, caio)


@scenario(
    "malformed", title="Odd text: {case}", titulo="Texto estranho: {case}", aims=["survives", "delivers", "genuine"],
    cases={
        "byte-order-mark": {"text": "\ufeffhello"},
        "right-to-left-override": {"text": "invoice\u202egpj.exe"},
        "combining-flood": {"text": "Z" + "\u0301\u0323\u0330" * 80},
        "zero-width": {"text": "he\u200bl\u200dl\u2060o"},
        "noncharacters": {"text": "\ufffe \uffff \U0010ffff"},
        "private-use": {"text": "\ue000\uf8ff\U000f0000"},
        "turkish-case": {"text": "İıſß"},
        "tag-characters": {"text": "flag \U0001f3f4\U000e0067\U000e0062\U000e007f"},
    },
)  # fmt: skip
async def odd_text(room: Room, text: str) -> None:
    """Valid UTF-8 that is not what it looks like: invisible, reversed, piled up, or longer when its case is folded."""
    ana, bia, caio = await trio(room)
    for words in (text, f"before {text} behind"):
        said, data = bia.compose(words, exact=False)
        await bia.utter([said], data)
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="Text that other programs obey: {case}", titulo="Texto a que outros programas obedecem: {case}",
    aims=["intact", "survives", "discreet"],
    cases={
        "printf": {"text": "%s%s%n%x %5000d"},
        "braces": {"text": "{0} {name} {} {0.__class__}"},
        "dollar": {"text": "${x} $(id) `id` ${jndi:none}"},
        "sql": {"text": "'; DROP TABLE users; --"},
        "path": {"text": "../../etc/passwd"},
        "regular-expression": {"text": "(a+)+$ [ ( * ?"},
        "word-for-nothing": {"text": "None null undefined NaN"},
    },
)  # fmt: skip
async def injection(room: Room, text: str) -> None:
    """Printable ASCII that a format function, a shell, a database or a template would take for an order.

    A chat has none of these between its readers: the text must arrive as it was sent.
    """
    ana, bia, caio = await trio(room)
    await room.talk(bia, words=f"look: {text}")
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="Another protocol at the door: {case}", titulo="Outro protocolo à porta: {case}",
    aims=["survives", "accepts"],
    cases={
        "http": {"data": b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"},
        "tls": {
            "data": bytes.fromhex("16030100850100008103034b6b") + bytes(range(64)) + b"\x00\x02\x13\x01\x01\x00" * 6
        },
        "ssh": {"data": b"SSH-2.0-OpenSSH_9.6\r\n"},
        "telnet": {"data": bytes.fromhex("fffb1ffffb20fffb18fffd01fffd03")},
        "length-prefix": {"data": b"\x7f\xff\xff\xff" + b"0" * 12},
    },
)  # fmt: skip
async def other_protocol(room: Room, data: bytes) -> None:
    """A browser, a scanner or a client of some other server has the wrong port: its first bytes are no chat at all.

    It goes away after that, and comes once more to say the same in two segments.
    """
    ana = await room.enter("ana")
    for pieces in ([data], [data[:7], data[7:]]):
        stranger = await deaf_stranger(room)
        await throw_raw(room, stranger, *pieces)
        await room.talk(ana)
        stranger.reset()
    caio = await room.enter("caio")
    await room.talk(ana, caio)


@scenario(
    "malformed", title="Another protocol from inside: {case}", titulo="Outro protocolo de dentro: {case}",
    aims=["survives", "delivers"],
    cases={
        "http": {"data": b"POST /send HTTP/1.1\r\nContent-Length: 4\r\n\r\nping"},
        "tls": {"data": bytes.fromhex("1603010200010001fc0303") + bytes(range(200, 256))},
    },
)  # fmt: skip
async def other_protocol_inside(room: Room, data: bytes) -> None:
    """The same from one who is logged in: lines that look like headers, and bytes that look like a record's length."""
    ana, bia, caio = await trio(room)
    async with room.chatting(ana, caio):
        await throw(room, bia, data)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="Commands: {case}", titulo="Comandos: {case}", aims=["survives", "delivers", "discreet"],
    cases={
        "unknown": {"tail": None}, "bare": {"tail": ""}, "blank-argument": {"tail": "   "},
        "too-many": {"tail": " a b c d e f g h i j"}, "huge": {"tail": " " + "n" * 3000}, "nobody": {"tail": " nobodyhere hello"},
    },
)  # fmt: skip
async def commands(room: Room, tail: str | None) -> None:
    """Each command that the server knows, with too little, too much, or nothing behind it, and one that it does not
    know. An index out of range must not end more than the command."""
    words = known_commands(room)
    if tail is None:
        lines = [f"{mark}xyzzy plugh" for mark in {word[0] for word in words} | {"/"}]
    elif not words:
        room.skip("this server has no commands")
    else:
        lines = [word + tail for word in words]
    ana, bia, caio = await trio(room)
    for line in lines:
        await throw(room, bia, line.encode())
    await room.talk(ana, caio)
    if room.profile.rename:
        await throw(room, bia, room.profile.rename.replace("{name}", bia.name).encode())
    await sense(room, bia, caio)


def known_commands(room: Room) -> list[str]:
    """The first words of the dialect's commands, the one for leaving aside; where they are objects there are none."""
    templates = (room.profile.rename, room.profile.whisper, room.profile.list)
    words = (template.split("{")[0].strip() for template in templates if template)
    return [word for word in words if word]


@scenario(
    "malformed", title="A name that is {case}", titulo="Um nome {case}", aims=["survives", "accepts", "genuine"],
    needs=["names"],
    cases={
        "empty": {"name": ""}, "blank": {"name": "   "}, "huge": {"name": "n" * 3000}, "with-a-blank": {"name": "ana e bia"},
        "control": {"name": "mal\x07\x1b[31m"}, "nul": {"name": "mal\0lory"}, "bad-utf8": {"name": "mal\udcff\udcfe"},
        "percent": {"name": "%s%n{0}"}, "path": {"name": "../../x"}, "a-command": {"name": "/quit"},
        "right-to-left": {"name": "\u202eana"},
    },
)  # fmt: skip
async def names(room: Room, name: str) -> None:
    """Somebody gives this for a name. The server may refuse it, change it or close; the next ones come in as ever,
    and the room goes on talking while the odd one is there and when it has left."""
    ana = await room.enter("ana")
    odd = await room.connect("odd")
    await answer_login(room, odd, name)
    caio = await room.enter("caio")
    await room.talk(ana, caio)
    odd.reset()
    await room.talk(caio, ana)


@scenario(
    "malformed", title="A name that is taken", titulo="Um nome que já tem dono", aims=["identity", "delivers"],
    needs=["names"],
)  # fmt: skip
async def name_taken(room: Room) -> None:
    """A newcomer gives the name of one who is there. It may be refused, asked again, renamed, or replace the other;
    the two may not share the name without anybody being told."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    twin = await room.connect("twin", name=bia.name)
    twin.counted = False
    await answer_login(room, twin, bia.name)
    await room.talk(ana, caio)
    if room.baseline.duplicates == "accepted" and not twin.gone:
        await room.until(lambda: twin.inbox.total > 0, 0.1)
        await twin.say("which of us is it?")
    await room.talk(bia, caio)
    twin.reset()
    await room.talk()


@scenario(
    "malformed", title="A name that is given twice before it is taken", titulo="Um nome dado duas vezes antes de ter dono",
    aims=["identity"], needs=["names"],
)  # fmt: skip
async def name_given_twice(room: Room) -> None:
    """Two newcomers give the same name, which is free, before either has answered what the login asks next. A server that
    looks the name up at one question and takes it into its list at a later one lets both in under it."""
    if room.baseline.duplicates not in ("refused", "reprompted"):
        room.skip("names are not unique here, or it is not known")
    naming, rest = around_the_name(room)
    if not any(step.send is not None for step in rest):
        room.skip("here the name is the last thing that a login asks for")
    ana, caio = await room.join("ana", "caio")
    first = await room.connect("rita")
    twin = await room.connect("twin", name=first.name)
    for member in (first, twin):
        member.counted = False
        await answers(room, member, naming, first.name)
    for member in (first, twin):
        if await asked(room, member, rest):
            await answers(room, member, rest, first.name)
    await room.talk(ana, caio)
    await room.until(lambda: all(m.gone or let_in(room, m) for m in (first, twin)), room.deadlines.reply_s / 4)
    for member in (first, twin):
        if let_in(room, member):
            await member.say("which of us is it?")
    await room.talk(ana, caio)
    first.reset()
    twin.reset()
    await room.talk()


@scenario(
    "malformed", title="Another's name by a change of name", titulo="O nome de outro por uma troca de nome",
    aims=["identity"], needs=["rename"],
)  # fmt: skip
async def name_taken_later(room: Room) -> None:
    """One who is in changes its name to that of another who is there. The login refuses a taken name; a change of name
    has to look as well. What both say afterwards must not stand under one name."""
    if room.baseline.duplicates not in ("refused", "reprompted"):
        room.skip("names are not unique here, or it is not known")
    ana, bia, caio = await room.join("ana", "bia", "caio")
    await renames(room, bia, ana.name)
    await room.talk(ana, bia, caio)
    await renames(room, bia, bia.name)
    await room.talk(bia, ana)


@scenario(
    "malformed", title="Another name in mid-sentence", titulo="Outro nome no meio da frase",
    aims=["identity", "ordered", "intact"], needs=["rename", "lines"],
)  # fmt: skip
async def name_in_mid_sentence(room: Room) -> None:
    """One segment holds a message, a change of name, another message, and the change back: each message has to bear
    the name that was in force when it was said."""
    ana, bia, caio = await room.join("ana", "bia", "caio")
    rename, audience = room.profile.rename or "", room.log.audience(bia)
    first, one = bia.compose("under my own name", expects=audience)
    second, two = bia.compose("under another", expects=audience)
    change = [
        room.profile.sending().encode(rename.replace("{name}", n).encode()) for n in (room.name_for("rita"), bia.name)
    ]
    await bia.utter([first, second], one + change[0] + two + change[1])
    await room.settled()
    await room.talk(ana, bia, caio)


@scenario(
    "malformed", title="Talking before the login", titulo="Falar antes do login", aims=["admits", "survives"],
    needs=["login"],
)  # fmt: skip
async def before_login(room: Room) -> None:
    """A connection says something before it has said who it is, and stays. It is not in the room, and must not be shown
    what the others say there."""
    if asks_for_a_bare_name(room):
        room.skip("here the first thing that a client says is its name, whatever it is")
    ana = await room.enter("ana")
    stranger = await room.connect("stranger")
    stranger.strays, asked_s = True, room.log.now()
    await throw(room, stranger, room.profile.speak("let me in", "stranger").encode())
    caio = await room.enter("caio")
    await room.talk(ana, caio)
    if taken_in(room, stranger, asked_s):
        room.log.add(Answered(at_s=asked_s, conn=stranger.conn))
    stranger.reset()
    await room.talk(caio, ana)


@scenario(
    "malformed", title="Logging in twice", titulo="Login duas vezes", aims=["survives", "identity", "delivers"],
    needs=["names"],
)  # fmt: skip
async def login_twice(room: Room) -> None:
    """One who is in the room goes through the login once more, under the same name: a word that is no message now,
    or a name that is taken, namely by itself."""
    ana, bia, caio = await trio(room)
    for step in room.profile.login:
        if step.send is not None:
            await throw(room, bia, step.send.replace("{name}", bia.name).encode())
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A message drop by drop", titulo="Uma mensagem gota a gota", aims=["responsive", "intact"],
    needs=["lines"],
)  # fmt: skip
async def slow_drip(room: Room) -> None:
    """A message that comes byte by byte, with time between the bytes. Nobody else may have to wait for its end."""
    ana, bia, caio = await trio(room)
    said, data = bia.compose("d", expects=room.log.audience(bia), segments=DRIPS)
    async with room.chatting(ana, caio):
        room.log.said(said)
        with contextlib.suppress(OSError):
            for at in range(len(data)):
                await bia.send(data[at : at + 1])
                await room.pause(DRIP_S)  # the time between the bytes is the subject
                if at == len(data) // 2:
                    await room.settled(but=said.token)  # however long the rest takes
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A login drop by drop", titulo="Um login gota a gota", level="hardened",
    aims=["accepts", "responsive"], needs=["names", "newlines"],
)  # fmt: skip
async def slow_login(room: Room) -> None:
    """A name that comes byte by byte (a slow loris). Others must get in meanwhile: whoever reads the name where it
    accepts has one queue for everybody."""
    ana = await room.enter("ana")
    stranger = await deaf_stranger(room)
    first = next((step.send for step in room.profile.login if step.send), "{name}")
    data = first.replace("{name}", room.name_for("loris")).encode()
    async with room.chatting(ana):
        for at in range(len(data)):
            await throw_raw(room, stranger, data[at : at + 1])
            if at == len(data) // 2:
                await room.enter("caio")
            await room.pause(DRIP_S)  # the time between the bytes is the subject
    await room.talk()


#: What ends a line, or takes the cursor to its beginning, for one reader or another.
BREAKS = {
    "carriage-return": "\r", "line-feed": "\n", "cr-lf": "\r\n", "escape": "\x1b[2K\x1b[1G", "nul": "\0",
    "backspace": "\b" * 40, "vertical-tab": "\v", "form-feed": "\f", "next-line": "\u0085", "line-separator": "\u2028",
}  # fmt: skip


@scenario(
    "malformed", title="A message in another's name, behind a {case}",
    titulo="Uma mensagem em nome de outro, atrás de um {case}", level="hardened", aims=["genuine", "survives"],
    needs=["attribution"], cases={name: {"behind": text} for name, text in BREAKS.items()},
)  # fmt: skip
async def forged(room: Room, behind: str) -> None:
    """A message carries a line break of some kind, and behind it what the server itself puts in front of somebody
    else's messages. A reader whose terminal takes that for a new line sees Caio say what Bia wrote."""
    ana, bia, caio = await trio(room)
    said, data = forge(room, bia, caio, behind)
    await bia.utter([said], data)
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A forged name, with a {case}", titulo="Um nome forjado, com um {case}", level="hardened",
    aims=["genuine", "identity"], needs=["attribution", "names"],
    cases={name: {"behind": BREAKS[name]} for name in ("carriage-return", "line-feed", "escape", "line-separator")},
)  # fmt: skip
async def forged_name(room: Room, behind: str) -> None:
    """The same in the name: whatever this client says, a part of its name stands on a line of its own and looks like
    the beginning of somebody else's message."""
    ana, caio = await room.join("ana", "caio")
    mark = (room.baseline.attribution or "").replace("{name}", caio.name)
    odd = await room.connect("odd")
    await answer_login(room, odd, f"mal{behind}{mark}")
    said, data = odd.compose("I quit", "forged", exact=False)
    await odd.utter([said], data)
    await room.log.read_by_server(odd)
    await room.talk(ana, caio)
    odd.reset()
    await room.talk(caio, ana)


@scenario(
    "malformed", title="JSON that is {case}", titulo="JSON {case}", aims=["survives", "delivers"],
    cases={
        "truncated": {"text": '{"type": "message", "text": "hel'},
        "of-wrong-types": {"text": json.dumps({"type": [], "text": {"a": 1}, "name": None, "message": 5})},
        "deeply-nested": {"text": "[" * 700},
        "no-object": {"text": "[1, 2, 3]"},
        "empty-object": {"text": "{}"},
        "huge-number": {"text": '{"type": 1e999, "text": ' + "9" * 300 + "}"},
    },
)  # fmt: skip
async def json_message(room: Room, text: str) -> None:
    """A text that is no JSON, or JSON whose parts are not what a server that parses it takes for granted. A parser that
    raises must not end more than that message; to a server that parses nothing it is a message like any other.

    Where JSON is its own border, a value that never ends takes in all that follows.
    """
    closed = text.count("[") == text.count("]") and text.count("{") == text.count("}")
    by_itself = is_json(room.profile.say) and room.profile.framing_name("send") in ("json", "chunk")
    ana, bia, caio = await trio(room, counted=closed or not by_itself)
    await throw(room, bia, text.encode())
    await room.talk(ana, caio)
    await sense(room, bia, caio)


@scenario(
    "malformed", title="A message in pieces, with garbage of another's in between",
    titulo="Uma mensagem aos pedaços, com lixo alheio no meio", aims=["intact", "genuine"], needs=["lines"],
)  # fmt: skip
async def interleaved(room: Room) -> None:
    """Two clients send their bytes in turn, one of them half a message, the other noise. A buffer that is shared by
    connections mixes them."""
    (bytes_,) = noise(room, "noise-without-newline")
    ana, bia, caio = await trio(room, counted=False)
    said, data = ana.compose("in two pieces", expects=room.log.audience(ana), segments=2)
    room.log.said(said)
    await throw_raw(room, ana, data[:6])
    await throw_raw(room, bia, bytes_)
    await throw_raw(room, ana, data[6:])
    await room.settled()
    await throw(room, bia, b"")
    await says_in_pieces(room, caio, "another one in pieces", 4)
    await room.talk(ana, caio)
