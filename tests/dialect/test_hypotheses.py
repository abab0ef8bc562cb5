"""What a text lets one guess: the question it asks, the commands it names, in four languages."""

from __future__ import annotations

import pytest

from harness.dialect.hypotheses import Ask, choice, commands, first_question, is_refusal, next_question, room_answer
from harness.dialect.masking import fold
from harness.dialect.unspoken import Signs, foreign, reason_of

#: Words that might stop a server or throw somebody out: no guess ever sends them.
DANGEROUS = ("shutdown", "stop", "kill", "kick", "ban", "clear", "delete", "restart", "reboot", "halt")


@pytest.mark.parametrize(
    ("greeting", "want", "expect"),
    [
        ("Enter your name: ", "name", "Enter your name:"),
        ("Username:", "name", "Username:"),
        ("Welcome to the chat!\nWhat is your nickname?\n", "name", "What is your nickname?"),
        ("Login> ", "name", "Login>"),
        ("Digite seu nome de usuário: ", "name", "Digite seu nome de usuário:"),
        ("Bem-vindo ao chat!\r\nInforme o seu nome:\r\n", "name", "Informe o seu nome:"),
        ("¿Cuál es tu nombre? ", "name", "¿Cuál es tu nombre?"),
        ("\x1b[1;36mNome: \x1b[0m".replace("\x1b[1;36m", "").replace("\x1b[0m", ""), "name", "Nome:"),
        ("NICK", "name", "NICK"),
        ("<hello/>\0<login>send your name</login>\0", "name", "<login>send your name</login>"),
        ("NICK\n", "name", "NICK"),
        ("SUBMIT_NAME\n", "name", "SUBMIT_NAME"),
        ("Who are you?", "name", "Who are you?"),
        ("Please enter your username to join the chat\n", "name", "your username to join the chat"),
        ("Commands: /quit, /list\nEnter your name: ", "name", "Enter your name:"),
        ("Password:", "password", "Password:"),
        ("Senha: ", "password", "Senha:"),
        ("Enter the room to join:", "room", "Enter the room to join:"),
        ("PASS", "password", "PASS"),
    ],
)
def test_a_question_is_known_by_its_last_words(greeting: str, want: str, expect: str) -> None:
    asked = first_question(greeting)
    assert asked is not None
    assert (asked.want, asked.expect) == (want, expect)


@pytest.mark.parametrize(
    "greeting",
    [
        "", "\r\n", "Welcome to the chat server!\n", "Bem-vindo ao chat!\n", "Bienvenido al chat\n",
        "Hello. 3 people online.\r\n", "Welcome! Your username is user12\n", "Seu nome é convidado3.\n",
    ],
)  # fmt: skip
def test_a_greeting_that_asks_nothing_is_no_question(greeting: str) -> None:
    assert first_question(greeting) is None


@pytest.mark.parametrize(
    ("greeting", "send"),
    [
        ("Welcome user1! Use /nick to change your name.\n", "/nick {name}"),
        ("Bem-vindo, user1! Use /nick NOME para trocar de nome.\n", "/nick {name}"),
        ("Bienvenido cliente3. Escribe /nick para cambiarlo.\n", "/nick {name}"),
        ("You are guest7. Type /name NAME to change it.\n", "/name {name}"),
        ("Please register: JOIN <name>\n", "JOIN {name}"),
        ("usage: name:<your name>\n", "name:{name}"),
        ("Send USER <username> first\n", "USER {name}"),
        ("RECIBO v2. Diga USUARIO <nombre>\n", "USUARIO {name}"),
        ("Comandos: /entrar <apelido>, /sair\n", "/entrar {name}"),
        ("Pronto. Comandos: ENTRA nome | FALA texto | QUEM | SAI\n", "ENTRA {name}"),
        ("HELLO|v1|LOGIN|name MSG|text LIST| QUIT|\n", "LOGIN|{name}"),
        ("+READY JOIN <name> <room>\r\n", "JOIN {name} lobby"),
        ("Rooms: garden, cellar. Say /join ROOM NAME\n", "/join garden {name}"),
        ("LOGIN|<nick>|<room>\n", "LOGIN|{name}|lobby"),
    ],
)
def test_the_command_for_a_name_is_taken_from_the_greeting(greeting: str, send: str) -> None:
    asked = first_question(greeting)
    assert asked is not None
    assert (asked.want, asked.send) == ("command", send)


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("Welcome, ana! Type your messages:\n", None),
        ("Olá ana! Bem-vindo ao chat.\n", None),
        ("ana joined\nPassword:", "password"),
        ("Enter room name: ", "room"),
        ("ERROR: not registered. Usage: JOIN <name>\n", "command"),
        ("Name in use. Use /nick NAME for another.\n", None),
    ],
)
def test_a_second_question_is_only_what_surely_is_one(text: str, ask: str | None) -> None:
    found = next_question(text)
    assert (found.want if found else None) == ask


def test_the_commands_of_a_text_are_told_apart_by_their_arguments() -> None:
    found = commands("Commands: /nick NAME, /join <room>, /say <text>, /msg USER TEXT, /quit, /list")
    assert {(c.template, c.use) for c in found} == {
        ("/nick {name}", "name"),
        ("/join {room}", "room"),
        ("/say {text}", "say"),
        ("/msg {to} {text}", "whisper"),
    }


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("/para NOME TEXTO", "/para {to} {text}"),
        ("?to NAME TEXT", "?to {to} {text}"),
        ("Para mensagem privada use /privado:nome:mensagem", "/privado:{to}:{text}"),
        ("/msg nome: texto", "/msg {to}: {text}"),
        ("/tell someone something", "/tell {to} {text}"),
        ("/w <who> <what>", "/w {to} {text}"),
        ("/cochicho <pessoa> <recado>", "/cochicho {to} {text}"),
    ],
)
def test_a_whisper_is_written_as_the_text_writes_it(text: str, template: str) -> None:
    assert [(c.template, c.use) for c in commands(text)] == [(template, "whisper")]


@pytest.mark.parametrize("text", ["ENTER NICKNAME", "Enter <nickname>:", "Informe [nome]: ", "SEND NAME:"])
def test_a_question_in_the_manner_of_a_command_is_a_question(text: str) -> None:
    asked = first_question(text)
    assert asked is not None
    assert (asked.want, asked.send) == ("name", "{name}")


def test_a_word_that_stops_a_server_is_not_said_for_a_whisper_without_words_behind_it() -> None:
    assert [c.template for c in commands("/para NOMBRE | /stop <nombre> <texto>")] == []


@pytest.mark.parametrize(
    ("text", "templates"),
    [
        ("Comandos: ENTRA nome | FALA texto | QUEM | SAI", ["ENTRA {name}", "FALA {text}"]),
        ("/nick NAME | /msg TEXT | /quit", ["/nick {name}", "/msg {text}"]),
        ("LOGIN:name MSG:text", ["LOGIN:{name}", "MSG:{text}"]),
        ("MSG|to|text", ["MSG|{to}|{text}"]),
        ("usage: MSG <to> | <text>", ["MSG {to} {text}"]),
        ("Commandes : /qui, /mp prénom texte, /partir", ["/mp {to} {text}"]),
        ("/pseudo nom | /mp pseudo message | /fin", ["/pseudo {name}", "/mp {to} {text}"]),
    ],
)
def test_commands_that_stand_side_by_side_are_not_taken_for_one(text: str, templates: list[str]) -> None:
    assert [c.template for c in commands(text)] == templates


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("1) Join the chat\n2) Who is online\n3) Exit\nYour choice: ", "1"),
        ("[0] Sair\n[1] Entrar na conversa\nOpção: ", "1"),
        ("1 - Registrar  2 - Ajuda  3 - Sair\n> ", "1"),
        ("Votre couleur (rouge, vert, bleu) : ", "rouge"),
        ("Pick a team [red/blue]? ", "red"),
        ("Enter your name (letters, digits): ", None),
        ("Type a message (quit or list): ", None),
        ("Age (1-99): ", None),
        ("[10:30] Time: 10:30, 2: x\n> ", None),
        ("1) Help\n2) Exit\n> ", None),
    ],
)
def test_what_is_chosen_of_an_offer_leads_into_the_chat(question: str, answer: str | None) -> None:
    assert choice(question) == answer
    asked, further = first_question(question), next_question(question)
    assert (asked is not None and asked.want == "choice") == (answer is not None)
    assert (further.send if further else None) == answer


def test_a_name_is_asked_for_after_a_choice_but_not_twice() -> None:
    assert next_question("Nickname: ", named=False) == Ask("name", expect="Nickname:")
    assert next_question("Nickname: ") is None


@pytest.mark.parametrize(
    "text",
    [
        "/kick <user>  /ban <name>  /shutdown  /stop <name>  SHUTDOWN <name>  KILL <user>  /nick <name>",
        "Usage: DELETE <name>",
        "/restart NAME or /reboot NAME",
    ],
)
def test_nothing_dangerous_is_ever_taken_from_a_text(text: str) -> None:
    assert not [c for c in commands(text) if any(word in fold(c.template) for word in DANGEROUS)]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Available rooms: Games, Music\nChoose a room:", "Games"),
        ("Salas: geral, jogos\nSala: ", "geral"),
        ("1. General\n2. Random\nRoom:", "1"),
        ("Salas: 1-Futebol 2-Musica 3-Cinema\nNumero da sala: ", "1"),
        ("Which channel?", "lobby"),
        ("Rules:\n 1. be kind\n 2. be short\n\nRooms: red, blue. Enter one with /join ROOM", "red"),
    ],
)
def test_a_room_that_is_offered_is_taken(text: str, answer: str) -> None:
    assert room_answer(text) == answer


@pytest.mark.parametrize("text", ["err: unknown command: x", "Usuário inválido", "You must join a room first", "ERR"])
def test_a_refusal_is_known_by_its_words(text: str) -> None:
    assert is_refusal(text) == (text != "ERR")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"\xac\xed\x00\x05sr", "Java objects"),
        (b"\x80\x04\x95\x10\x00", "pickled"),
        (b"\x15\x03\x01\x00\x02", "TLS"),
        (b"-----BEGIN PUBLIC KEY-----\nMII", "encrypted"),
        (bytes(range(256)), "encrypted"),
    ],
)
def test_what_is_not_spoken_is_named(data: bytes, what: str) -> None:
    found = foreign(data)
    assert found is not None
    assert what in found
    assert what in reason_of([data], [], Signs())


@pytest.mark.parametrize(
    "data",
    [
        b"Welcome",
        "Olá, qual é o seu nome? ".encode(),
        b"NICK",
        b"",
        b"220 parlour ready, say NICK <name>\r\n",
        b"\x00\x05hello",
    ],
)
def test_a_chat_is_not_taken_for_something_else(data: bytes) -> None:
    assert foreign(data) is None


def test_a_number_that_mail_servers_greet_with_is_a_guess_only_when_nothing_else_was_found() -> None:
    assert "SMTP" in reason_of([b"220 host.example\r\n"], [], Signs())
    assert foreign(b"220 mx1.example ESMTP\r\n") == foreign(b"220 (vsFTPd 3.0.5)\r\n") == "SMTP or FTP"


def test_an_ask_is_answered_with_the_name_unless_it_says_otherwise() -> None:
    assert Ask("name").send == "{name}"
