"""Defect (delivers): bytes that are not UTF-8 end the thread of who sent them, and leave the connection open and listed:
it goes on hearing the others, and is heard by nobody."""

import socket
import sys
import threading
import time

clients = {}
lock = threading.Lock()


def send_all(text, sender):
    with lock:
        others = [c for c in clients if c is not sender]
    for c in others:
        try:
            c.send(text.encode(), socket.MSG_DONTWAIT)
        except OSError:
            pass


def client_handler(conn):
    conn.send(b"Username: ")
    try:
        name = conn.recv(1024).decode(errors="ignore").strip()
        with lock:
            clients[conn] = name
        conn.send(f"Welcome {name}".encode())
        send_all(f"{name} joined", conn)
        while True:
            data = conn.recv(1024)
            if not data:
                break
            message = data.decode("utf-8")
            if message == "exit":
                break
            message = "".join(c if c.isprintable() else " " for c in message)
            send_all(f"{name}: {message}", conn)
    except UnicodeDecodeError as error:
        print("bad message:", error)
        return
    except OSError:
        pass
    with lock:
        clients.pop(conn, None)
    conn.close()
    send_all(f"{name} left", None)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        conn, addr = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    threading.Thread(target=client_handler, args=(conn,), daemon=True).start()
