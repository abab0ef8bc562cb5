"""Chat room. The first message is the name. Defect (genuine): what a gone client no longer says goes round, in its name."""

import socket
import struct
import sys
import threading
import time

clients = {}
lock = threading.Lock()


def broadcast(message, sender):
    with lock:
        others = [c for c in clients if c is not sender]
    for c in others:
        try:
            c.sendall(message)
        except OSError:
            pass


def client_thread(client):
    name = client.recv(1024).decode(errors="replace").strip()
    if not name.isalnum():
        client.close()
        return
    with lock:
        clients[client] = name
    client.sendall(f"Hello {name}!".encode())
    broadcast(f"{name} joined".encode(), client)
    while True:
        try:
            message = client.recv(1024)
            broadcast(f"{name}: ".encode() + message, client)
            if not message:
                time.sleep(0.1)
                client.sendall(b"\n")  # still there?
        except OSError:
            with lock:
                del clients[client]
            client.close()
            broadcast(f"{name} left".encode(), client)
            return


def safe(client):
    try:
        client_thread(client)
    except OSError:
        client.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        client, _ = server.accept()
    except OSError:
        time.sleep(0.1)
        continue
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
    threading.Thread(target=safe, args=(client,), daemon=True).start()
