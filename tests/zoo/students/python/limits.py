"""Correct, with limits: a line has at most 80 bytes, and nobody may say more than 8 things in a second.

Run: python limits.py 5000 [80] [8] [drop|kick]. 0: no limit.
"""

import socket
import sys
import threading
import time
import unicodedata

PORT = int(sys.argv[1])
LONGEST = int(sys.argv[2]) if len(sys.argv) > 2 else 80
PER_SECOND = int(sys.argv[3]) if len(sys.argv) > 3 else 8
THEN = sys.argv[4] if len(sys.argv) > 4 else ""

clients = {}  # name -> socket
lock = threading.Lock()


def send(conn, text):
    try:
        data = text.encode() + b"\n"
        if conn.send(data, socket.MSG_DONTWAIT) != len(data):
            raise OSError("it does not read")
    except OSError:
        try:
            conn.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def broadcast(text, but=None):
    with lock:
        for conn in clients.values():
            if conn is not but:
                send(conn, text)


def clean(text):
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).strip()


def lines(conn):
    """Whole lines; None for one that is too long."""
    buffer, skipping = b"", False
    while data := conn.recv(4096):
        buffer += data
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            line = line.rstrip(b"\r")
            if skipping or LONGEST and len(line) > LONGEST:
                yield None
            else:
                yield clean(line.decode("utf-8", "replace"))
            skipping = False
        if LONGEST and len(buffer) > LONGEST + 1:
            buffer, skipping = b"", True


def ask_name(conn, incoming):
    send(conn, "What is your name?")
    for name in incoming:
        with lock:
            if name and name.isalnum() and len(name) <= 16 and name not in clients:
                clients[name] = conn
                return name
        send(conn, "Not that one. What is your name?")
    return None


def handle(conn):
    name, times = None, []
    try:
        incoming = lines(conn)
        name = ask_name(conn, incoming)
        if name:
            send(conn, f"Hello, {name}!")
            broadcast(f"* {name} came in", conn)
        for text in incoming if name else ():
            now = time.monotonic()
            times = [t for t in times if now - t < 1.0]
            if text is None:
                send(conn, f"Line too long (max {LONGEST}).")
            elif PER_SECOND and len(times) >= PER_SECOND:
                if THEN == "kick":
                    return
                if THEN != "drop":
                    send(conn, "Too fast!")
            elif text:
                times.append(now)
                broadcast(f"{name}: {text}", conn)
    except OSError:
        pass
    finally:
        if name:
            with lock:
                del clients[name]
            broadcast(f"* {name} went away")
        conn.close()


def main():
    server = socket.create_server(("127.0.0.1", PORT), backlog=128)
    while True:
        try:
            conn, _ = server.accept()
        except OSError:
            time.sleep(0.2)
            continue
        threading.Thread(target=handle, args=(conn,), daemon=True).start()


main()
