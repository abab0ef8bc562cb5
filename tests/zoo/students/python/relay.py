"""Correct. The shortest chat of all: what one client sends, all the others get. Run: python relay.py 5000."""

import socket
import struct
import sys
import threading
import time

HOST = "127.0.0.1"
PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
HALF_A_SECOND = struct.pack("ll", 0, 500_000)

clients = []
lock = threading.Lock()


def broadcast(data, sender):
    with lock:
        others = [c for c in clients if c is not sender]
    for client in others:
        try:
            client.sendall(data)
        except OSError:  # gone, or it has not read for half a second
            remove(client)


def remove(client):
    with lock:
        if client in clients:
            clients.remove(client)
    try:
        client.shutdown(socket.SHUT_RDWR)  # wakes its own thread, which closes it
    except OSError:
        pass


def handle(client):
    try:
        while True:
            data = client.recv(1024)
            if not data:
                break
            broadcast(data, client)
    except OSError:
        pass
    finally:
        remove(client)
        client.close()


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((HOST, PORT))
server.listen(128)
print("Server is running on port", PORT, flush=True)
try:
    while True:
        try:
            client, address = server.accept()
        except OSError:  # too many open files
            time.sleep(0.2)
            continue
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, HALF_A_SECOND)
        with lock:
            clients.append(client)
        threading.Thread(target=handle, args=(client,), daemon=True).start()
except KeyboardInterrupt:
    print("bye")
