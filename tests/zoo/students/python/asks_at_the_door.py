"""Defect (accepts): the nickname is read where the server accepts: who says nothing keeps the door shut."""

import socket
import sys
import threading
import time

clients = []
nicknames = []
lock = threading.Lock()


def broadcast(message, but=None):
    with lock:
        others = [c for c in clients if c is not but]
    for client in others:
        try:
            client.send(message, socket.MSG_DONTWAIT)
        except OSError:
            pass


def handle(client):
    try:
        while message := client.recv(1024):
            broadcast(message, client)
    except OSError:
        pass
    with lock:
        index = clients.index(client)
        clients.pop(index)
        nickname = nicknames.pop(index)
    client.close()
    broadcast(f"{nickname} left!".encode())


def receive(server):
    while True:
        try:
            client, _ = server.accept()
        except OSError:  # out of descriptors
            time.sleep(0.1)
            continue
        try:
            client.send(b"NICK")
            nickname = client.recv(1024).decode("utf-8", "replace")
        except OSError:
            client.close()
            continue
        if not nickname:
            client.close()
            continue
        with lock:
            nicknames.append(nickname)
            clients.append(client)
        broadcast(f"{nickname} joined!".encode(), client)
        client.send(b"Connected to server!")
        threading.Thread(target=handle, args=(client,), daemon=True).start()


receive(socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128))
