"""What a greeting lets one guess: in which order hypotheses are tried, in English, Portuguese and Spanish."""

from __future__ import annotations

import pytest

from harness.dialect.hypotheses import Kind, classify, features, hypotheses
from harness.dialect.masking import fold
from harness.dialect.profile import Profile

#: Words that might stop a server or throw somebody out: no guess ever sends them.
DANGEROUS = ("shutdown", "stop", "kill", "kick", "ban", "clear", "delete", "restart", "reboot", "halt")


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"", "silent"),
        (b"\r\n", "silent"),
        (b"Enter your name: ", "prompt"),
        (b"Username:", "prompt"),
        (b"Welcome to the chat!\nWhat is your nickname?\n", "prompt"),
        (b"Login> ", "prompt"),
        ("Digite seu nome de usuário: ".encode(), "prompt"),
        (b"Digite seu apelido: ", "prompt"),
        (b"Bem-vindo ao chat!\r\nInforme o seu nome:\r\n", "prompt"),
        ("¿Cuál es tu nombre? ".encode(), "prompt"),
        (b"Introduce tu nombre de usuario: ", "prompt"),
        (b"\x1b[1;36mNome: \x1b[0m", "prompt"),
        (b"NICK", "keyword"),
        (b"NICK\n", "keyword"),
        (b"SUBMIT_NAME\n", "keyword"),
        (b"Welcome user1! Use /nick to change your name.\n", "auto"),
        (b"Bem-vindo, user1! Use /nick NOME para trocar de nome.\n", "auto"),
        (b"Bienvenido cliente3. Escribe /nick para cambiarlo.\n", "auto"),
        (b"Welcome to the chat server!\n", "greeting"),
        (b"Bem-vindo ao chat!\n", "greeting"),
        (b"Bienvenido al chat\n", "greeting"),
        (b"Hello. 3 people online.\r\n", "greeting"),
    ],
)
def test_a_typical_greeting_is_of_its_kind(greeting: bytes, kind: Kind) -> None:
    assert classify(greeting).kind == kind


def test_the_command_for_a_name_is_taken_from_the_greeting() -> None:
    assert classify(b"You are guest7. Type /name NAME to change it.\n").rename == "/name"
    first = hypotheses(classify(b"You are guest7. Type /name NAME to change it.\n"))[0]
    assert first.auto
    assert first.login[-1].send == "/name {name}"
    assert first.login[0].expect == "You are"


@pytest.mark.parametrize(
    ("greeting", "expect"),
    [
        (b"Enter your name: ", "Enter your name:"),
        (b"Welcome!\nDigite seu apelido: ", "Digite seu apelido:"),
        (b"SUBMITNAME\n", "SUBMITNAME"),
    ],
)
def test_a_prompt_is_answered_with_the_name_once_its_last_words_have_come(greeting: bytes, expect: str) -> None:
    first = hypotheses(classify(greeting))[0]
    assert first.framing == "line"
    assert [(s.expect, s.send) for s in first.login] == [(expect, "{name}")]


@pytest.mark.parametrize(
    ("greeting", "first"),
    [
        (b"", "first line is the name"),
        (b"Welcome to the chat server!\n", "raw lines"),
        (b"Enter your name: ", "prompt, lines"),
        (b"Bem-vindo, user1! Use /nick NOME\n", "given name, lines"),
    ],
)
def test_the_likeliest_guess_comes_first(greeting: bytes, first: str) -> None:
    assert hypotheses(classify(greeting))[0].name == first


@pytest.mark.parametrize("greeting", [b"", b"name: ", b"NICK", b"hi user1, /nick changes it\n", b"Welcome\n"])
def test_the_simplest_servers_are_tried_whatever_the_greeting(greeting: bytes) -> None:
    names = [profile.name for profile in hypotheses(classify(greeting))]
    assert {"raw lines", "first line is the name", "login by /nick"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("greeting", [b"", b"name: ", b"NICK", b"hi user1, /nick changes it\n", b"/shutdown /kick\n"])
def test_nothing_dangerous_is_ever_sent(greeting: bytes) -> None:
    for profile in hypotheses(classify(greeting)):
        found = features(profile, classify(greeting).text)
        sent = [step.send or "" for step in found.login]
        sent += [found.leave or "", found.list or "", found.whisper or "", found.rename or ""]
        assert not [text for text in sent if any(word in fold(text) for word in DANGEROUS)]


@pytest.mark.parametrize(
    ("greeting", "found"),
    [
        (b"Commands: /list, /quit, /msg USER TEXT", ("/quit", "/list", "/msg {to} {text}")),
        (b"Comandos: /usuarios /sair", ("/sair", "/usuarios", None)),
        (b"Use /WHO or /Exit", ("/exit", "/who", None)),
        (b"see http://example.org/list and /quitting", (None, None, None)),
        (b"/w NAME TEXT whispers, /who lists", (None, "/who", "/w {to} {text}")),
        (b"", (None, None, None)),
    ],
)
def test_the_words_for_leaving_listing_and_whispering_are_read(
    greeting: bytes, found: tuple[str | None, str | None, str | None]
) -> None:
    profile = features(Profile(), classify(greeting).text)
    assert (profile.leave, profile.list, profile.whisper) == found


def test_what_is_declared_is_not_replaced_by_what_is_read() -> None:
    assert features(Profile(leave="/bye"), "/quit to leave").leave == "/bye"
