"""Correct. Takes ASCII only; whoever sends anything else is disconnected, and nobody else notices. Run: ascii.py 5000."""

import socket
import sys
import threading
import time

clients = []  # [socket, name]
lock = threading.Lock()


def tell(text, sender):
    data = text.encode("ascii")
    with lock:
        for entry in clients[:]:
            if entry is sender:
                continue
            try:
                if entry[0].send(data, socket.MSG_DONTWAIT) < len(data):
                    raise BlockingIOError
            except OSError:
                clients.remove(entry)
                try:
                    entry[0].shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def client_thread(sock):
    entry = None
    try:
        sock.send(b"Enter your username:")
        name = sock.recv(64).decode("ascii").strip()
        if not name.isalnum():
            sock.send(b"Bad username")
            return
        entry = [sock, name]
        with lock:
            if any(name == other for _, other in clients):
                entry = None
                sock.send(b"Username already taken")
                return
            clients.append(entry)
        sock.send(b"You are in the chat, " + name.encode())
        tell(f"{name} entered", entry)
        while True:
            message = sock.recv(1024).decode("ascii")
            if not message or message.strip() == "bye":
                break
            message = "".join(c if c.isprintable() else " " for c in message)
            tell(f"{name}: {message}", entry)
    except (OSError, UnicodeDecodeError):
        pass
    finally:
        sock.close()
        if entry is not None:
            with lock:
                if entry in clients:
                    clients.remove(entry)
            tell(f"{entry[1]} exited", entry)


s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(100)
while True:
    try:
        connection, _ = s.accept()
    except OSError:
        time.sleep(0.1)
        continue
    threading.Thread(target=client_thread, args=[connection], daemon=True).start()
