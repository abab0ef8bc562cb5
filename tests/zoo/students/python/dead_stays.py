"""Defect (delivers): who was reset stays in the list; the broadcast's exception ends the loop and the sender's thread."""

import socket
import sys
import threading
import time

clients = []


def broadcast(message, sender):
    for client in clients:
        if client != sender:
            client.send(message)


def handle_client(client, addr):
    while True:
        message = client.recv(1024)
        if not message:
            clients.remove(client)
            client.close()
            break
        broadcast(message, client)


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(128)
while True:
    try:
        client, addr = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    clients.append(client)
    print(f"Connected with {addr}")
    threading.Thread(target=handle_client, args=(client, addr), daemon=True).start()
