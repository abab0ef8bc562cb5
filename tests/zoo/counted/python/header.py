"""Correct. One thread and a selector; a frame is its size in a header of 64 characters, then so many bytes.

The first frame is the name. A header that is no number, or too large a one, ends its connection: nothing that follows
could be understood. What has come of a frame is kept for each client until the rest comes.
"""

import selectors
import socket
import sys
import unicodedata

HEADER = 64
LONGEST = 65536
WAITING = 4 << 20


def clean(text):
    """Controls and breaks are blanks; what holds an emoji together stays."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)


class Client:
    def __init__(self, sock):
        self.sock = sock
        self.name = None
        self.came = bytearray()
        self.out = bytearray()


class Chat:
    def __init__(self, port):
        self.selector = selectors.DefaultSelector()
        self.clients = []
        self.door = socket.create_server(("127.0.0.1", port), backlog=128)
        self.door.setblocking(False)
        self.selector.register(self.door, selectors.EVENT_READ)

    def run(self):
        while True:
            for key, mask in self.selector.select():
                if key.fileobj is self.door:
                    self.admit()
                    continue
                client = key.data
                if mask & selectors.EVENT_READ and client in self.clients:
                    self.read(client)
                if mask & selectors.EVENT_WRITE and client in self.clients:
                    self.flush(client)

    def admit(self):
        try:
            sock, _ = self.door.accept()
        except OSError:
            return
        sock.setblocking(False)
        client = Client(sock)
        self.clients.append(client)
        self.selector.register(sock, selectors.EVENT_READ, client)

    def read(self, client):
        try:
            data = client.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(client)
            return
        client.came += data
        while client in self.clients and len(client.came) >= HEADER:
            size = self.size(bytes(client.came[:HEADER]))
            if size is None:
                self.drop(client)
                return
            if not self.has(client, size):
                return
            text = bytes(client.came[HEADER : HEADER + size])
            del client.came[: HEADER + size]
            self.message(client, text.decode("utf-8", "replace"))

    def size(self, head):
        """The size that a header tells; None when it tells none."""
        digits = head.strip(b" ")
        if not digits.isdigit() or len(digits) > 9 or int(digits) > LONGEST:
            return None
        return int(digits)

    def has(self, client, size):
        return len(client.came) >= HEADER + size

    def message(self, client, text):
        text = clean(text).strip()
        if client.name is None:
            if not 0 < len(text) <= 20 or not text.isalnum():
                self.drop(client)
                return
            client.name = text
            self.put(client, f"Welcome, {text}")
            self.everybody(f"{text} has joined", client)
        elif text == "!DISCONNECT":
            self.drop(client)
        elif text:
            self.everybody(f"[{client.name}] {text}", client)

    def everybody(self, text, but=None):
        for other in list(self.clients):
            if other is not but and other.name:
                self.put(other, text)

    def put(self, client, text):
        data = text.encode()
        client.out += str(len(data)).encode().ljust(HEADER) + data
        self.flush(client)

    def flush(self, client):
        try:
            while client.out:
                del client.out[: client.sock.send(client.out[:65536])]
        except BlockingIOError:
            pass
        except OSError:
            client.out.clear()  # its end is read next
        if len(client.out) > WAITING:
            self.drop(client)
        elif client in self.clients:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.out else 0)
            self.selector.modify(client.sock, events, client)

    def drop(self, client):
        if client not in self.clients:
            return
        self.clients.remove(client)
        self.selector.unregister(client.sock)
        client.sock.close()
        if client.name:
            self.everybody(f"{client.name} has left")


def main(kind):
    try:
        kind(int(sys.argv[1])).run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main(Chat)
