"""Defect (handles): a reset ends the client's thread with a traceback; the `finally` cleans up all the same."""

import socket
import sys
import threading
import time

people = []
lock = threading.Lock()


def broadcast(data, sender):
    with lock:
        others = [p for p in people if p is not sender]
    for person in others:
        try:
            person.send(data, socket.MSG_DONTWAIT)
        except OSError:
            pass


def chat(person):
    try:
        while True:
            data = person.recv(1024)
            if not data:
                break
            broadcast(data, person)
    finally:
        with lock:
            people.remove(person)
        person.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        person, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    with lock:
        people.append(person)
    threading.Thread(target=chat, args=(person,), daemon=True).start()
