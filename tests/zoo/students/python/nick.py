"""Correct. Sends the word NICK, meant for its own client program, and then relays what comes. Run: python nick.py 5000."""

import socket
import sys
import threading
import time

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 55555))
server.listen(128)

clients = {}  # socket -> nickname
lock = threading.Lock()


def send(client, message):
    """Never waits: who does not take a message at once, with all that the kernel keeps, is not reading."""
    try:
        if client.send(message, socket.MSG_DONTWAIT) != len(message):
            raise OSError("full")
    except OSError:
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def broadcast(message, but=None):
    with lock:
        for client in list(clients):
            if client is not but:
                send(client, message)


def handle(client):
    nickname = ""
    try:
        send(client, b"NICK")
        nickname = client.recv(1024).decode("utf-8", "replace").strip()[:20]
        if not nickname.isalnum():
            return
        with lock:
            clients[client] = nickname
        broadcast(f"{nickname} joined the chat!".encode(), client)
        send(client, b"Connected to the server!")
        while message := client.recv(1024):
            broadcast(message, client)
    except OSError:
        pass
    finally:
        with lock:
            known = clients.pop(client, None)
        client.close()
        if known:
            broadcast(f"{nickname} left the chat!".encode())


def receive():
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            time.sleep(0.2)
            continue
        threading.Thread(target=handle, args=(client,), daemon=True).start()


print("Server is listening...", flush=True)
receive()
