"""Correct. JSON lines; a thread reads each client, and one thread tells everybody what stands in the queue.

{"type": "login", "name": …} is answered by {"type": "welcome"}; {"type": "message", "text": …} goes to the others.
"""

import json
import queue
import socket
import sys
import threading
import time
import unicodedata

LONGEST = 65536
WAITING = 1000


def clean(text):
    """Controls and breaks are blanks; what holds an emoji together stays."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)


class Client:
    def __init__(self, sock):
        self.sock = sock
        self.name = None
        self.out = queue.Queue(WAITING)

    def put(self, line):
        try:
            self.out.put_nowait(line)
        except queue.Full:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def write(self):
        try:
            while (line := self.out.get()) is not None:
                self.sock.sendall(line)
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Chat:
    def __init__(self):
        self.people = set()
        self.lock = threading.Lock()
        self.news = queue.Queue()

    def line(self, value):
        return json.dumps(value).encode() + b"\n"

    def tell(self):
        """The one thread that tells everybody."""
        while True:
            self.pass_on(*self.news.get())

    def pass_on(self, value, but):
        line = self.line(value)
        with self.lock:
            for other in self.people:
                if other is not but:
                    other.put(line)

    def good(self, value):
        """Whether the parts of a message are what they ought to be."""
        return isinstance(value, dict) and isinstance(value.get("text"), str)

    def message(self, client, value):
        """What one line says; whether the client stays."""
        if client.name is None:
            name = value.get("name") if isinstance(value, dict) else None
            if not isinstance(name, str) or not 0 < len(name) <= 20 or not (name.isascii() and name.isalnum()):
                return False
            client.name = name
            client.put(self.line({"type": "welcome", "name": name}))
            with self.lock:
                self.people.add(client)
            self.news.put(({"type": "joined", "name": name}, client))
        elif not self.good(value):
            client.put(self.line({"type": "error", "reason": "what is this?"}))
        elif value.get("type") == "quit":
            return False
        elif value["text"].strip():
            text = clean(value["text"])
            self.news.put(({"type": "message", "from": client.name, "text": text}, client))
        return True

    def parse(self, line):
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            return None

    def serve(self, sock):
        client = Client(sock)
        writer = threading.Thread(target=client.write)
        writer.start()
        try:
            lines = sock.makefile("rb")
            while (line := lines.readline(LONGEST)) and line.endswith(b"\n"):
                if not self.message(client, self.parse(line)):
                    break
        except OSError:
            pass
        with self.lock:
            self.people.discard(client)
        client.put(None)
        writer.join(1)
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        lines.close()
        sock.close()
        if client.name:
            self.news.put(({"type": "left", "name": client.name}, client))


def main(chat):
    door = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    threading.Thread(target=chat.tell, daemon=True).start()
    try:
        while True:
            try:
                sock, _ = door.accept()
            except OSError:
                time.sleep(0.05)
                continue
            threading.Thread(target=chat.serve, args=(sock,), daemon=True).start()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main(Chat())
