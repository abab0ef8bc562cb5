"""Correct. A header of 10 characters, as in the tutorial with `select`: what a client hears comes in two frames, name and text.

A frame that is too long, or whose header is no number, ends its connection.
"""

import select
import socket
import sys
import unicodedata

HEADER_LENGTH = 10
LONGEST = 60000

server_socket = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
server_socket.setblocking(False)
clients = {}  # socket -> {"came": bytearray, "name": bytes, "out": bytearray}


def frame(data):
    return f"{len(data):<{HEADER_LENGTH}}".encode() + data


def clean(data):
    text = data.decode("utf-8", "replace")
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).strip().encode()


def put(sock, data):
    user = clients[sock]
    user["out"] += data
    try:
        del user["out"][: sock.send(user["out"])]
    except BlockingIOError:
        pass
    except OSError:
        user["out"].clear()
    return len(user["out"]) < 4 << 20


def broadcast(name, text, but):
    for other in [s for s, user in clients.items() if s is not but and user["name"]]:
        if other in clients and not put(other, frame(name) + frame(text)):
            drop(other)


def drop(sock):
    user = clients.pop(sock, None)
    if user:
        sock.close()
        if user["name"]:
            broadcast(b"server", user["name"] + b" left", None)


def frames(user):
    """Whole frames; None for one that is none."""
    while len(user["came"]) >= HEADER_LENGTH:
        digits = bytes(user["came"][:HEADER_LENGTH]).strip()
        if not digits.isdigit() or int(digits) > LONGEST:
            yield None
            return
        end = HEADER_LENGTH + int(digits)
        if len(user["came"]) < end:
            return
        data = bytes(user["came"][HEADER_LENGTH:end])
        del user["came"][:end]
        yield data


def read(sock):
    user = clients[sock]
    try:
        data = sock.recv(65536)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    if not data:
        drop(sock)
        return
    user["came"] += data
    for data in frames(user):
        text = clean(data) if data is not None else None
        if text is None or (not user["name"] and not (text.isalnum() and len(text) <= 20)):
            drop(sock)
        elif not user["name"]:
            user["name"] = text
            put(sock, frame(b"server") + frame(b"welcome " + text))
            broadcast(b"server", text + b" joined", sock)
        elif text:
            broadcast(user["name"], text, sock)
        if sock not in clients:
            return


while True:
    full = [s for s, user in clients.items() if user["out"]]
    readable, writable, _ = select.select([server_socket, *clients], full, [])
    for sock in readable:
        if sock is server_socket:
            try:
                client, _ = server_socket.accept()
            except OSError:
                select.select([], [], [], 0.05)
                continue
            if client.fileno() >= 1000:  # select(2) can look at no more
                client.close()
                continue
            client.setblocking(False)
            clients[client] = {"came": bytearray(), "name": b"", "out": bytearray()}
        elif sock in clients:
            read(sock)
    for sock in writable:
        if sock in clients and not put(sock, b""):
            drop(sock)
