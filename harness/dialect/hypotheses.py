"""Hypotheses: what a server asks for in words: a name, a password, a room, a command; and the commands that its texts name.

Sans-I/O. In English, Portuguese, Spanish and French; case and accents are folded. What is read here is a guess that
an experiment must confirm. Words that might stop a server or throw somebody out are never taken from a text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.dialect.masking import fold

Want = Literal["name", "password", "room", "command", "choice"]

#: Words that mean leaving, listing and whispering, the most usual first. None of them stops a server.
LEAVE_WORDS = ("/quit", "/exit", "/sair", "/leave", "/bye")
LIST_WORDS = ("/list", "/users", "/who", "/online", "/usuarios", "/lista", "/names")
WHISPER_WORDS = ("/whisper", "/msg", "/w", "/pm", "/private", "/tell", "/dm", "/mp")
NAME_WORDS = r"name|nick|nome|apelido|usuario|nombre|\b(?:pre)?nom\b|pseudo|username|login|handle|identif|\balias\b"
_PASSWORD = r"\b(?:password|passwd|passphrase|senha|contrasena|clave|mot de passe|passwort|kennwort)\b"
_ROOM = r"\b(?:rooms?|salas?|channels?|canal|canais|salons?|grupos?|groups?)\b"
_REFUSED = (
    r"invalid|unknown|not (?:a |an )?(?:valid|recogni[sz]ed|registered|logged|in )|usage|error|erro\b|desconhecid|"
    r"nao reconhecid|desconocid|please|por favor|must|precisa|deve\b|debes|first|primeiro|primero|"
    r"in use|taken|em uso|ja existe|already|en uso|refus|denied|negad"
)
_TAKEN = r"in use|taken|em uso|ja existe|already|en uso|ocupad|duplicate|choose another|escolha outro|elija otro"
#: A statement of the name that a client was given is no question.
_GIVEN = (
    r"(?:your|seu|sua|tu|su|votre) (?:[a-z]+ )?(?:name|nick|nickname|username|nome|apelido|nombre|id) (?:is|e|es|est)\b"
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Never sent because a text or a source names them: they may end the server, or somebody's stay.
DANGEROUS = frozenset(
    _words(
        "stop close shutdown kill kick ban mute op deop clear delete remove restart reboot halt block unban silence "
        "reset terminate end fechar desligar parar encerrar expulsar banir cerrar apagar drop purge wipe exec eval system "
        "die off fecha desliga apaga para arreter fermer eteindre spegni chiudi ferma killall quitserver stopserver"
    )
)
_NAMING = _words(
    "nick nickname name username user login join register entrar registrar nome apelido nombre "
    "setname setnick rename connect hello enter auth alias identify conectar pseudo nom ident "
    "usuario utilisateur benutzer utente entra entre ingresar ingresa soy sou unirse acceder rejoindre entrer anmelden beitreten accedi entrare"
)
#: Words that ask for something (`Enter <name>:`, `ENTER NICKNAME`), and no commands, unless a protocol is written out.
_ASKING = _words(
    "use type enter digite usage uso escriba send give insert insira informe provide choose pick escolha elige"
)
_ROOMING = _words("join room entrar sala channel canal enter create joinroom join_room entrarsala criar crear")
_SAYING = _words(
    "msg message say send broadcast all chat text bcast talk falar dizer mensagem mensaje enviar publish "
    "fala fale diz diga envia manda decir di hablar habla dire dis parler parle invia parla sag sagen sende"
)
_NAMELIKE = (
    r"name|nick|nome|user|usuario|apelido|nombre|pseudo|handle|login|alias|\b(?:pre)?nom\b|\bid\b|\bwho|some(?:one|body)"
    r"|person|pessoa|\bdest|recipient|target|alguem|alguien|quem|quien|friend|amigo"
)
_TEXTLIKE = r"te?xt|messag|mensag|msg|mensaj|conte|palabra|word|texto|algo\b|something|\bbody\b|\bwhat\b|recado"
_ROOMLIKE = r"room|sala|channel|canal|group|grupo|salon|chat"
_PLACE = (
    r"<[^<>\n]{1,24}>|\[[^\[\]\n]{1,24}\]|\{[^{}\n]{1,24}\}|\([a-z_ ]{1,24}\)|\"[^\"\n]{1,24}\"|"
    r"[A-Z][A-Z_]{2,14}\b|(?:your|seu|sua|tu|new|novo|nuevo|a)[ _-]?[\w-]+|"
    r"(?:nick(?:name)?|name|nome|username|user|apelido|nombre|usuario|room|sala|channel|canal|"
    r"(?:pr[eé])?nom|pseudo|texte?|texto|message|mensagem|mensaje|msg|dest\w*|target|para|to|some(?:one|body|thing)|algu[eé]m"
    r"|alguien|algo)\b"
)
#: What parts the places of one command. A bar with blanks around it and a bare word behind it parts two commands, and so
#: do blanks before a word in capitals that has a bar or a colon of its own (`LOGIN|name MSG|text`).
_BETWEEN = r"(?![ \t]+\|[ \t]+[^<\[{(])(?![ \t]+[A-Z_]{2,14}[|:=])[ \t:|]+"
_COMMAND = re.compile(
    rf"(?<![A-Za-z_])(?P<cmd>(?!(?i:usage|uso|use|type|digite|escriba|comandos?|commands?|error|erro|err)\b)"
    rf"[/!\\.#:?]?[A-Za-z_]{{2,14}}|/[a-z](?= ?[<\[{{]))(?P<sep>[ \t]+|[:=|][ \t]?)(?P<places>(?:{_PLACE})(?:{_BETWEEN}(?:{_PLACE}))*)"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What the server wants next: `send` is the template of the answer, `expect` the last words of the question."""

    want: Want
    send: str = "{name}"
    expect: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a text names, as a template with {name}, {text}, {to} or {room}."""

    word: str
    template: str
    use: Literal["name", "room", "say", "whisper", "other"]


def last_line(text: str) -> str:
    """The last line that is not blank."""
    return next((line.strip() for line in reversed(re.split(r"[\r\n\0]", text)) if line.strip()), "")


def expectation(text: str, longest: int = 32) -> str | None:
    """The end of a question, as the words to wait for; without what varies."""
    last = re.split(r"\d", last_line(text))[-1].strip() or last_line(text)
    if len(last) > longest + 4:
        last = last[-longest:].partition(" ")[2] or last[-longest:]
    return last.strip() or None


def first_question(text: str) -> Ask | None:
    """What a greeting asks for; None when it asks for nothing."""
    plain, last = fold(text), fold(last_line(text))
    if not plain.strip():
        return None
    if re.fullmatch(r"[A-Z_]{2,16}[:?>]?", last_line(text)):
        return Ask("password" if re.search(r"pass|senha|pwd", last) else "name", expect=last_line(text))
    if re.search(_PASSWORD, last) and not re.search(NAME_WORDS, last):
        return Ask("password", expect=expectation(text))
    prompted = last.endswith((":", "?", ">", "»", "$", "=", "...", "…"))
    named = [c for c in commands(text) if c.use == "name"]
    if prompted and re.search(NAME_WORDS, re.sub(r"/\w+", "", last)) and not named:
        return Ask("name", expect=expectation(text))
    if named:
        return Ask("command", named[0].template, expectation_before(text))
    if prompted and re.search(_ROOM, last):
        return Ask("room", room_answer(text), expectation(text))
    if prompted and (chosen := choice(text)) is not None:
        return Ask("choice", chosen, expectation(text))
    if prompted or re.search(NAME_WORDS, re.sub(rf"{_GIVEN}|/\w+", "", plain)):
        return Ask("name", expect=expectation(text))
    return None


def next_question(text: str, *, named: bool = True) -> Ask | None:
    """What is asked after a first answer; None when nothing is: a welcome that ends in a colon is no question.

    `named`: the name was given; before that it may still be asked for.
    """
    plain, last = fold(text), fold(last_line(text))
    if not plain.strip():
        return None
    prompted = last.endswith((":", "?", ">", "...")) or bool(re.fullmatch(r"[A-Z_]{2,16}", last_line(text)))
    if prompted and re.search(_PASSWORD + r"|^pass|^pwd", last):
        return Ask("password", expect=expectation(text))
    if prompted and not named and (re.search(NAME_WORDS, last) or last_line(text).isupper()):
        return Ask("name", expect=expectation(text))
    if prompted and re.search(_ROOM, last) and not re.search(r"welcome|bem-?vindo|bienvenid|joined", last):
        return Ask("room", room_answer(text), expectation(text))
    if prompted and (chosen := choice(text)) is not None:
        return Ask("choice", chosen, expectation(text))
    if re.search(_REFUSED, plain) and not re.search(_TAKEN, plain):
        wanted = [c for c in commands(text) if c.use in ("name", "room")]
        if wanted:
            return Ask("command", wanted[0].template, None)
    return None


def expectation_before(text: str) -> str | None:
    """The first words of a greeting, up to whatever varies."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    words = re.split(r"[\d,!:<(\[]|user|guest|client|anon|visitante", first, maxsplit=1, flags=re.I)[0].strip()
    return words[:24].strip() if len(words) >= 3 else None


def room_answer(text: str) -> str:
    """A room to enter: the first one that is offered by its name, else the first number of a list, else one of our own.

    A list of numbers may be of other things (rules, say) where rooms are named.
    """
    offered = re.search(
        r"(?:rooms?|salas?|channels?|canais|salons?)[^:\n]{0,20}:[ \t]*\[?['\"#]?(?!\d)([\w-]{2,16})", fold(text)
    )
    if offered and offered[1] not in ("none", "nenhuma", "ninguna", "name", "nome", "nombre"):
        found = re.search(re.escape(offered[1]), text, re.IGNORECASE)
        return found[0] if found else offered[1]
    numbered = _numbered(text)
    return numbered[0][0] if numbered else "lobby"


#: An item of a menu: its number and its words.
_ITEM = re.compile(r"(?:^|(?<=[\s(\[,;:]))(\d{1,2})\s?[).:=\]-]+\s*([^\W\d_][^\d\r\n]{1,40})")
#: Words of a choice by which one comes in, and of those by which one does not.
_COMING_IN = (
    r"join|enter|chat|log ?in|sign ?in|connect|start|entrar|conversar|iniciar|conectar|acessar|ingresar|unirse|rejoindre"
    r"|beitreten|anmelden"
)
_ELSEWHERE = (
    r"exit|quit|leave|logout|sair|salir|quitter|sortir|beenden|ende\b|end\b|bye|list|who\b|online|help|ajuda|ayuda|aide|hilfe"
    r"|about|sobre|cancel|back|voltar|volver|retour|zuruck|message|mensag|mensaj|comando|command|befehl"
)


def _numbered(text: str) -> list[tuple[str, str]]:
    """The items of a menu that is numbered from one (or nought) on: number and words; none where there is no menu."""
    items = list(dict(_ITEM.findall(text)).items())
    numbers = [int(number) for number, _ in items]
    return (
        items
        if len(items) >= 2 and numbers == list(range(numbers[0], numbers[0] + len(items))) and numbers[0] < 2
        else []
    )


def choice(text: str) -> str | None:
    """What to take of a menu (`1) Join  2) Exit`), or of words in brackets behind a question (`Colour (red, blue): `).

    Whatever sounds like coming in, else the first one; nothing that leads elsewhere. None when nothing is offered.
    """
    numbered = [(number, words) for number, words in _numbered(text) if not re.search(_ELSEWHERE, fold(words))]
    if numbered:
        return next((n for n, words in numbered if re.search(_COMING_IN, fold(words))), numbered[0][0])
    asked, _, offered = last_line(text).rpartition("(" if ")" in last_line(text) else "[")
    inside, closed, behind = re.split(r"([)\]])", offered, maxsplit=1) if re.search(r"[)\]]", offered) else ("", "", "")
    words = re.split(r"\s*[,/|;]\s*|\s+(?:or|ou|o|oder)\s+", inside.strip())
    plain = closed and not re.search(r"\w", behind) and all(re.fullmatch(r"[^\W_]{1,16}", word) for word in words)
    if not plain or len(words) < 2 or re.search(rf"{NAME_WORDS}|{_ELSEWHERE}", fold(f"{asked} {inside}")):
        return None
    return words[0]


def is_refusal(text: str) -> bool:
    """Whether an answer sounds like a no."""
    return re.search(_REFUSED, fold(text)) is not None


def commands(text: str) -> list[Command]:
    """The commands that a text names with their arguments, the order kept; nothing dangerous."""
    found: dict[str, Command] = {}
    at = 0
    while (match := _COMMAND.search(text, at)) is not None:
        at = match.end("cmd")  # what looked like a command may only stand before one
        word, places = match["cmd"], re.findall(_PLACE, match["places"])
        marked, bare = not word[0].isalpha(), fold(word.lstrip("/!\\.#:?"))
        bracketed = places[0][0] in "<[{" or places[0].isupper()
        if (bare in DANGEROUS and not _addresses(bare, places)) or not (
            marked or word.isupper() or (bracketed and places[0][0] in "<[{")
        ):
            continue
        if not marked and bare in _ASKING and not (word.isupper() and places[0][0] in "<[{"):
            continue
        made = _command(word, bare, match["sep"], match["places"], room_answer(text))
        if made is not None:
            found.setdefault(made.template, made)
            at = match.end()
    for match in re.finditer(r"(?<![\w/.<])(/[A-Za-z_]{2,14})\b(?!/)", text):  # no end of a tag
        bare = fold(match[1][1:])
        known = any(c.word == match[1] or (bare == "join" and c.use == "name") for c in found.values())
        if bare in _NAMING[:20] and bare not in DANGEROUS and not known:
            found[match[1]] = Command(match[1], f"{match[1]} {{name}}", "name")
    return sorted(found.values(), key=lambda c: (c.use != "name", _rank(c)))


def _rank(command: Command) -> int:
    bare = fold(command.word.lstrip("/!\\.#:?"))
    return _NAMING.index(bare) if bare in _NAMING else len(_NAMING)


def _addresses(bare: str, places: Sequence[str]) -> bool:
    """`para` stops a server in Spanish, and says something to somebody where a name and words stand behind it."""
    return bare == "para" and [_kind(place) for place in places] == ["name", "text"]


def _command(word: str, bare: str, separator: str, shown: str, room: str) -> Command | None:
    spans = list(re.finditer(_PLACE, shown))
    places = [span[0] for span in spans]
    gap = shown[spans[0].end() : spans[1].start()] if spans[1:] else ""
    sep, between = separator if separator.strip() else " ", gap if gap.strip(" \t|") or gap == "|" else " "
    kinds = [_kind(place) for place in places[:3]]
    if sorted(kinds) == ["name", "room"] and bare in _NAMING:  # name and room at once, in either order
        said = {"name": "{name}", "room": room}
        return Command(word, word + sep + ("|" if sep == "|" else " ").join(said[kind] for kind in kinds), "name")
    if len(kinds) >= 2 and kinds[-1] == "text":
        return Command(
            word, f"{word}{sep}{{to}}{between}{{text}}", "whisper" if kinds[0] in ("name", "other") else "other"
        )
    if kinds[0] == "text" or (bare in _SAYING and kinds[0] == "other" and len(kinds) == 1):
        return Command(word, f"{word}{sep}{{text}}", "say")
    if kinds[0] == "room" or (bare in _ROOMING and kinds[0] == "room"):
        return Command(word, f"{word}{sep}{{room}}", "room")
    if kinds[0] == "name" and bare in _NAMING and len(kinds) == 1:
        return Command(word, f"{word}{sep}{{name}}", "name")
    return None


def _kind(place: str) -> str:
    plain = fold(place)
    if re.search(_TEXTLIKE, plain):
        return "text"
    if re.search(_NAMELIKE, plain):
        return "name"
    return "room" if re.search(_ROOMLIKE, plain) else "other"


def unknown_words(text: str, own: Sequence[str] = ()) -> list[str]:
    """Commands that a text shows without saying what they do: words with a mark before them, and, where the server's
    own commands (`own`) are bare words in capitals, such words that begin no line. Nothing dangerous."""
    plain = re.sub(r"(?m)^\W*[A-Z_]{2,14}\b", "", text)
    found = re.findall(r"(?<![\w/.:<>])([/.!\\][^\W\d]\w{1,13})\b(?![/\w.])", text)
    if any(word.isalpha() and word.isupper() for word in own):
        found += re.findall(r"\b([A-Z]{2,12})\b(?!:)", plain)
    known = {fold(word) for word in own}
    return [w for w in dict.fromkeys(found) if fold(w) not in known and fold(w.lstrip("/.!\\")) not in DANGEROUS]


def is_naming(bare: str) -> bool:
    """Whether a command of this word may give a name."""
    return bare in _NAMING


def is_saying(bare: str) -> bool:
    """Whether a command of this word may say something."""
    return bare in _SAYING or bare in ("w", "pm", "dm", "whisper", "tell", "private")


def is_rooming(bare: str) -> bool:
    """Whether a command of this word may enter a room."""
    return bare in _ROOMING
