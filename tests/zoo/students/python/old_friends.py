"""Defect (once): who has been here before is put into the list twice, once as an old friend and once as everybody."""

import socket
import sys
import threading
import time

members = []
friends = set()
lock = threading.Lock()


def tell(text, but=None):
    with lock:
        others = [m for m in members if m is not but]
    for other in others:
        try:
            other.send(text.encode(), socket.MSG_DONTWAIT)
        except OSError:
            pass


def serve(sock):
    name = ""
    try:
        sock.send(b"NAME")
        name = sock.recv(128).decode("utf-8", "replace").strip()
        if not name.isalnum():
            return
        with lock:
            if name in friends:
                members.append(sock)
            friends.add(name)
            members.append(sock)
        sock.send(b"Welcome!")
        tell(f"{name} came in", sock)
        while data := sock.recv(1024):
            tell(f"{name}: " + "".join(c if c.isprintable() else " " for c in data.decode(errors="replace")), sock)
    except OSError:
        pass
    finally:
        with lock:
            was_in = sock in members
            while sock in members:
                members.remove(sock)
        sock.close()
        if was_in:
            tell(f"{name} went out")


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        sock, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    threading.Thread(target=serve, args=(sock,), daemon=True).start()
