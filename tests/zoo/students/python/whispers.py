"""Defect (private): a whisper goes to every name that begins so, and to nobody's surprise but the readers': `/w a hi`
reaches ana and ada; to a name that nobody has any more it falls through to everybody."""

import socket
import sys
import threading
import time

people = {}
lock = threading.Lock()


def put(sock, text):
    try:
        sock.send((text + "\n").encode(), socket.MSG_DONTWAIT)
    except OSError:
        pass


def everybody(text, but):
    with lock:
        others = [s for n, s in people.items() if n != but]
    for sock in others:
        put(sock, text)


def message(name, sock, text):
    if text.startswith("/w "):
        _, to, words = (text + "  ").split(" ", 2)
        with lock:
            found = [s for n, s in people.items() if n.startswith(to)]
        if not found:
            text = words
        else:
            for one in found:
                put(one, f"{name} whispers: {words}")
            return
    everybody(f"{name}: {text}", name)


def handle(sock):
    name = None
    try:
        put(sock, "Your name?")
        wanted = sock.recv(1024).decode("utf-8", "replace").strip()
        with lock:
            if not wanted.isalnum() or wanted in people:
                put(sock, "No.")
                return
            name = wanted
            people[name] = sock
        put(sock, f"Welcome, {name}. /w NAME WORDS whispers.")
        everybody(f"+ {name}", name)
        while data := sock.recv(2000):
            text = "".join(c if c.isprintable() else " " for c in data.decode("utf-8", "replace")).strip()
            message(name, sock, text)
    except OSError:
        pass
    finally:
        if name:
            with lock:
                del people[name]
            everybody(f"- {name}", None)
        sock.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        sock, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    threading.Thread(target=handle, args=(sock,), daemon=True).start()
