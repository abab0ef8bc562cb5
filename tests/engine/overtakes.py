"""Raw lines by select(); what the kernel does not take waits, and (with `overtakes`) newer words are sent before it."""

import contextlib
import select
import socket
import sys

OVERTAKES = "overtakes" in sys.argv[2:]
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
waiting: dict[socket.socket, bytearray] = {}
halves: dict[socket.socket, bytes] = {}


def give(to: socket.socket, line: bytes) -> None:
    if waiting[to] and not OVERTAKES:
        waiting[to] += line
        return
    taken = 0
    with contextlib.suppress(OSError):
        taken = to.send(line)
    waiting[to] += line[taken:]


while True:
    writable = [conn for conn, rest in waiting.items() if rest]
    for conn in select.select([server, *waiting], [], [], 0.001 if writable else None)[0]:
        if conn is server:
            new = server.accept()[0]
            new.setblocking(False)
            waiting[new], halves[new] = bytearray(), b""
            continue
        try:
            data = conn.recv(65536)
        except OSError:
            data = b""
        if not data:
            del waiting[conn], halves[conn]
            conn.close()
            continue
        *lines, halves[conn] = (halves[conn] + data).split(b"\n")
        for line in lines:
            for other in list(waiting):
                if other is not conn:
                    give(other, line + b"\n")
    for conn, rest in waiting.items():
        with contextlib.suppress(OSError):
            del rest[: conn.send(rest) if rest else 0]
