"""Correct. /nick, then /join a room, then /msg; each read is a command. Run: python rooms.py 5000."""

import socket
import sys
import threading
import time
import unicodedata

rooms = {}  # name -> {nick: socket}
lock = threading.Lock()


def clean(text):
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).strip()


def send(sock, text):
    """Never waits: who does not read is cut off."""
    data = text.encode()
    try:
        if sock.send(data, socket.MSG_DONTWAIT) == len(data):
            return
    except OSError:
        pass
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Visitor:
    def __init__(self, sock):
        self.sock = sock
        self.nick = None
        self.room = None

    def others(self, text):
        with lock:
            for nick, sock in rooms.get(self.room, {}).items():
                if nick != self.nick:
                    send(sock, text)

    def leave(self):
        if self.room is None:
            return
        with lock:
            del rooms[self.room][self.nick]
            if not rooms[self.room]:
                del rooms[self.room]
        self.others(f"* {self.nick} left the room")
        self.room = None

    def do_nick(self, nick):
        if self.room:
            return "leave the room first"
        if not nick.isalnum() or len(nick) > 16:
            return "usage: /nick NAME (letters and digits)"
        self.nick = nick
        return f"hi {nick}, now /join a room"

    def do_join(self, room):
        if not self.nick or not room.isalnum() or self.room:
            return "usage: /nick NAME, then /join ROOM"
        with lock:
            if self.nick in rooms.setdefault(room, {}):
                return f"there is a {self.nick} in {room} already, take another /nick"
            rooms[room][self.nick] = self.sock
        self.room = room
        self.others(f"* {self.nick} entered the room")
        return f"you are in {room}, talk with /msg TEXT"

    def do_msg(self, text):
        if not self.room:
            return "you are in no room: /nick NAME, then /join ROOM"
        if text:
            self.others(f"[{self.nick}] {text}")
        return None

    def talk(self):
        send(self.sock, "Commands: /nick NAME, /join ROOM, /msg TEXT, /quit")
        while data := self.sock.recv(2048):
            word, _, rest = clean(data.decode("utf-8", "replace")).partition(" ")
            if word == "/quit":
                return
            command = getattr(self, f"do_{word[1:]}", None) if word in ("/nick", "/join", "/msg") else None
            answer = command(rest.strip()) if command else "unknown command"
            if answer:
                send(self.sock, answer)


def serve(sock):
    visitor = Visitor(sock)
    try:
        visitor.talk()
    except OSError:
        pass
    finally:
        visitor.leave()
        sock.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        sock, _ = server.accept()
    except OSError:
        time.sleep(0.2)
        continue
    threading.Thread(target=serve, args=(sock,), daemon=True).start()
