"""Defect (serves): the name is read where clients are accepted; an error there ends the accepting, and the others talk on."""

import socket
import struct
import sys
import threading
import time

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
clients = {}
lock = threading.Lock()


def send(client, message):
    try:
        client.sendall(message)
    except OSError:
        pass


def broadcast(message, but=None):
    with lock:
        others = [c for c in clients if c is not but]
    for client in others:
        send(client, message)


def handle(client):
    try:
        while message := client.recv(1024):
            broadcast(message, client)
    except OSError:
        pass
    with lock:
        name = clients.pop(client)
    client.close()
    broadcast(f"{name} left!".encode())


def receive():
    while True:
        try:
            client, address = server.accept()
        except OSError:
            time.sleep(0.1)
            continue
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
        client.settimeout(1.0)
        client.send(b"NICK")
        nickname = client.recv(1024).decode("ascii")
        client.settimeout(None)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
        print(f"{nickname} came from {address}", flush=True)
        broadcast(f"{nickname} joined!".encode())
        with lock:
            clients[client] = nickname
        client.send(b"Connected!")
        threading.Thread(target=handle, args=(client,), daemon=True).start()


accepting = threading.Thread(target=receive)
accepting.start()
while True:
    time.sleep(60)
