"""Defect (restarts): no SO_REUSEADDR: after a stop with clients connected, the port cannot be had for a minute."""

import select
import socket
import sys
import time

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(128)
sockets = [server]
while True:
    readable, _, _ = select.select(sockets, [], [])
    for sock in readable:
        if sock is server:
            try:
                sockets.append(server.accept()[0])
            except OSError:
                time.sleep(0.05)
            continue
        try:
            data = sock.recv(1024)
        except OSError:
            data = b""
        if not data:
            if sock in sockets:
                sockets.remove(sock)
            sock.close()
            continue
        for other in sockets[1:]:
            if other is not sock:
                try:
                    if other.send(data, socket.MSG_DONTWAIT) < len(data):
                        other.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
