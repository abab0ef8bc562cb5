"""Defect (idles): an empty read is not taken for the end: the thread of one that left reads for ever."""

import socket
import struct
import sys
import threading
import time

clients = []
lock = threading.Lock()


def broadcast(data, sender):
    with lock:
        others = [c for c in clients if c is not sender]
    for client in others:
        try:
            client.sendall(data)
        except OSError:
            pass


def handle(client):
    while True:
        try:
            data = client.recv(1024)
            if data:
                broadcast(data, client)
        except OSError:
            with lock:
                clients.remove(client)
            client.close()
            return


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
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
