"""A chat server with one planted fault: `python planted.py PORT FAULT`. Without a fault it is correct.

lock       the departure of a client is announced while the lock is held that announcing takes
reset      a connection that is reset ends its client's thread, and nobody tidies up
iteration  the set of clients is gone through while others join and leave
decode     a line that is not UTF-8 ends its client's thread
kept       a client that is gone stays in the list of clients
"""

from __future__ import annotations

import socket
import sys
import threading

fault = sys.argv[2] if len(sys.argv) > 2 else ""
lock = threading.Lock()
clients: dict[socket.socket, str] = {}


def broadcast(text: str, sender: socket.socket | None = None) -> None:
    if fault == "iteration":
        for other in clients:
            if other is not sender:
                tell(other, text)
        return
    with lock:
        others = [other for other in clients if other is not sender]
    for other in others:
        tell(other, text)


def tell(other: socket.socket, text: str) -> None:
    try:
        other.sendall(f"{text}\n".encode())
    except OSError:
        if fault != "reset":
            leave(other)


def leave(sock: socket.socket) -> None:
    if fault == "kept":
        return
    if fault == "lock":
        with lock:
            name = clients.pop(sock, None)
            if name:
                broadcast(f"* {name} left")
        return
    with lock:
        name = clients.pop(sock, None)
    if name:
        broadcast(f"* {name} left")


def lines(sock: socket.socket):  # type: ignore[no-untyped-def]
    rest = b""
    while True:
        try:
            data = sock.recv(4096)
        except OSError:
            if fault == "reset":
                raise
            return
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "strict" if fault == "decode" else "replace").rstrip("\r")


def serve(sock: socket.socket) -> None:
    tell(sock, "name?")
    said = lines(sock)
    name = next(said, None)
    if name is not None:
        with lock:
            clients[sock] = name
        tell(sock, f"welcome, {name}")
        broadcast(f"* {name} joined", sock)
        for line in said:
            if line == "/quit":
                break
            broadcast(f"<{name}> {line}", sock)
    leave(sock)
    if fault != "kept":
        sock.close()


def main() -> None:
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as server:
        while True:
            sock, _ = server.accept()
            threading.Thread(target=serve, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
