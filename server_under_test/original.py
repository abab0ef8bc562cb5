"""The chat server as it was first written: one list of clients, and for each client two threads.

One thread (`host`) lets a client in, waits until it has left, and tidies up. The other (`listen`) reads its lines.
While everybody stays, or leaves with `/quit`, this works. It breaks when somebody just vanishes.

Known faults, kept on purpose; nothing below was put in to cause them:

1. *After somebody was cut off, messages no longer reach the others.* A reset connection makes `listen` end with
   ConnectionResetError, and nobody takes that client off the list. The next `broadcast` fails at its dead socket:
   those behind it in the list hear nothing, and the exception ends the thread that was reading the innocent *speaker*.
   One after the other, everybody who speaks (or merely joins) is no longer listened to.
2. *Who comes back is sometimes not introduced.* `introduced` remembers which numbers have heard the introduction.
   Whoever closes without `/quit` gives the number back, but stays in that set: the next client of that number, often
   the same person, is met with silence. (A reset client never gives its number back, so then the introduction comes.)
3. *The threads of those who left live on.* `host` waits for `left`, and only `/quit` sets it. After any other
   departure it waits for ever, and keeps the socket open too (CLOSE_WAIT).

All three have one root: the tidying up is written for `/quit`, and copied, in part, for the end of the input.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import sys
import threading

COMMANDS = "Comandos: /nick NOME, /whisper NOME MENSAGEM, /quit"


class Client:
    """One connection, its number and its name."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self.name = f"user{number}"
        self.left = threading.Event()

    def send(self, text: str) -> None:
        self.sock.sendall(f"{text}\n".encode())


clients: list[Client] = []
numbers: set[int] = set()  # in use
introduced: set[int] = set()  # have heard the introduction: nobody needs it twice


def broadcast(text: str, sender: Client) -> None:
    """Tell everybody but the sender."""
    for client in clients.copy():
        if client is not sender:
            client.send(text)


def introduce(client: Client) -> None:
    if client.number not in introduced:
        client.send(f"Bem-vindo ao chat, {client.name}!\n{COMMANDS}")
        introduced.add(client.number)


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
    for other in clients.copy():
        if other.name == words[1]:
            other.send(f"[{client.name} -> {other.name}] {words[2]}")
            client.send(f"* Mensagem privada enviada a {other.name}")
            return
    client.send(f"* Usuario {words[1]} nao encontrado")


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
                client.left.set()
                return
    clients.remove(client)
    numbers.discard(client.number)
    broadcast(f"* {client.name} saiu do chat", client)


def host(client: Client) -> None:
    """Let one client in, wait until it has left, and tidy up."""
    introduce(client)
    clients.append(client)
    news = f"* {client.name} entrou no chat"  # its name, before it can change it
    threading.Thread(target=listen, args=(client,), daemon=True).start()
    broadcast(news, client)
    client.left.wait()
    clients.remove(client)
    numbers.discard(client.number)
    introduced.discard(client.number)
    broadcast(f"* {client.name} saiu do chat", client)
    client.sock.close()


def serve(address: str, port: int) -> None:
    """Accept clients for ever; each gets the lowest number that is free."""
    with socket.create_server((address, port)) as server:  # sets SO_REUSEADDR
        print(f"listening on {address}:{server.getsockname()[1]}", file=sys.stderr, flush=True)
        while True:
            sock, _ = server.accept()
            number = next(n for n in itertools.count(1) if n not in numbers)
            numbers.add(number)
            threading.Thread(target=host, args=(Client(sock, number),), daemon=True).start()


def main() -> None:
    parser = argparse.ArgumentParser(description="The chat server as it was first written, with its faults.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000, help="0: any free port (default: 5000)")
    options = parser.parse_args()
    try:
        serve(options.host, options.port)
    except KeyboardInterrupt:
        print("bye", file=sys.stderr)


if __name__ == "__main__":
    main()
