"""The original has the three faults that are documented for it, every time."""

from __future__ import annotations

from running_server import Client, Server, eventually


def room(server: Server, *names: str) -> list[Client]:
    """Clients that have all joined, and have read that the others did: no thread of the server is still telling it."""
    clients: list[Client] = []
    for number, name in enumerate(names, 1):
        clients.append(server.client(name))
        for other in clients[:-1]:
            wanted = {f"* user{number} entrou no chat", f"* user{number} agora e {name}"}
            while wanted:  # two threads tell them, in either order
                wanted.discard(str(other.line()))
    return clients


def test_after_a_reset_those_who_speak_are_no_longer_listened_to(original: Server) -> None:
    ana, bia, caio = room(original, "ana", "bia", "caio")
    ana.reset()
    eventually(lambda: original.printed("ConnectionResetError") == 1, "the thread that read ana has failed")

    bia.send("alguem ai?")
    eventually(lambda: original.printed("BrokenPipeError") >= 1, "and so has bia's, who only spoke")
    bia.send("ola?")
    back = original.client()  # ana comes back, and is greeted
    back.send("/nick ana")
    assert back.until("Agora")[-1] == "* Agora voce e ana"
    back.send("voltei")

    caio.send("/whisper caio fence")
    heard = caio.until("fence")
    assert not any(line.startswith("<") for line in heard)
    assert original.process.poll() is None


def test_after_a_reset_nobody_hears_anybody_once_each_has_spoken(original: Server) -> None:
    bia, caio, ana = room(original, "bia", "caio", "ana")
    ana.reset()
    eventually(lambda: original.printed("ConnectionResetError") == 1, "the thread that read ana has failed")
    caio.hears(bia, "bia fala")  # ana is last in the list: the first message still arrives
    eventually(lambda: original.printed("BrokenPipeError") == 1, "bia is no longer read")
    bia.hears(caio, "caio fala")
    eventually(lambda: original.printed("BrokenPipeError") == 2, "nor is caio")
    alive = 1 + 3  # main, and a host for each: a thread lives for a moment after its traceback
    eventually(lambda: original.threads() == alive, "each has lost its reader")
    davi = original.client()
    eventually(lambda: original.printed("BrokenPipeError") == 3, "davi's announcement failed")
    davi.send("alguem ai?")
    eventually(lambda: original.printed("BrokenPipeError") == 4, "and so did his first message")
    eventually(lambda: original.threads() == alive, "he left no thread")


def test_who_closed_without_a_farewell_is_not_introduced_on_return(original: Server) -> None:
    ana, bia = room(original, "ana", "bia")
    ana.close()
    bia.until("* ana saiu do chat")
    back = original.stranger()
    bia.until("* user1 entrou no chat")
    back.send("/nick ana")
    assert back.line() == "* Agora voce e ana"  # the first thing it hears at all


def test_who_was_reset_is_introduced_on_return(original: Server) -> None:
    """Hence "sometimes"."""
    ana, _ = room(original, "ana", "bia")
    ana.reset()
    eventually(lambda: original.printed("ConnectionResetError") == 1, "the reset was noticed")
    assert original.client().introduction[0] == "Bem-vindo ao chat, user3!"


def test_the_thread_and_the_socket_of_each_departed_client_live_on(original: Server) -> None:
    bia = original.client("bia")
    guests: list[Client] = []
    for number in range(
        2, 8
    ):  # nobody comes while others are still told of the one before: that would be unread at the close
        newcomer = original.client()
        for other in (bia, *guests):
            other.until(f"* user{number} entrou no chat")
        guests.append(newcomer)
    before = original.threads()
    for count in range(1, 7):
        guests.pop().close()  # has read all it was sent: so this is a FIN
        for other in (bia, *guests):
            other.until("saiu do chat")
        eventually(lambda n=count: original.threads() == before - n, "the reader ends")  # type: ignore[misc]
    assert original.threads() == 1 + 2 + 6  # main, bia's two, and a host for each who is gone
    assert original.sockets().count("CLOSE_WAIT") == 6


def test_the_thread_of_a_reset_client_lives_on_too(original: Server) -> None:
    clients = [original.client() for _ in range(4)]
    clients[2].until("* user4 entrou no chat")
    before = original.threads()
    for count, client in enumerate(clients, 1):  # one by one: threads that end together print into each other's lines
        client.reset()
        eventually(lambda n=count: original.printed("ConnectionResetError") == n, "the reset was noticed")  # type: ignore[misc]
    eventually(lambda: original.threads() == before - 4, "each has lost its reader")
    assert original.threads() == 1 + 4  # and keeps its host
