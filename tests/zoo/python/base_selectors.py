"""A correct chat in one thread: every socket is non-blocking, and a selector says which one is ready.

It says nothing to newcomers and relays each line as it is to all the others. What a client does not take at once waits
in its outbox; a client whose outbox is full is dropped.

    python base_selectors.py PORT
"""

from __future__ import annotations

import errno
import selectors
import signal
import socket
import struct
import sys
import time

from lines import ACCEPT_PAUSE_S, BACKLOG, EXHAUSTED, OUTBOX_LIMIT, LineBuffer, LineTooLong, clean

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Client:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.incoming = LineBuffer()
        self.outbox = bytearray()
        self.gone = False


class Chat:
    """The room and its only loop."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.clients: list[Client] = []
        self.accept_again_at: float | None = None

    def run(self, port: int) -> None:
        """Serve on `port` until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # the kernel closes the connections
        self.listener = self.listen(port)
        self.selector.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, events in self.selector.select(self.patience()):
                if key.data is None:
                    self.accept()
                else:
                    self.attend(key.data, events)

    def listen(self, port: int) -> socket.socket:
        """The listening socket."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
        return listener

    def patience(self) -> float | None:
        """How long to wait for events: for ever, but for the pause after running out of descriptors."""
        if self.accept_again_at is None:
            return None
        left = self.accept_again_at - time.monotonic()
        if left > 0:
            return left
        self.accept_again_at = None
        self.selector.register(self.listener, selectors.EVENT_READ)
        return None

    def accept(self) -> None:
        """Let one newcomer in."""
        try:
            sock, _ = self.listener.accept()
        except OSError as error:
            if error.errno in EXHAUSTED:  # the listener would stay ready and the loop would spin: look away for a while
                self.selector.unregister(self.listener)
                self.accept_again_at = time.monotonic() + ACCEPT_PAUSE_S
            elif error.errno not in (errno.ECONNABORTED, errno.EAGAIN):
                raise
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock)
        self.clients.append(client)
        self.selector.register(sock, selectors.EVENT_READ, client)

    def attend(self, client: Client, events: int) -> None:
        """Write to a client that can take more, read from one that said something."""
        if events & selectors.EVENT_WRITE and not client.gone:
            self.flush(client)
        if events & selectors.EVENT_READ and not client.gone:
            self.read(client)

    def read(self, client: Client) -> None:
        """Relay the lines that came. The end of the stream is a farewell."""
        try:
            data = client.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self.drop(client)
            return
        ended = not data
        relayed = bytearray()
        try:
            for line in client.incoming.feed(data):
                if text := clean(line):
                    relayed += text.encode() + b"\n"
        except LineTooLong:
            ended = True
        if relayed:
            self.relay(relayed, client)
        if ended and not client.gone:
            self.drop(client)

    def relay(self, data: bytearray, sender: Client) -> None:
        """Give `data` to all the others."""
        for client in list(self.clients):  # a copy: sending may drop one
            if client is not sender:
                self.send(client, data)

    def send(self, client: Client, data: bytearray) -> None:
        """Queue `data` and write what the client takes at once."""
        client.outbox += data
        self.flush(client)
        if len(client.outbox) > OUTBOX_LIMIT and not client.gone:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.drop(client)

    def flush(self, client: Client) -> None:
        """Write; watch for more room only while something waits."""
        try:
            while client.outbox:
                del client.outbox[: client.sock.send(client.outbox[:262144])]
        except BlockingIOError:
            pass
        except OSError:
            self.drop(client)
            return
        waiting = selectors.EVENT_WRITE if client.outbox else 0
        self.selector.modify(client.sock, selectors.EVENT_READ | waiting, client)

    def drop(self, client: Client) -> None:
        """Close and forget."""
        self.hang_up(client)
        self.clients.remove(client)

    def hang_up(self, client: Client) -> None:
        """Close the connection."""
        client.gone = True
        self.selector.unregister(client.sock)
        client.sock.close()


def main(chat: Chat) -> None:
    """Run `chat` on the port that the command line names."""
    chat.run(int(sys.argv[1]))


if __name__ == "__main__":
    main(Chat())
