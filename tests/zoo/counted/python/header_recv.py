"""Defect (delivers): `recv(n)` is taken for n bytes: a message that comes in two segments is two, and all behind it is lost.

The header has 64 characters, as everybody's; a thread a client.
"""

import socket
import struct
import sys
import threading
import time

HEADER = 64
FORMAT = "utf-8"
DISCONNECT = "!DISCONNECT"
clients = {}
lock = threading.Lock()


def send(conn, msg):
    message = msg.encode(FORMAT)
    try:
        conn.sendall(str(len(message)).encode(FORMAT).ljust(HEADER) + message)
    except OSError:
        pass


def broadcast(msg, but=None):
    with lock:
        others = [c for c in clients if c is not but]
    for conn in others:
        send(conn, msg)


def receive(conn):
    """The next message; None at the end."""
    length = conn.recv(HEADER)
    if not length.strip().isdigit():
        return None if not length else ""
    return conn.recv(min(int(length), 65536)).decode(FORMAT, "replace")


def handle_client(conn):
    name = None
    try:
        name = receive(conn)
        if not name or not name.isalnum():
            name = None
            return
        with lock:
            clients[conn] = name
        send(conn, f"Welcome, {name}")
        broadcast(f"{name} has joined", conn)
        while (msg := receive(conn)) is not None and msg != DISCONNECT:
            msg = "".join(c if c.isprintable() or c == "\u200d" else " " for c in msg)
            if msg:
                broadcast(f"[{name}] {msg}", conn)
    except OSError:
        pass
    finally:
        with lock:
            clients.pop(conn, None)
        conn.close()
        if name:
            broadcast(f"{name} has left")


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        conn, _ = server.accept()
    except OSError:
        time.sleep(0.1)
        continue
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
    threading.Thread(target=handle_client, args=(conn,), daemon=True).start()
