"""Correct. Names in colours, an emoji, and everybody sees the own messages too. Run: python colours.py 5000."""

import random
import selectors
import socket
import sys
import time

COLOURS = ["\033[91m", "\033[92m", "\033[93m", "\033[94m", "\033[95m"]
END = "\033[0m"
sel = selectors.DefaultSelector()
users = {}


class User:
    def __init__(self, sock):
        self.sock = sock
        self.name = None
        self.colour = random.choice(COLOURS)
        self.out = b""

    def put(self, text):
        self.out += text.encode()
        self.flush()

    def flush(self):
        try:
            self.out = self.out[self.sock.send(self.out) :] if self.out else b""
        except BlockingIOError:
            pass
        except OSError:
            self.out = b""
        if self.sock not in users:
            return
        if len(self.out) > 300_000:
            bye(self)
        else:
            sel.modify(self.sock, selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0), self)


def everybody(text):
    for user in list(users.values()):
        if user.name:
            user.put(text)


def bye(user):
    if users.pop(user.sock, None) is None:
        return
    sel.unregister(user.sock)
    user.sock.close()
    if user.name:
        everybody(f"\033[90m👋 {user.name} left{END}\n")


def message(user, data):
    text = "".join(c if c.isprintable() else " " for c in data.decode("utf-8", "replace")).strip()
    if user.name is None:
        if not text.isalnum() or len(text) > 15 or any(u.name == text for u in users.values()):
            user.put("Please choose another nickname: ")
            return
        user.name = text
        user.put(f"🎉 Welcome {user.colour}{text}{END}! {len(users)} online\n")
        everybody(f"\033[90m✨ {text} joined{END}\n")
    elif text == "/quit":
        bye(user)
    elif text:
        everybody(f"{user.colour}{user.name}{END}: {text}\n")


def serve(port):
    door = socket.create_server(("127.0.0.1", port), backlog=128)
    door.setblocking(False)
    sel.register(door, selectors.EVENT_READ, None)
    while True:
        for key, events in sel.select():
            if key.data is None:
                try:
                    sock, _ = door.accept()
                except BlockingIOError:
                    continue
                except OSError:
                    time.sleep(0.05)
                    continue
                sock.setblocking(False)
                users[sock] = User(sock)
                sel.register(sock, selectors.EVENT_READ, users[sock])
                users[sock].put("Nickname? ")
                continue
            user = key.data
            if events & selectors.EVENT_WRITE and user.sock in users:
                user.flush()
            if events & selectors.EVENT_READ and user.sock in users:
                try:
                    data = user.sock.recv(1024)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                message(user, data) if data else bye(user)


serve(int(sys.argv[1]))
