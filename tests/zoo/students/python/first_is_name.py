"""Correct. One thread and select; the first message is the name. Run: python first_is_name.py 5000."""

import select
import socket
import sys
import time

MOST = 1 << 20  # what may wait for one client, in bytes


def clean(data):
    return "".join(c if c.isprintable() else " " for c in data.decode("utf-8", "replace")).strip()


class Chat:
    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.listener.setblocking(False)
        self.names = {}  # socket -> name, "" before it has one
        self.waiting = {}  # socket -> bytes that it has not taken yet

    def run(self):
        while True:
            writers = [s for s, data in self.waiting.items() if data]
            readable, writable, _ = select.select([self.listener, *self.names], writers, [])
            for sock in writable:
                self.flush(sock)
            for sock in readable:
                if sock is self.listener:
                    self.accept()
                elif sock in self.names:
                    self.read(sock)

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return
        except OSError:
            time.sleep(0.05)  # no descriptors: a short pause instead of a busy loop
            return
        if sock.fileno() >= 1000:  # select takes no more
            sock.close()
            return
        sock.setblocking(False)
        self.names[sock] = ""
        self.waiting[sock] = b""

    def read(self, sock):
        try:
            data = sock.recv(1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(sock)
        elif self.names[sock]:
            text = clean(data)
            if text == "quit":
                self.drop(sock)
            elif text:
                self.tell(f"{self.names[sock]} > {text}", sock)
        else:
            self.name(sock, clean(data))

    def name(self, sock, name):
        if not name.isalnum() or len(name) > 20:
            self.put(sock, b"Invalid name")
        elif name in self.names.values():
            self.put(sock, b"That name is taken")
        else:
            self.names[sock] = name
            self.put(sock, f"Welcome {name}! Type quit to leave".encode())
            self.tell(f"{name} has connected", sock)

    def tell(self, text, but):
        for sock, name in list(self.names.items()):
            if name and sock is not but:
                self.put(sock, text.encode())

    def put(self, sock, data):
        self.waiting[sock] += data
        self.flush(sock)

    def flush(self, sock):
        if sock not in self.waiting:
            return
        try:
            sent = sock.send(self.waiting[sock])
            self.waiting[sock] = self.waiting[sock][sent:]
        except BlockingIOError:
            pass
        except OSError:
            self.waiting[sock] = b""  # its end will be read
        if len(self.waiting[sock]) > MOST:
            self.drop(sock)

    def drop(self, sock):
        name = self.names.pop(sock, "")
        self.waiting.pop(sock, None)
        sock.close()
        if name:
            self.tell(f"{name} has disconnected", sock)


Chat(int(sys.argv[1])).run()
