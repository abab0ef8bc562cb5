"""What a server promises to everybody who comes in: read from its words, and only where they leave nothing open."""

from __future__ import annotations

import re

import pytest

from harness.dialect.promises import idle_s, resumption


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Welcome to the AFK bar. Who says nothing for 6 seconds is disconnected.\nNick?", 6),
        ("Idle clients are dropped after 10 s.", 10),
        ("Olá! Você será desconectado após 5 segundos de inatividade.", 5),
        ("Quem fica 8s sem falar é desconectado", 8),
        ("Aviso: 4 segundos sin escribir y se cierra la conexión", 4),
        ("Déconnexion après 30 secondes d'inactivité", 30),
        ("Inaktive Gäste werden nach 7 Sekunden getrennt.", 7),
        ("Inactivity timeout: 2 minutes", 120),
    ],
)
def test_an_idle_time_is_read(text: str, seconds: float) -> None:
    assert idle_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "Answer PING or be disconnected as idle after 5 s",  # who answers is not silent
        "Sin decir nada en 300 s se apaga tu farol.",  # nothing is said of a connection
        "Idle for 5 s you are away, after 20 s you are disconnected",  # which of the two?
        "3 idle users. Disconnect with /quit",
        "Messages are kept for 60 s",
        "Please log in within 5 seconds or be disconnected",
        "Please be silent. Lunch closes in 10 minutes!",
    ],
)
def test_what_is_no_plain_promise_is_not_taken_for_one(text: str) -> None:
    assert idle_s(text) is None


PHOENIX = (
    "Phoenix chat. Your name? (or: resume TOKEN)\n* hello {0}. Your session token is {1}: after a lost connection say "
    '"resume {1}" within 90 s, you get your name and what you missed back.\n* /who lists, /bye ends\n'
)
SENHA = "OLA\nOK ola {0}, sua senha e {1}\nOK se cair, /retomar <senha> devolve o nome e as mensagens perdidas\n"


@pytest.mark.parametrize(
    ("text", "send"), [(PHOENIX, "resume {token}"), (SENHA, "/retomar {token}")], ids=["in quotes", "as a place"]
)
def test_how_a_session_is_resumed_is_read(text: str, send: str) -> None:
    shown = [("zeldab", text.format("zeldab", "f6f09d9711")), ("yurib", text.format("yurib", "0a1b2c3d4e"))]
    found = resumption(shown)
    assert found is not None
    assert found.send == send
    for name, words in shown:
        token = re.search(found.token, words.replace(name, "ana"))
        assert token is not None
        assert token[1] in ("f6f09d9711", "0a1b2c3d4e")


@pytest.mark.parametrize(
    "text",
    [
        "RETORNO - ENTRAR NOME, ou RETOMAR SENHA para voltar\nOK ola {0}, sua senha e {1}\n",  # nothing is said of messages
        "Hello {0}, you are guest {1}. You missed nothing.\n",  # no command
        "Hello {0}. Say resume TOKEN to get what you missed.\n",  # no token
    ],
)
def test_half_a_promise_is_none(text: str) -> None:
    assert (
        resumption([("zeldab", text.format("zeldab", "f6f09d9711")), ("yurib", text.format("yurib", "0a1b2c3d4e"))])
        is None
    )
