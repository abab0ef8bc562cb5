"""What a line asks for. Each command is one function of (room, client, rest of the line), and stands in COMMANDS.

A line that begins with `/` is a command, any other a message. What is wrong with a line is said to its sender alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import journal
from .wording import MAX_NAME, valid_name, visible

if TYPE_CHECKING:
    from .client import Client
    from .room import Room

USAGE = "Comandos: /nick NOME, /whisper NOME MENSAGEM, /list, /resume TOKEN, /pong, /help, /quit"
_SHOWN_COMMAND = 32  # characters of an unknown command that are repeated in the answer


def obey(room: Room, client: Client, line: str) -> None:
    """Do what `line` asks for."""
    text = visible(line)
    if not text.startswith("/"):
        if text.strip():
            room.say(client, text)
        return
    word, _, rest = text.partition(" ")
    command = COMMANDS.get(word.rstrip())
    if command is None:
        client.tell(f"* Comando desconhecido: {word[:_SHOWN_COMMAND]} (veja /help)")
    else:
        command(room, client, rest.strip())


def _nick(room: Room, client: Client, rest: str) -> None:
    name = valid_name(rest)
    if not rest:
        client.tell("* Uso: /nick NOME")
    elif name is None:
        client.tell(f"* Nome invalido: use ate {MAX_NAME} letras, digitos, _ ou -")
    elif room.rename(client, name):
        client.tell(f"* Agora voce e {name}")
    else:
        client.tell(f"* O nome {name} ja esta em uso")


def _whisper(room: Room, client: Client, rest: str) -> None:
    name, _, text = rest.partition(" ")
    if not text.strip():
        client.tell("* Uso: /whisper NOME MENSAGEM")
        return
    other = room.owner(name)
    if other is None:
        client.tell(f"* Usuario {name[:MAX_NAME]} nao encontrado")
        return
    other.tell(f"[{client.session.name} -> {other.session.name}] {text}")
    client.tell(f"* Mensagem privada enviada a {other.session.name}")


def _list(room: Room, client: Client, rest: str) -> None:
    client.tell("Usuarios: " + ", ".join(each.session.name for each in room.clients.values()))


def _resume(room: Room, client: Client, rest: str) -> None:
    session = room.session(rest)
    if not rest:
        client.tell("* Uso: /resume TOKEN")
    elif session is None:
        client.tell("* Sessao desconhecida ou expirada")
    elif session is client.session:
        client.tell("* Voce ja esta nesta sessao")
    else:
        if session.client is not None:  # its old connection may be dead without our knowing: the new one counts
            session.client.part("* Sessao retomada em outra conexao", "superseded")
        missed = room.resume(client, session)
        if missed is None:
            client.tell(f"* O nome {session.name} esta em uso por outra pessoa; tente mais tarde")
        else:
            _replay(client, *missed)


def _replay(client: Client, lines: list[bytes], complete: bool) -> None:
    client.tell(f"* Sessao retomada, {client.session.name}")
    client.tell(f"Token: {client.session.token}")
    if not complete:
        client.tell("* As mensagens mais antigas se perderam")
    client.tell(f"* Mensagens perdidas: {len(lines)}")
    for line in lines:
        client.tell_bytes(line)
    journal.info("resumed", client=client.number, name=client.session.name, missed=len(lines), complete=complete)


def _pong(room: Room, client: Client, rest: str) -> None:
    """The answer to PING. That a line came is all there is to it."""


def _help(room: Room, client: Client, rest: str) -> None:
    client.tell(USAGE)


def _quit(room: Room, client: Client, rest: str) -> None:
    client.part(f"* Ate logo, {client.session.name}!", "quit", for_good=True)


COMMANDS: dict[str, Callable[[Room, Client, str], None]] = {
    "/nick": _nick,
    "/whisper": _whisper,
    "/list": _list,
    "/resume": _resume,
    "/pong": _pong,
    "/help": _help,
    "/quit": _quit,
}
