"""Defect (sockets): only the leave word closes a connection. At the end of the stream, or on an error, the thread ends and
the socket stays open in the list."""

import socket
import sys
import threading
import time

names = {}  # socket -> name
lock = threading.Lock()


def put(sock, text):
    try:
        sock.send(text.encode(), socket.MSG_DONTWAIT)
    except OSError:
        pass


def broadcast(text, sender):
    with lock:
        others = [s for s in names if s is not sender]
    for sock in others:
        put(sock, text)


def handle(sock):
    try:
        put(sock, "NICK")
        name = sock.recv(64).decode("utf-8", "replace").strip()
        if not name.isalnum():
            sock.close()
            return
        with lock:
            names[sock] = name
        put(sock, "OK, you are in. Say quit to leave.")
        broadcast(f"{name} is here", sock)
        while data := sock.recv(1024):
            text = "".join(c if c.isprintable() else " " for c in data.decode("utf-8", "replace"))
            if text.strip() == "quit":
                with lock:
                    del names[sock]
                sock.close()
                broadcast(f"{name} is gone", None)
                return
            broadcast(f"{name}: {text}", sock)
    except OSError:
        pass


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        sock, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    threading.Thread(target=handle, args=(sock,), daemon=True).start()
