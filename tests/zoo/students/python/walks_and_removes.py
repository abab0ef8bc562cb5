"""Defect (delivers): the client whose send fails is removed from the list while that is walked; the next one misses the
message. Nothing else removes a client that was reset."""

import socket
import struct
import sys
import threading
import time

clients = []
lock = threading.Lock()


def broadcast(data, sender):
    with lock:
        for client in clients:
            if client is not sender:
                try:
                    client.sendall(data)
                except OSError:
                    clients.remove(client)
                    client.close()


def handle(client):
    try:
        while data := client.recv(1024):
            broadcast(data, client)
    except OSError:
        return  # the next broadcast notices
    with lock:
        if client in clients:
            clients.remove(client)
    client.close()


server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(128)
while True:
    try:
        client, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
    with lock:
        clients.append(client)
    threading.Thread(target=handle, args=(client,), daemon=True).start()
