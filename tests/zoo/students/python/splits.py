"""Defect (intact): lines, but each read is split by itself: what of a line has not come yet becomes a line of its own."""

import socket
import sys
import threading
import time

clients = []
lock = threading.Lock()


def relay(line, sender):
    with lock:
        others = [c for c in clients if c is not sender]
    for client in others:
        try:
            client.send(line + b"\n", socket.MSG_DONTWAIT)
        except OSError:
            pass


def handle(client):
    try:
        while data := client.recv(512):
            for line in data.split(b"\n"):
                if line.strip():
                    relay(line, client)
    except OSError:
        pass
    with lock:
        clients.remove(client)
    client.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        client, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    with lock:
        clients.append(client)
    threading.Thread(target=handle, args=(client,), daemon=True).start()
