"""What the pictures say, in English (the key) and in Brazilian Portuguese."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[..., str]


def speaker(lang: str) -> Say:
    """A function that gives a sentence in this language, its `{fields}` filled in."""
    table = PORTUGUESE if lang == "pt-BR" else {}

    def say(sentence: str, /, **values: object) -> str:
        found = table.get(sentence, sentence)
        return found.format(**values) if values else found

    return say


def seconds(value_s: float, lang: str) -> str:
    """A time for people: two or three digits that matter."""
    text = f"{value_s:.3f} s" if value_s < 10 else f"{value_s:.2f} s"
    return text.replace(".", ",") if lang == "pt-BR" else text


PORTUGUESE: dict[str, str] = {
    "Who did what, when": "Quem fez o quê, e quando",
    "server": "servidor",
    "newcomers": "novos",
    "crowd": "multidão",
    "others": "outros",
    "via proxy": "via proxy",
    "{count} clients": "{count} clientes",
    "{count} visits": "{count} visitas",
    # parts of a play
    "the server starts": "o servidor inicia",
    "the scenario": "o cenário",
    "the fault is over": "a falha acabou",
    "those who stayed talk": "quem ficou conversa",
    "newcomers come": "chegam clientes novos",
    "everybody leaves, newcomers in an empty room": "todos saem, clientes novos em sala vazia",
    "at rest": "em repouso",
    "the fault again": "a falha de novo",
    "the end": "o fim",
    "the server is told to end": "o servidor é mandado encerrar",
    # what happens
    "connects": "conecta",
    "comes back": "volta",
    "connects and joins": "conecta e entra",
    "comes back and joins": "volta e entra",
    "{count} connect": "{count} conectam",
    "{count} connect and join": "{count} conectam e entram",
    "is not let in": "não é atendido",
    "{count} are not let in": "{count} não são atendidos",
    "{count} bytes: {data}": "{count} bytes: {data}",
    "and {count} more": "e mais {count}",
    "cannot connect: {error}": "não consegue conectar: {error}",
    "{count} cannot connect: {error}": "{count} não conseguem conectar: {error}",
    "all hear it": "todos ouvem",
    "heard": "ouvida",
    "heard after {time}": "ouvida depois de {time}",
    "never heard by {who}": "{who} nunca ouve",
    "{count} messages, all heard": "{count} mensagens, todas ouvidas",
    "1 message, heard": "1 mensagem, ouvida",
    "{count} messages, {lost} deliveries lost": "{count} mensagens, {lost} entregas perdidas",
    "hello, heard by nobody": "hello, ninguém ouve",
    "{time} of silence": "{time} de silêncio",
    "says good-bye; FIN, FIN": "despede-se; FIN, FIN",
    "says good-bye": "despede-se",
    "leaves: FIN": "sai: FIN",
    "half-close: FIN, still listens": "half-close: FIN, ainda escuta",
    "RST": "RST",
    "its process is killed": "seu processo é morto",
    "vanishes: no FIN, no RST": "some: sem FIN, sem RST",
    "{count} leave: {how}": "{count} saem: {how}",
    "good-bye": "despedida",
    "killed": "mortos",
    "silence": "silêncio",
    "not heard by all, and need not be": "nem todos ouvem, nem precisam",
    "{count} messages that need not be heard": "{count} mensagens que não precisam ser ouvidas",
    "server closes: FIN": "servidor fecha: FIN",
    "server closes: RST": "servidor fecha: RST",
    "the connection ends: FIN": "a conexão termina: FIN",
    "the connection ends: RST": "a conexão termina: RST",
    "the connection breaks": "a conexão quebra",
    "{count} connections end: {how}": "{count} conexões terminam: {how}",
    "claims {size} MiB": "anuncia {size} MiB",
    "{what}: {taken} KiB of {offered}": "{what}: {taken} KiB de {offered}",
    "a knock: {outcome}": "alguém bate à porta: {outcome}",
    "refused": "recusada",
    "accepted": "aceita",
    "reset": "reset",
    "timeout": "tempo esgotado",
    "the fault again, with others: does anything grow?": "a falha de novo, com outros: algo cresce?",
    "{count} more events": "mais {count} eventos",
    "not heard": "não ouvida",
    "toxic on": "toxic ativo",
    "server down": "servidor parado",
    # the server
    "listens": "escuta",
    "{signal}": "{signal}",
    "ends": "encerra",
    "ends by itself": "encerra sozinho",
    "does not end": "não encerra",
    "is killed": "é morto",
    "is frozen": "é congelado",
    "runs on": "volta a rodar",
    "cannot start": "não consegue iniciar",
    "limits": "limites",
    "limits lifted": "limites retirados",
    "also: {ids}": "também: {ids}",
    "the server {what}": "o servidor {what}",
    # plots
    "How long messages take": "Quanto demoram as mensagens",
    "reaches everybody": "chega a todos",
    "lost": "perdida",
    "How many clients are connected": "Quantos clientes estão conectados",
    "connected": "conectados",
    "could not connect": "não conseguiu conectar",
    "What the server's process uses": "O que o processo do servidor usa",
    "threads": "threads",
    "descriptors": "descritores",
    "memory, MB": "memória, MB",
    "measured": "medido",
    "at rest, before the fault": "em repouso, antes da falha",
    # a connection on the wire
    "A connection on the wire": "Uma conexão na rede",
    "client": "cliente",
    "{who} leaves politely": "{who} sai com despedida",
    "{who} leaves without a word": "{who} sai sem se despedir",
    "{who} resets the connection": "{who} derruba a conexão com RST",
    "{who}'s process is killed": "o processo de {who} é morto",
    "{who} closes one half": "{who} fecha um dos lados",
    "{who} vanishes": "{who} some",
    "nobody listens": "ninguém escuta",
    "{count} packets, {data} bytes": "{count} pacotes, {data} bytes",
    "RST answers the SYN: the connection is refused": "RST responde ao SYN: a conexão é recusada",
    "RST: what was on its way is lost": "RST: o que estava a caminho se perde",
    "FIN from both sides: an orderly end": "FIN dos dois lados: um fim em ordem",
    "FIN without a good-bye; the server answered it with its own": "FIN sem despedida; o servidor respondeu com o seu",
    "FIN from one side only was captured": "só o FIN de um dos lados foi capturado",
    "FIN from the server only": "FIN só do servidor",
    "FIN from {who} only: the server never closed its side": "FIN só de {who}: o servidor nunca fechou o seu lado",
    "FIN from {who} only; the server's came {time} later, when it was told to end: CLOSE_WAIT until then": (
        "FIN só de {who}; o do servidor veio {time} depois, quando recebeu ordem de encerrar: CLOSE_WAIT até lá"
    ),
    "FIN from both sides, but the server's came {time} after that of {who}": (
        "FIN dos dois lados, mas o do servidor veio {time} depois do de {who}"
    ),
    "{who} had closed, and the server wrote on: RST": "{who} já tinha fechado, e o servidor continuou escrevendo: RST",
    "the server ended it with RST, not with FIN": "o servidor encerrou com RST, não com FIN",
    "{time} later": "{time} depois",
    "{time} later: told to end": "{time} depois: mandado encerrar",
    "retransmission": "retransmissão",
}
