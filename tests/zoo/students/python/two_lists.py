"""Defect (identity): sockets in one list, names in another; a reset takes the socket away and forgets the name: whoever
stood behind it speaks under a neighbour's name."""

import socket
import sys
import threading
import time

clients = []
names = []
lock = threading.Lock()


def send(client, text):
    try:
        client.send(text.encode(), socket.MSG_DONTWAIT)
    except OSError:
        pass


def broadcast(text, but):
    with lock:
        others = [c for c in clients if c is not but]
    for client in others:
        send(client, text)


def name_of(client):
    with lock:
        return names[clients.index(client)]


def handle(client):
    send(client, "Enter your nickname: ")
    try:
        name = client.recv(1024).decode("utf-8", "replace").strip()
        if not name.isalnum():
            client.close()
            return
        with lock:
            clients.append(client)
            names.append(name)
        send(client, f"Welcome to the chat, {name}!")
        broadcast(f"{name} joined the chat", client)
        while True:
            data = client.recv(1024)
            if not data:
                break
            text = "".join(c if c.isprintable() else " " for c in data.decode("utf-8", "replace"))
            broadcast(f"{name_of(client)}: {text}", client)
        with lock:
            index = clients.index(client)
            del clients[index]
            name = names.pop(index)
        client.close()
        broadcast(f"{name} left the chat", client)
    except ConnectionError:
        with lock:
            if client in clients:
                clients.remove(client)
        client.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        client, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    threading.Thread(target=handle, args=(client,), daemon=True).start()
