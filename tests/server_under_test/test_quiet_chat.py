"""While nothing goes wrong, all three servers do the same job."""

from __future__ import annotations

import itertools
import signal
import socket
import subprocess
import sys

import pytest
from conftest import Start
from running_server import ROOT, Client, Server, eventually

SERVERS = ("original", "patched", "reference")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, start: Start) -> Server:
    return start(request.param)


def test_a_newcomer_is_introduced_and_announced(server: Server) -> None:
    ana = server.client()
    bia = server.client()
    assert ana.introduction[0] == "Bem-vindo ao chat, user1!"
    assert ana.introduction[1].startswith("Comandos: /nick NOME, /whisper NOME MENSAGEM, ")
    assert bia.introduction[0] == "Bem-vindo ao chat, user2!"
    assert ana.line() == "* user2 entrou no chat"


def test_a_message_reaches_all_others_under_the_name_of_its_sender(server: Server) -> None:
    ana, bia, caio = (server.client(name) for name in ("ana", "bia", "caio"))
    ana.send("bom dia, açaí ☕")
    assert bia.until("bom dia")[-1] == "<ana> bom dia, açaí ☕"
    assert caio.until("bom dia")[-1] == "<ana> bom dia, açaí ☕"
    assert not any("bom dia" in line for line in ana.hears(bia, "fence"))


def test_a_new_name_is_told_to_all_others(server: Server) -> None:
    ana, bia = server.client(), server.client()
    bia.send("/nick bia")
    assert ana.until("agora")[-1] == "* user2 agora e bia"
    assert bia.line() == "* Agora voce e bia"


def test_a_whisper_reaches_its_addressee_alone(server: Server) -> None:
    ana, bia, caio = (server.client(name) for name in ("ana", "bia", "caio"))
    ana.send("/whisper bia um segredo bem guardado")
    assert bia.until("segredo")[-1] == "[ana -> bia] um segredo bem guardado"
    assert ana.until("privada")[-1] == "* Mensagem privada enviada a bia"
    assert not any("segredo" in line for line in caio.hears(ana, "fence"))


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/nick", "* Uso: /nick NOME"),
        ("/whisper", "* Uso: /whisper NOME MENSAGEM"),
        ("/whisper bia", "* Uso: /whisper NOME MENSAGEM"),
        ("/whisper ninguem oi", "* Usuario ninguem nao encontrado"),
    ],
)
def test_a_command_that_cannot_be_obeyed_is_answered(server: Server, line: str, answer: str) -> None:
    ana = server.client()
    ana.send(line)
    assert ana.line() == answer


def test_a_polite_leave_is_answered_announced_and_closed(server: Server) -> None:
    ana, bia = server.client("ana"), server.client("bia")
    before = server.threads()
    for _ in range(3):
        caio = server.client("caio")
        caio.send("/quit")
        assert caio.rest()[-1] == "* Ate logo, caio!"
        caio.close()
        assert "* caio saiu do chat" in ana.until("saiu")
    assert bia.hears(ana, "ainda aqui")
    eventually(lambda: server.threads() == before and len(server.sockets()) == 2, "threads and sockets given back")


def test_who_returns_after_a_polite_leave_is_introduced_again(server: Server) -> None:
    for _ in range(3):
        ana = server.client("ana")
        assert ana.introduction[0].startswith("Bem-vindo")
        ana.send("/quit")
        ana.rest()


def test_twenty_talk_at_once_and_each_hears_all_others_whole_and_in_order(server: Server) -> None:
    names = [f"nome{number}" for number in range(20)]
    room = {name: server.client(name) for name in names}
    for round_ in range(10):
        for name, client in room.items():
            client.send(*(f"{name} diz {round_ * 5 + number}" for number in range(5)))
    expected = {name: [f"<{name}> {name} diz {number}" for number in range(50)] for name in names}
    for name, client in room.items():
        heard = [line for line in said(client, 19 * 50) if line.startswith("<")]
        for other in set(names) - {name}:
            assert [line for line in heard if line.startswith(f"<{other}>")] == expected[other]


def said(client: Client, count: int) -> list[str]:
    """The next `count` messages, notices left out."""
    lines = iter(client.line, None)  # type: ignore[arg-type]
    return list(itertools.islice((line for line in lines if line.startswith("<")), count))


def test_two_hundred_lines_in_one_segment_are_two_hundred_messages(server: Server) -> None:
    ana, bia = server.client("ana"), server.client("bia")
    ana.send(*(f"linha {number}" for number in range(200)))
    assert said(bia, 200) == [f"<ana> linha {number}" for number in range(200)]


def test_a_line_in_many_segments_is_one_message(server: Server) -> None:
    ana, bia = server.client("ana"), server.client("bia")
    ana.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # really many segments
    for byte in "pão de açúcar\r\n".encode():
        ana.raw(bytes([byte]))
    assert said(bia, 1) == ["<ana> pão de açúcar"]


def test_empty_lines_are_no_messages(server: Server) -> None:
    ana, bia = server.client("ana"), server.client("bia")
    ana.raw(b"\n\r\n   \n\n")
    ana.send("fence")
    assert said(bia, 1) == ["<ana> fence"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_its_port_is_free_at_once(server: Server, start: Start, number: signal.Signals) -> None:
    ana, bia = server.client("ana"), server.client("bia")
    server.process.send_signal(number)
    server.process.wait(2)
    assert ana.rest() is not None
    assert bia.rest() is not None
    with pytest.raises(ConnectionRefusedError):
        server.stranger()
    name = str(server.process.args[2]).rsplit(".", 1)[1]  # type: ignore[index]
    again = start(name, port=server.port)
    assert again.client().introduction[0] == "Bem-vindo ao chat, user1!"


@pytest.mark.parametrize("path", ["original.py", "patched.py", "reference"])
def test_it_can_be_started_by_its_path(path: str) -> None:
    command = [sys.executable, f"server_under_test/{path}", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("listening on 127.0.0.1:")
        process.terminate()
