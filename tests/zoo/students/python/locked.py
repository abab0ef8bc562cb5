"""Defect (responsive): a blocking send to everybody, under the lock: one reader that does not read stops the room."""

import socket
import sys
import threading
import time

clients = set()
lock = threading.Lock()


def broadcast(data, sender):
    with lock:
        for client in list(clients):
            if client is not sender:
                try:
                    client.sendall(data)
                except OSError:
                    clients.discard(client)


def handle(client):
    with lock:
        clients.add(client)
    try:
        while data := client.recv(4096):
            broadcast(data, client)
    except OSError:
        pass
    with lock:
        clients.discard(client)
    client.close()


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as server:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=handle, args=(client,), daemon=True).start()
