"""Assignment 3. Relays; when the last client has left there is nothing more to do, and it ends. Run: python closes_shop.py 5000."""

import os
import socket
import sys
import threading
import time

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
clients = []
lock = threading.Lock()


def send(client, data):
    try:
        if client.send(data, socket.MSG_DONTWAIT) == len(data):
            return
    except OSError:
        pass
    try:
        client.shutdown(socket.SHUT_RDWR)  # it does not read
    except OSError:
        pass


def handle(client):
    try:
        while data := client.recv(1024):
            with lock:
                for other in clients:
                    if other is not client:
                        send(other, data)
    except OSError:
        pass
    with lock:
        clients.remove(client)
        client.close()
        if not clients:
            print("Everybody has left, bye.", flush=True)
            os._exit(0)


while True:
    try:
        client, _ = server.accept()
    except OSError:
        time.sleep(0.2)
        continue
    with lock:
        clients.append(client)
    threading.Thread(target=handle, args=(client,), daemon=True).start()
