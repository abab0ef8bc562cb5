"""The reference server stands what breaks the other two, and what the world has beyond that."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from conftest import Start
from running_server import ROOT, Client, Server, eventually

# -- those who vanish


@pytest.mark.parametrize("position", [0, 1, 2])
def test_after_a_reset_the_others_go_on_and_who_returns_is_one_of_them(reference: Server, position: int) -> None:
    room = [reference.client(name) for name in ("ana", "bia", "caio")]
    names = ["ana", "bia", "caio"]
    for _ in range(5):
        room.pop(position).reset()
        one, other = room
        assert f"* {names[position]} saiu do chat" in one.until("saiu")
        for round_ in range(3):
            assert other.hears(one, f"rodada {round_}")
            assert one.hears(other, f"volta {round_}")
        back = reference.client(names[position])  # its name is free at once
        assert back.introduction[0].startswith("Bem-vindo")
        assert one.hears(back, "voltei")
        assert back.hears(other, "que bom")
        room.insert(position, back)


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_the_departed_leave_nothing_behind(reference: Server, leave: str) -> None:
    bia = reference.client("bia")
    threads = reference.threads()
    for _ in range(30):
        guest = reference.client()
        getattr(guest, leave)()
        bia.until("saiu do chat")
    eventually(lambda: len(reference.sockets()) == 1, "their sockets are closed")
    assert reference.threads() == threads
    bia.send("/list")
    assert bia.until("Usuarios:")[-1] == "Usuarios: bia"


def test_what_came_before_the_end_of_input_is_delivered_and_a_half_line_is_not(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    ana.raw(b"ultima\nmeia linh")
    ana.close()
    heard = bia.until("saiu")
    assert heard[-2:] == ["<ana> ultima", "* ana saiu do chat"]


def test_a_half_closed_client_is_sent_what_is_due_and_then_closed(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    ana.send("/list", "oi")
    ana.sock.shutdown(socket.SHUT_WR)
    assert any(line.startswith("Usuarios: ") for line in ana.rest())
    assert bia.until("saiu")[-2] == "<ana> oi"


def test_connecting_and_leaving_at_once_harms_nobody(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    for number in range(100):
        stranger = reference.stranger()
        stranger.reset() if number % 2 else stranger.close()
    assert bia.hears(ana, "ainda aqui")
    eventually(lambda: len(reference.sockets()) == 2, "their sockets are closed")


def test_a_quit_ends_with_fin_on_both_sides(reference: Server) -> None:
    ana = reference.client("ana")
    ana.send("/quit")
    assert ana.rest() == ["* Ate logo, ana!"]  # the end of the stream, not a reset
    ana.close()
    eventually(lambda: reference.sockets() == [], "the server has closed too")


# -- those who send odd things


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xe2\x82",
        b"\xf4\x90\x80\x80",
        b"\xff\xfe o\x00i\x00",
        b"\x16\x03\x01\x02\xfc",
    ],
)
def test_a_line_that_is_not_utf8_is_refused_to_its_sender_alone(reference: Server, data: bytes) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    ana.raw(b"antes " + data + b"\n")
    assert ana.until("recusada")[-1] == "* Linha recusada: nao e UTF-8"
    assert "<ana> antes" not in "".join(bia.hears(ana, "depois"))


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\rb", "a␍b"),
        ("a\x00b\x7f", "a␀b␡"),
        ("a\x85b\x9b", "a<U+0085>b<U+009B>"),
        ("a\u2028<bia> oi", "a<U+2028><bia> oi"),
        ("\u202eoi\u2066", "<U+202E>oi<U+2066>"),
        ("tab\taqui", "tab\taqui"),
        ("%s%n {0} ${x} '; --", "%s%n {0} ${x} '; --"),
        ("👩‍👩‍👧 ação", "👩‍👩‍👧 ação"),
    ],
)
def test_control_characters_are_shown_and_all_else_is_passed_on(reference: Server, sent: str, heard: str) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    ana.send(sent, f"/whisper bia {sent}")
    assert bia.until("<ana>")[-1] == f"<ana> {heard}"
    assert bia.line() == f"[ana -> bia] {heard}"


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a\tb", "a\x1b", "\u3164", "\u200b", "a\u202eb", "\xa0", "x" * 25, "a>", "<ana>", "a\u2028b", "ﷺ" * 2],
)
def test_a_name_that_cannot_be_is_refused(reference: Server, name: str) -> None:
    ana = reference.client()
    ana.send(f"/nick {name}", "/list")
    answer, listed = ana.line(), ana.line()
    assert answer == "* Nome invalido: use ate 24 letras, digitos, _ ou -" or (
        not name.strip() and "Uso" in str(answer)
    )
    assert listed == "Usuarios: user1"


@pytest.mark.parametrize("lookalike", ["ana", "ANA", "ａｎａ", "Ana"])
def test_a_name_that_is_taken_is_refused_until_its_owner_is_gone(reference: Server, lookalike: str) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    bia.send(f"/nick {lookalike}")
    assert "ja esta em uso" in str(bia.line())
    assert ana.hears(bia, "sou eu")[-1] == "<bia> sou eu"
    ana.reset()
    bia.until("saiu")
    bia.send(f"/nick {lookalike}")
    assert bia.until("Agora")


def test_a_line_too_long_is_reported_once_and_the_next_one_counts(start: Start) -> None:
    server = start("reference", "--max-line", "100")
    ana, bia = server.client("ana"), server.client("bia")
    ana.send("x" * 100)
    assert bia.until("<ana>")[-1] == "<ana> " + "x" * 100
    ana.raw(b"y" * 300_000)
    assert ana.until("longa")[-1] == "* Linha longa demais: o maximo sao 100 bytes"
    ana.raw(b"y" * 300_000 + b"\n")
    assert bia.hears(ana, "depois") == ["<ana> depois"]
    ana.send("/list")
    assert str(ana.line()).startswith("Usuarios:")


def test_an_endless_line_costs_no_memory(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    before = memory(reference)
    for _ in range(256):
        ana.raw(b"z" * 65536)
    ana.raw(b"\n")
    assert bia.hears(ana, "fim")
    assert memory(reference) - before < 8 * 2**20


def memory(server: Server) -> int:
    with open(f"/proc/{server.process.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/foo bar", "* Comando desconhecido: /foo (veja /help)"),
        ("/", "* Comando desconhecido: / (veja /help)"),
        ("/resume", "* Uso: /resume TOKEN"),
        ("/resume 0000000000000000", "* Sessao desconhecida ou expirada"),
        ("/help", "Comandos: /nick NOME, /whisper NOME MENSAGEM, /list, /resume TOKEN, /pong, /help, /quit"),
    ],
)
def test_every_command_has_an_answer(reference: Server, line: str, answer: str) -> None:
    ana = reference.client("ana")
    ana.send(line)
    assert ana.line() == answer


def test_an_http_request_is_no_message(reference: Server) -> None:
    bia, browser = reference.client("bia"), reference.stranger()
    browser.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert browser.rest()[-1] == "* Isto e um chat, nao um servidor HTTP"
    assert not any(line.startswith("<") for line in bia.until("saiu"))


# -- those who are slow, silent or too fast


def test_a_reader_that_does_not_read_is_dropped_and_nobody_waits_for_it(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    stalled = reference.client("caio", receive_buffer=4096)
    ana.until("caio")
    sent = 0
    slowest = 0.0
    while not reference.events("left"):
        assert sent < 4 * 2**20, "4 MiB, and the reader that does not read is still there"
        before = time.monotonic()
        bia.hears(ana, f"{sent} " + "m" * 4000)
        slowest = max(slowest, time.monotonic() - before)
        sent += 4000
        if sent > 2**20:  # enough: now it is a matter of time
            eventually(lambda: bool(reference.events("left")), "it is dropped")
    assert reference.events("left")[0]["reason"] == "slow reader"
    assert slowest < 0.5
    bia.hears(ana, "sem caio")
    stalled.close()


def test_a_flood_is_slowed_down_and_nothing_of_it_is_lost(reference: Server) -> None:
    ana, bia, caio = (reference.client(name) for name in ("ana", "bia", "caio"))
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(ana.send, *(f"m{number}" for number in range(6000)))
        assert caio.hears(bia, "oi")
        heard = [line for line in caio.until("<ana> m5999") if line.startswith("<ana>")]
        flood.result()
    assert len(heard) + 1 > 6000 - 5000  # what was heard before bia spoke is not in it
    assert heard == [f"<ana> m{number}" for number in range(6000 - len(heard), 6000)]
    assert reference.events("slowed")


def test_a_silent_client_is_pinged_and_any_line_keeps_it(start: Start) -> None:
    server = start("reference", "--idle", "0.8", "--heartbeat", "0.2")
    ana, bia = server.client("ana"), server.client("bia")
    pinged = 0
    left = False
    while not left or pinged < 6:  # that is longer than the idle time
        line = ana.line()
        assert line is not None
        left = left or line == "* bia saiu do chat"
        if line == "PING":
            pinged += 1
            ana.send("/pong")
    bia_heard = bia.rest()
    assert bia_heard[-1] == "* Desconectado por inatividade"
    assert "PING" in bia_heard


def test_bytes_that_never_become_a_line_are_no_sign_of_life(start: Start) -> None:
    server = start("reference", "--idle", "0.5")
    ana = server.client("ana")
    ana.sock.settimeout(0.1)
    deadline = time.monotonic() + 3
    while True:
        assert time.monotonic() < deadline
        try:
            line = ana.line()
        except TimeoutError:
            ana.raw(b".")
        else:
            assert line == "* Desconectado por inatividade"
            break


# -- limits


def test_more_than_max_clients_are_refused_with_a_word(start: Start) -> None:
    server = start("reference", "--max-clients", "2")
    ana, bia = server.client("ana"), server.client("bia")
    assert server.stranger().rest() == ["* Servidor cheio: tente mais tarde"]
    assert bia.hears(ana, "so nos duas")
    ana.close()
    bia.until("saiu")
    assert server.client("caio")


def test_without_descriptors_newcomers_are_refused_and_taken_in_again_afterwards(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    pid = reference.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    highest = max(int(fd) for fd in descriptors(pid))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1, limits[1]))
    for _ in range(20):
        assert reference.stranger().rest() == ["* Servidor sem recursos: tente mais tarde"]
    assert bia.hears(ana, "ainda aqui")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert ana.hears(reference.client("caio"), "cheguei")


def test_with_not_even_the_reserve_it_waits_without_spinning(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    pid = reference.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    waiting = reference.stranger()
    eventually(lambda: bool(reference.events("out of descriptors")), "the shortage was noticed")
    before = cpu_s(pid)
    assert bia.hears_nothing_for(0.5)  # this is the time over which the processor is watched
    assert cpu_s(pid) - before < 0.1
    assert bia.hears(ana, "ainda aqui")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert str(waiting.line()).startswith("Bem-vindo")


def descriptors(pid: int) -> list[str]:
    return [path.name for path in Path(f"/proc/{pid}/fd").iterdir()]


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


# -- those who come back


def token(client: Client) -> str:
    return client.introduction[-1].removeprefix("Token: ")


def resumed(server: Server, token_: str, **options: int) -> list[str]:
    """What a new connection is told after `/resume`, from the first line of the answer on; ends with a fence."""
    back = server.client(**options)  # type: ignore[arg-type]
    back.send(f"/resume {token_}", "/help")
    lines = back.until("Comandos:")[:-1]
    return lines[next(index for index, line in enumerate(lines) if line.startswith("* Sessao")) :]


def test_who_resumes_has_its_name_and_what_it_missed_once(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    bia.hears(ana, "ouvida")
    bia.send("de bia")
    bia.reset()
    ana.until("saiu")
    ana.send("perdida 1", "perdida 2")
    ana.send("/list")
    ana.until("Usuarios")
    assert resumed(reference, token(bia)) == [
        "* Sessao retomada, bia",
        f"Token: {token(bia)}",
        "* Mensagens perdidas: 2",
        "<ana> perdida 1",
        "<ana> perdida 2",
    ]
    assert ana.until("agora e")[-1] == "* user3 agora e bia"


def test_who_resumes_while_its_old_connection_seems_alive_takes_it_over(reference: Server) -> None:
    """A line that went dead in silence: what its far end never acknowledged was missed, the rest was not."""
    ana = reference.client("ana")
    bia = reference.client("bia", receive_buffer=16384)
    ana.until("bia")
    lines = [f"m{number} " + "x" * 1000 for number in range(200)]
    ana.send(*lines)  # bia does not read: its kernel takes some of them
    ana.send("/list")
    ana.until("Usuarios")
    answer = resumed(reference, token(bia))
    replayed = [line for line in answer if line.startswith("<ana>")]
    assert answer[0] == "* Sessao retomada, bia"
    first = 200 - len(replayed)
    assert 0 < first < 200
    assert replayed == [f"<ana> {line}" for line in lines[first:]]
    arrived = bia.sock.recv(2**20)
    assert f"<ana> {lines[first - 1]}\n".encode() in arrived + drained(bia)


def drained(client: Client) -> bytes:
    data = b""
    while more := client.sock.recv(2**20):
        data += more
    return data


def test_a_session_whose_name_was_taken_meanwhile_cannot_be_resumed_yet(reference: Server) -> None:
    ana, bia = reference.client("ana"), reference.client("bia")
    ana.close()
    bia.until("saiu")
    bia.send("/nick ana")
    bia.until("Agora")
    back = reference.client()
    back.send(f"/resume {token(ana)}")
    assert back.line() == "* O nome ana esta em uso por outra pessoa; tente mais tarde"
    bia.send("/nick bia")
    bia.until("Agora")
    back.send(f"/resume {token(ana)}")
    assert back.until("Sessao")[-1] == "* Sessao retomada, ana"


def test_a_session_ends_with_quit_and_with_time(start: Start) -> None:
    server = start("reference", "--resume", "0.1", "--heartbeat", "0.3")
    ana, bia = server.client("ana"), server.client("bia")
    ana.send("/quit")
    ana.rest()
    assert resumed(server, token(ana)) == ["* Sessao desconhecida ou expirada"]
    bia.close()
    server.client().until("PING")  # that long it takes
    assert resumed(server, token(bia)) == ["* Sessao desconhecida ou expirada"]


def test_an_own_session_needs_no_resuming(reference: Server) -> None:
    ana = reference.client("ana")
    ana.send(f"/resume {token(ana)}")
    assert ana.line() == "* Voce ja esta nesta sessao"


# -- the end


def test_a_shutdown_is_told_to_everybody_and_ends_in_order_under_traffic(start: Start) -> None:
    server = start("reference")
    room = [server.client() for _ in range(10)]
    room[0].send(*["conversa"] * 500)
    began = time.monotonic()
    server.process.terminate()
    for client in room:
        assert client.rest()[-1] == "* Servidor encerrando"
        client.close()
    assert server.process.wait(1) == 0
    assert time.monotonic() - began < 1


def test_a_client_that_does_not_read_does_not_delay_the_shutdown(reference: Server) -> None:
    ana = reference.client("ana")
    reference.client("bia", receive_buffer=4096)
    ana.until("bia")
    ana.send(*["m" * 1000] * 250)
    ana.send("/list")
    ana.until("Usuarios")
    began = time.monotonic()
    reference.process.terminate()
    assert reference.process.wait(2) == 0
    assert time.monotonic() - began < 1


def test_a_port_that_is_taken_is_said_in_one_line(reference: Server) -> None:
    command = [sys.executable, "-m", "server_under_test.reference", "--port", str(reference.port)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=5, check=False)
    assert second.returncode == 1
    assert second.stderr == f"cannot listen on 127.0.0.1:{reference.port}: Address already in use\n"


def test_the_log_is_one_json_object_a_line(reference: Server) -> None:
    ana = reference.client("ana")
    ana.send('oi"}\x1b')
    ana.close()
    eventually(lambda: bool(reference.events("left")), "the departure is logged")
    entries = [json.loads(line) for line in reference.output]
    assert [entry["event"] for entry in entries if entry["level"] == "info"] == ["joined", "renamed", "left"]
    assert all({"at", "level", "event"} <= set(entry) for entry in entries)
