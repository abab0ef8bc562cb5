"""Defect (discreet): what goes wrong with a client's words is sent to that client as a traceback."""

import socket
import sys
import threading
import time
import traceback

people = {}
lock = threading.Lock()


def put(sock, text):
    try:
        sock.send(text.encode(), socket.MSG_DONTWAIT)
    except OSError:
        pass


def everybody(text, but):
    with lock:
        others = [s for s in people if s is not but]
    for sock in others:
        put(sock, text)


def obey(sock, data):
    text = data.decode("utf-8").strip()
    if text.startswith("/me"):
        _, what = text.split(" ", 1)
        everybody(f"* {people[sock]} {what}", sock)
    elif text.isprintable():
        everybody(f"{people[sock]}: {text}", sock)


def handle(sock):
    name = None
    try:
        put(sock, "login: ")
        wanted = sock.recv(1024).decode("utf-8", "replace").strip()
        if not wanted.isalnum():
            return
        name = wanted
        with lock:
            people[sock] = name
        put(sock, f"logged in as {name}")
        everybody(f"{name} logged in", sock)
        while data := sock.recv(1024):
            try:
                obey(sock, data)
            except Exception:
                put(sock, traceback.format_exc())
    except OSError:
        pass
    finally:
        with lock:
            people.pop(sock, None)
        sock.close()
        if name:
            everybody(f"{name} logged out", None)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        sock, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    threading.Thread(target=handle, args=(sock,), daemon=True).start()
