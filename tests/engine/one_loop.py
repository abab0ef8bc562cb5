"""Raw lines by select(), in one loop; `waits`: for the rest of a line; `spins`: asks who can be written to, always."""

import contextlib
import select
import socket
import sys

WAITS, SPINS = "waits" in sys.argv[2:], "spins" in sys.argv[2:]
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
halves: dict[socket.socket, bytes] = {}


def read(conn: socket.socket) -> bytes:
    try:
        data = conn.recv(65536)
        while WAITS and data and not data.endswith(b"\n"):
            more = conn.recv(65536)
            data = data + more if more else b""
    except OSError:
        return b""
    return data


while True:
    for conn in select.select([server, *halves], [*halves] if SPINS else [], [])[0]:
        if conn is server:
            halves[server.accept()[0]] = b""
            continue
        data = read(conn)
        if not data:
            del halves[conn]
            conn.close()
            continue
        *lines, halves[conn] = (halves[conn] + data).split(b"\n")
        for line in lines:
            for other in halves:
                if other is not conn:
                    with contextlib.suppress(OSError):
                        other.send(line + b"\n", socket.MSG_DONTWAIT)
