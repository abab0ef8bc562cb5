"""The chat server after its repair: one thread for each client, and a lock around the list of clients.

What was repaired: ConnectionResetError is handled, a client that is gone is taken off the list and its socket closed,
every use of the list holds `lock`, and one function, `greet`, receives every newcomer. Whoever leaves with `/quit`, or
closes the connection properly (FIN), leaves nothing behind.

Known fault, kept on purpose; nothing below was put in to cause it:

*After somebody was cut off, the room stops.* `vanished` takes the reset client off the list and tells the others, all
while it holds `lock`; but `broadcast` takes `lock` itself, and a `threading.Lock` cannot be taken twice, not even by
its owner. That thread waits for itself, for ever, and everybody else who speaks, joins or leaves waits behind it. (When
`broadcast` is the first to notice the reset, it calls `vanished` with the lock held, and the same happens.) The server
looks alive: it runs, accepts and greets everybody who comes, and passes nobody's message on.

`threading.RLock` would hide it. Better: do under the lock what concerns the list, and send after it was given back.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import sys
import threading

COMMANDS = "Comandos: /nick NOME, /whisper NOME MENSAGEM, /quit"


class Client:
    """One connection and its name."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.name = f"user{number}"

    def send(self, text: str) -> None:
        self.sock.sendall(f"{text}\n".encode())


clients: list[Client] = []
lock = threading.Lock()  # around every use of `clients`


def broadcast(text: str, sender: Client) -> None:
    """Tell everybody but the sender."""
    with lock:
        for client in clients:
            if client is sender:
                continue
            try:
                client.send(text)
            except ConnectionResetError:
                vanished(client)
            except OSError:
                continue  # it closed properly: its own thread is about to take it off the list


def vanished(client: Client) -> None:
    """The connection was cut: take the client off the list and tell the others."""
    with lock:
        if client in clients:
            clients.remove(client)
        broadcast(f"* {client.name} saiu do chat", client)


def leave(client: Client) -> None:
    """The client left: take it off the list, then tell the others."""
    with lock:
        known = client in clients
        if known:
            clients.remove(client)
    if known:
        broadcast(f"* {client.name} saiu do chat", client)


def greet(client: Client) -> None:
    """Receive a newcomer: the one place where a client is introduced."""
    client.send(f"Bem-vindo ao chat, {client.name}!\n{COMMANDS}")


def join(client: Client) -> None:
    with lock:
        clients.append(client)
    broadcast(f"* {client.name} entrou no chat", client)


def rename(client: Client, words: list[str]) -> None:
    if len(words) < 2:
        client.send("* Uso: /nick NOME")
        return
    old, client.name = client.name, words[1]
    client.send(f"* Agora voce e {client.name}")
    broadcast(f"* {old} agora e {client.name}", client)


def whisper(client: Client, words: list[str]) -> None:
    if len(words) < 3:
        client.send("* Uso: /whisper NOME MENSAGEM")
        return
    with lock:
        found = [other for other in clients if other.name == words[1]]
    try:
        if found:
            found[0].send(f"[{client.name} -> {words[1]}] {words[2]}")
    except ConnectionResetError:
        vanished(found[0])
    except OSError:
        found = []  # it closed properly: its own thread is about to take it off the list
    client.send(f"* Mensagem privada enviada a {words[1]}" if found else f"* Usuario {words[1]} nao encontrado")


def obey(client: Client, line: str) -> bool:
    """Do what one line asks for; False when the client said goodbye."""
    words = line.split(maxsplit=2)
    if not words:
        return True
    if words[0] == "/quit":
        client.send(f"* Ate logo, {client.name}!")
        return False
    if words[0] == "/nick":
        rename(client, words)
    elif words[0] == "/whisper":
        whisper(client, words)
    else:
        broadcast(f"<{client.name}> {line}", client)
    return True


def listen(client: Client) -> None:
    """Read one client's lines until it says goodbye or its input ends."""
    with client.sock.makefile("r", encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            if not obey(client, line.rstrip("\r\n")):
                return


def host(client: Client) -> None:
    """The life of one client, from the greeting to the farewell."""
    try:
        greet(client)
        join(client)
        listen(client)
        leave(client)
    except ConnectionResetError:
        vanished(client)
    except OSError:
        leave(client)
    finally:
        client.sock.close()


def serve(address: str, port: int) -> None:
    """Accept clients for ever; a number is never given twice."""
    with socket.create_server((address, port)) as server:  # sets SO_REUSEADDR
        print(f"listening on {address}:{server.getsockname()[1]}", file=sys.stderr, flush=True)
        for number in itertools.count(1):
            sock, _ = server.accept()
            threading.Thread(target=host, args=(Client(sock, number),), daemon=True).start()


def main() -> None:
    parser = argparse.ArgumentParser(description="The chat server after its repair, with the fault that remained.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000, help="0: any free port (default: 5000)")
    options = parser.parse_args()
    try:
        serve(options.host, options.port)
    except KeyboardInterrupt:
        print("bye", file=sys.stderr)


if __name__ == "__main__":
    main()
