"""Small chat servers as students write them, one an archetype: `python archetypes.py KIND PORT`.

Each is a function that serves one client (in a thread of its own, unless it says otherwise); none says how it speaks.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

people: dict[socket.socket, str] = {}


def tell(text: str | bytes, but: socket.socket | None = None) -> None:
    """To everybody, or to everybody else."""
    for other in list(people):
        if other is not but:
            with contextlib.suppress(OSError):
                other.sendall(text if isinstance(text, bytes) else text.encode())


def chunks(conn: socket.socket, size: int = 1024) -> Iterator[bytes]:
    """What each read brings."""
    while data := conn.recv(size):
        yield data


def lines(conn: socket.socket) -> Iterator[str]:
    """Whole lines, however they come."""
    with conn.makefile("r", encoding="utf-8", errors="replace") as text:
        for line in text:
            yield line.strip()


def none(conn: socket.socket, _: str) -> None:
    """Relays each read as it is."""
    people[conn] = ""
    for data in chunks(conn):
        tell(data, conn)


def address(conn: socket.socket, peer: str) -> None:
    """Greets, puts the peer's address in front."""
    conn.sendall(b"Welcome to this chatroom!")
    people[conn] = ""
    for data in chunks(conn):
        tell(f"<{peer}> ".encode() + data, conn)


def raw_lines(conn: socket.socket, _: str) -> None:
    """Relays whole lines."""
    people[conn] = ""
    for line in lines(conn):
        tell(line + "\n", conn)


def silent(conn: socket.socket, _: str) -> None:
    """The first read is the name; joins are told; echoes."""
    name = conn.recv(1024).decode()
    people[conn] = name
    tell(f"{name} entrou\n")
    for data in chunks(conn):
        if data == b"sair":
            return
        tell(f"{name}: {data.decode()}\n")


def late(conn: socket.socket, _: str) -> None:
    """The first read is the name, strictly ASCII; listed with the first message; nothing is told."""
    name = conn.recv(64).decode("ascii")
    for data in chunks(conn):
        people[conn] = name
        tell(f"[{name}] {data.decode('ascii')}")


def keyword(conn: socket.socket, _: str) -> None:
    """A bare word asks for the name, in the accept loop; then raw."""
    conn.sendall(b"NICK")
    name = conn.recv(1024).decode()
    people[conn] = name
    tell(f"{name} joined!")
    conn.sendall(b"Connected to server!")
    threading.Thread(target=_keyword_rest, args=(conn, name), daemon=True).start()


def _keyword_rest(conn: socket.socket, name: str) -> None:
    with contextlib.suppress(OSError):
        for data in chunks(conn):
            tell(data)
    people.pop(conn, None)
    tell(f"{name} left!")
    conn.close()


def prompt(conn: socket.socket, _: str) -> None:
    """Asks in colour, in two segments, without a newline; a carriage return before each message."""
    conn.sendall(b"\x1b[32mBem-vindo ao bate-papo!\x1b[0m\n")
    conn.sendall(b"Digite ")
    time.sleep(0.02)
    conn.sendall(b"seu apelido: ")
    name = conn.recv(1024).decode().strip()
    conn.sendall(f"Olá {name}! Para sair digite {{sair}}.".encode())
    tell(f"* {name} entrou no chat")
    people[conn] = name
    for data in chunks(conn):
        if data.decode().strip() == "{sair}":
            return
        tell(f"\r{name}: {data.decode()}", conn)


def auto(conn: socket.socket, _: str) -> None:
    """Gives a name, and lets it be changed; lines."""
    name = f"guest{len(people) + 1}"
    conn.sendall(f"Welcome, {name}. Commands: /nick NAME, /list, /msg NAME TEXT, /quit\n".encode())
    people[conn] = name
    for line in lines(conn):
        word, _, rest = line.partition(" ")
        if word == "/nick":
            people[conn] = rest
            conn.sendall(f"You are now {rest}\n".encode())
        elif word == "/list":
            conn.sendall(f"Here: {', '.join(people.values())}\n".encode())
        elif word == "/msg":
            to, _, text = rest.partition(" ")
            for other, known in list(people.items()):
                if known == to:
                    other.sendall(f"(private) {people[conn]}: {text}\n".encode())
        elif word == "/quit":
            return
        else:
            tell(f"{people[conn]}: {line}\n", conn)


def command(conn: socket.socket, _: str) -> None:
    """Nothing works before LOGIN; messages by MSG."""
    name = None
    for line in lines(conn):
        word, _, rest = line.partition(" ")
        if word == "LOGIN" and rest:
            name = people[conn] = rest
            conn.sendall(b"OK\n")
        elif name is None:
            conn.sendall(b"ERR not logged in\n")
        elif word == "MSG":
            tell(f"MSG {name} {rest}\n", conn)
        elif word == "QUIT":
            return
        else:
            conn.sendall(b"ERR unknown command\n")


def drops(conn: socket.socket, _: str) -> None:
    """Who does not say what it wants is dropped."""
    conn.sendall(b"CHAT/1.0 ready\n")
    for line in lines(conn):
        if conn not in people:
            if not line.startswith("name:"):
                conn.sendall(b"usage: name:<your name>\n")
                return
            people[conn] = line[5:].strip()
            conn.sendall(f"hi {people[conn]}, {len(people)} are here\n".encode())
        else:
            tell(f"{people[conn]} says: {line}\n", conn)


def room(conn: socket.socket, _: str) -> None:
    """A name, a room, and a command for each message."""
    name, inside = "anonymous", False
    for line in lines(conn):
        word, _, rest = line.partition(" ")
        if word == "/nick":
            name = rest
            conn.sendall(f"> all right, I will call you {name}\n".encode())
        elif word == "/join":
            inside, people[conn] = True, name
            conn.sendall(f"> welcome to {rest}\n".encode())
        elif word == "/msg" and inside:
            tell(f"> {name}: {rest}\n", conn)
        else:
            conn.sendall(f"> err: unknown command: {word}\n".encode())


def unhurried(conn: socket.socket, _: str) -> None:
    """IRC, of a server that looks once a second for those who have given their names, as InspIRCd does."""
    irc(conn, "USER", lambda: 1.0 - time.time() % 1.0)


def eager(conn: socket.socket, _: str) -> None:
    """IRC, of a server that needs no USER, as the one of the Python package irc."""
    irc(conn, "NICK", lambda: 0.0)


def irc(conn: socket.socket, last: str, after_s: Callable[[], float]) -> None:
    """A little of it: welcomes so long after the `last` of a registration's commands."""
    name, inside = "", threading.Event()

    def welcome() -> None:
        inside.set()  # first: whoever has read the welcome may join at once
        with contextlib.suppress(OSError):
            conn.sendall(f":me 001 {name} :Welcome\r\n".encode())

    for line in lines(conn):
        word, _, rest = line.partition(" ")
        if word == "NICK" and rest in people.values():
            conn.sendall(f":me 433 * {rest} :in use\r\n".encode())
            continue
        if word == "NICK":
            name = rest
        if word == last and name and not inside.is_set():
            threading.Timer(after_s(), welcome).start()
        elif word in ("NICK", "USER"):
            continue
        elif not inside.is_set():
            conn.sendall(f":me 451 {word} :You have not registered\r\n".encode())
        elif word == "JOIN":
            people[conn] = name
            tell(f":{name}!u@h JOIN {rest}\r\n")
            conn.sendall(f":me 366 {name} {rest} :End of NAMES list\r\n".encode())
        elif word == "PRIVMSG":
            tell(f":{name}!u@h {line}\r\n", conn)
        elif word == "QUIT":
            return


def steps(conn: socket.socket, _: str) -> None:
    """Asks for a name, then for a room."""
    conn.sendall(b"Enter your nickname:")
    name = conn.recv(1024).decode()
    conn.sendall(b"Enter room name (rooms: games, music):")
    where = conn.recv(1024).decode()
    conn.sendall(f"Joined {where}. Say hello!".encode())
    people[conn] = name
    for data in chunks(conn):
        tell(f"{name} -> {data.decode()}")


def menu(conn: socket.socket, _: str) -> None:
    """A menu comes first, then a name is asked for, then a colour is chosen."""
    told = lines(conn)
    conn.sendall("1) Quem está aí\n2) Entrar na conversa\n3) Sair\nOpção: ".encode())
    while next(told) != "2":
        conn.sendall("1) Quem está aí\n2) Entrar na conversa\n3) Sair\nOpção: ".encode())
    conn.sendall(b"Apelido: ")
    name = next(told)
    conn.sendall(b"Cor (verde, azul): ")
    while next(told) not in ("verde", "azul"):
        conn.sendall(b"Cor (verde, azul): ")
    conn.sendall(f"Oi, {name}!\n".encode())
    people[conn] = name
    for line in told:
        tell(f"{name} diz: {line}\n", conn)


def cuts(conn: socket.socket, _: str) -> None:
    """Takes the last byte of each read for the newline that netcat sends."""
    conn.sendall(b"Name? ")
    name = conn.recv(1024)[:-1].decode()
    people[conn] = name
    for data in chunks(conn):
        tell(f"{name}: {data[:-1].decode()}\n", conn)


def apart(conn: socket.socket, _: str) -> None:
    """Cuts each read at its newlines, and waits for none."""
    conn.sendall(b"Apelido? ")
    for data in chunks(conn):
        for line in data.decode("utf-8", "replace").split("\n"):
            if line and conn not in people:
                people[conn] = line
                conn.sendall(f"Entre, {line}!\n".encode())
            elif line:
                tell(f"{people[conn]} diz: {line}\n", conn)


def splits(conn: socket.socket, _: str) -> None:
    """Cuts each read at its newlines, and tells each piece with a newline of its own."""
    people[conn] = "?"
    for data in chunks(conn):
        for line in data.splitlines():
            if line.strip():
                tell(line + b"\n", conn)


def adds_newlines(conn: socket.socket, _: str) -> None:
    """A read is a message; its newline, or none, becomes one."""
    people[conn] = "?"
    for data in chunks(conn):
        tell(data.strip() + b"\n", conn)


def pair(conn: socket.socket, _: str) -> None:
    """Two, and no more."""
    if len(people) == 2:
        conn.sendall(b"full")
        return
    none(conn, _)


def password(conn: socket.socket, _: str) -> None:
    """Asks for a name and a password."""
    conn.sendall(b"Username: ")
    conn.recv(1024)
    conn.sendall(b"Password: ")
    conn.recv(1024)


def web(conn: socket.socket, _: str) -> None:
    """Not a chat."""
    conn.recv(1024)
    conn.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def exactly(conn: socket.socket, size: int) -> bytes:
    """So many bytes, however they come. Raises OSError at the end."""
    data = b""
    while len(data) < size:
        more = conn.recv(size - len(data))
        if not more:
            raise OSError("the end")
        data += more
    return data


def counted(conn: socket.socket, _: str) -> None:
    """A header of 64 digits comes in, bare text goes out."""

    def read() -> str:
        return exactly(conn, int(exactly(conn, 64))).decode()

    name = people[conn] = read()
    conn.sendall(f"Welcome {name}".encode())
    while (text := read()) != "!DISCONNECT":
        tell(f"[{name}] {text}", conn)


def twice(conn: socket.socket, _: str) -> None:
    """A header of 10 digits; two frames for each message, the name and the text."""

    def read() -> bytes:
        return exactly(conn, int(exactly(conn, 10)))

    def framed(data: bytes) -> bytes:
        return f"{len(data):<10}".encode() + data

    name = read()
    people[conn] = name.decode()
    while text := read():
        tell(framed(name) + framed(text), conn)


def frames(conn: socket.socket, _: str) -> None:
    """Four bytes of length, both ways; asks in a frame."""

    def framed(text: str) -> bytes:
        return len(text.encode()).to_bytes(4, "big") + text.encode()

    def read() -> str:
        size = int.from_bytes(exactly(conn, 4), "big")
        if size > 65536:
            raise OSError("no size")
        return exactly(conn, size).decode()

    conn.sendall(framed("Enter your name:"))
    name = people[conn] = read()
    tell(framed(f"{name} joined"))
    while True:
        tell(framed(f"{name}: {read()}"))


def ended(conn: socket.socket, _: str) -> None:
    """A zero byte ends each message."""
    buffer, name = b"", None
    for data in chunks(conn):
        *whole, buffer = (buffer + data).split(b"\0")
        for text in whole:
            if name is None:
                name = people[conn] = text.decode()
                tell(f"{name} joined\0")
            else:
                tell(f"{name}: {text.decode()}\0", conn)


def objects(conn: socket.socket, _: str) -> None:
    """JSON, a line each."""
    for line in lines(conn):
        told = json.loads(line)
        if told.get("type") == "join" and isinstance(told.get("username"), str):
            people[conn] = told["username"]
            tell(json.dumps({"type": "system", "content": f"{people[conn]} joined"}) + "\n")
        elif told.get("type") == "message" and conn in people:
            tell(json.dumps({"type": "message", "username": people[conn], "content": told["content"]}) + "\n", conn)


def objetos(conn: socket.socket, _: str) -> None:
    """JSON, a line each, in Portuguese; whoever says it otherwise is answered."""
    for line in lines(conn):
        try:
            dito = json.loads(line)
        except ValueError:
            conn.sendall(b'{"evento": "erro", "motivo": "isto nao se entende"}\n')
            continue
        if dito.get("evento") == "entrar" and isinstance(dito.get("apelido"), str):
            people[conn] = dito["apelido"]
            conn.sendall(json.dumps({"evento": "pronto", "apelido": people[conn]}).encode() + b"\n")
        elif dito.get("evento") == "dizer" and conn in people and isinstance(dito.get("mensagem"), str):
            tell(json.dumps({"evento": "dito", "apelido": people[conn], "mensagem": dito["mensagem"]}) + "\n", conn)
        else:
            conn.sendall(b'{"evento": "erro", "motivo": "primeiro entrar"}\n')


def bars(conn: socket.socket, _: str) -> None:
    """Commands of its own, parted by a bar; what they are stands in no answer."""
    name = None
    for line in lines(conn):
        kind, _, rest = line.partition("|")
        if kind == "CONN":
            name = people[conn] = rest
            conn.sendall(f"OK|{rest}\n".encode())
        elif kind == "PUB" and name:
            tell(f"PUB|{name}|{rest}\n")
        elif kind == "BYE":
            return
        else:
            conn.sendall(b"ERR|bad\n")


def served(kind: Callable[[socket.socket, str], None], conn: socket.socket, peer: str) -> None:
    """One client, to its end."""
    with contextlib.suppress(OSError, UnicodeError):
        kind(conn, peer)
    people.pop(conn, None)
    conn.close()


def main() -> None:
    """Accept for ever."""
    kind: Callable[[socket.socket, str], None] = globals()[sys.argv[1]]
    with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as listening:
        while True:
            conn, (host, port) = listening.accept()
            if kind is keyword:
                with contextlib.suppress(OSError, UnicodeError):
                    keyword(conn, "")
            else:
                threading.Thread(target=served, args=(kind, conn, f"{host}:{port}"), daemon=True).start()


if __name__ == "__main__":
    main()
