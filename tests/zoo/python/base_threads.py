"""A correct chat with two threads a client: one reads its lines, one writes to it what the room says.

It asks `Nome: `, welcomes, relays `[ana] text`, and knows /list, /whisper NAME TEXT and /quit. The idea: whoever speaks
only *queues* for the others and never waits for them; a client whose queue is full is dropped. Everything about one
client ends in one place (`serve`), whichever way it left.

    python base_threads.py PORT
"""

from __future__ import annotations

import errno
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator

from lines import (
    ACCEPT_PAUSE_S,
    BACKLOG,
    EXHAUSTED,
    FAREWELL_S,
    OUTBOX_LIMIT,
    LineBuffer,
    LineTooLong,
    clean,
    valid_name,
)

#: SO_LINGER, on, 0 s: `close` throws away what was not sent and resets the connection.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Client:
    """One connection: its name once it has one, and what waits to be written to it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.name: str | None = None
        self.lines = self._read_lines()
        self.closing = False
        self._outbox: deque[bytes] = deque()
        self._waiting = 0
        self._broken: OSError | None = None
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._write, daemon=True)

    def start(self) -> None:
        """Begin to write what `send` queues."""
        self._writer.start()

    def send(self, text: str) -> None:
        """Queue `text`; never waits. A client that lets too much wait is reset."""
        data = text.encode()
        with self._changed:
            if self.closing:
                return
            if self._waiting + len(data) > OUTBOX_LIMIT:
                self.reset()
                return
            self._outbox.append(data)
            self._waiting += len(data)
            self._changed.notify()

    def reset(self) -> None:
        """Drop the connection now. `shutdown` wakes both threads; the reader closes."""
        self.closing = True
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone already

    def part(self) -> None:
        """Say what is queued, then FIN, then await the client's own FIN: closing unread bytes would be a reset."""
        with self._changed:
            self.closing = True
            self._changed.notify()
        if self._writer.is_alive():
            self._writer.join(FAREWELL_S)
        if self._writer.is_alive():
            self.reset()
            self._writer.join()
        self._drain()
        self.sock.close()

    def _drain(self) -> None:
        deadline = time.monotonic() + FAREWELL_S
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.sock.settimeout(left)
                if not self.sock.recv(65536):
                    return
        except OSError:
            pass  # time is up, or it is gone

    def _read_lines(self) -> Iterator[bytes]:
        buffer = LineBuffer()
        while data := self.sock.recv(65536):
            yield from buffer.feed(data)
        if self._broken:  # the kernel reports a reset once, to the thread that asks first; the other sees an end
            raise self._broken

    def _write(self) -> None:
        try:
            while data := self._next():
                self.sock.sendall(data)
                with self._changed:
                    self._waiting -= len(data)
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._broken = error

    def _next(self) -> bytes:
        with self._changed:
            while not self._outbox and not self.closing:
                self._changed.wait()
            data = b""
            while self._outbox and len(data) < 65536:
                data += self._outbox.popleft()
            return data


class Chat:
    """The room: who is in it, and what is said."""

    client_class: type[Client] = Client

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.members: dict[str, Client] = {}  # by the name in lower case, in the order of joining
        self.running = True

    # --- the door

    def run(self, port: int) -> None:
        """Serve on `port` until SIGTERM or SIGINT."""
        self.heed_signals()
        threading.stack_size(256 * 1024)
        with self.listen(port) as listener:
            while self.running:  # for ever, here
                try:
                    sock, _ = listener.accept()
                except OSError as error:
                    if error.errno in EXHAUSTED:
                        time.sleep(ACCEPT_PAUSE_S)
                    elif error.errno != errno.ECONNABORTED:
                        raise
                else:
                    self.admit(sock)

    def listen(self, port: int) -> socket.socket:
        """The listening socket."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
        return listener

    def heed_signals(self) -> None:
        """Let signals end the process, at once: the kernel closes the connections, and there is nothing to save.

        A Python handler would run only when the main thread does; a signal that comes just before it waits in `accept`
        is noticed when the next client connects.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)

    def admit(self, sock: socket.socket) -> None:
        """Give the newcomer its own thread: the door must not wait for anybody."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = self.client_class(sock)
        try:
            client.start()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()
        except RuntimeError:  # there can be no more threads
            client.reset()
            client.part()

    def serve(self, client: Client) -> None:
        """One client's whole life."""
        try:
            if self.log_in(client):
                self.converse(client)
        except OSError as error:
            self.lost(client, error)
        except LineTooLong:
            client.send("Linha longa demais.\n")
        finally:
            self.leave(client)
            client.part()

    def lost(self, client: Client, error: OSError) -> None:
        """The connection broke. Nothing to do that `serve` does not do for everybody."""

    # --- coming and going

    def log_in(self, client: Client) -> bool:
        """Ask for a name until there is a good one; False when the client leaves first."""
        client.send("Nome: ")
        for line in client.lines:
            name = clean(line)
            if name == "/quit":
                return False
            if not valid_name(name):
                client.send("Nome inválido (letras e dígitos, até 20).\nNome: ")
            elif not self.join(client, name):
                client.send("Nome em uso, escolha outro.\nNome: ")
            else:
                return True
        return False

    def join(self, client: Client, name: str) -> bool:
        """Let the client in under `name`, unless somebody has it."""
        with self.lock:
            if name.casefold() in self.members:
                return False
            client.name = name
            self.members[name.casefold()] = client
            self.welcome(client)
            self.relay(f"* {name} entrou\n", besides=client)
        return True

    def welcome(self, client: Client) -> None:
        """The introduction."""
        client.send(f"Bem-vindo, {client.name}! Comandos: /list, /whisper NOME TEXTO, /quit\n")

    def leave(self, client: Client) -> None:
        """Forget the client; tell the others, if they knew it."""
        if client.name is None:
            return
        with self.lock:
            del self.members[client.name.casefold()]
            self.relay(f"* {client.name} saiu\n")

    # --- talking

    def converse(self, client: Client) -> None:
        """Take the client's lines until it leaves."""
        for line in client.lines:
            text = self.readable(line)
            if text == "/quit":
                client.send("Até logo!\n")
                return
            if text.startswith("/"):
                self.obey(client, text)
            elif text:
                self.say(client, text)

    def readable(self, line: bytes) -> str:
        """A line as the others may see it."""
        return clean(line)

    def obey(self, client: Client, text: str) -> None:
        """Commands."""
        command, _, rest = text.partition(" ")
        to, _, words = rest.strip().partition(" ")
        if command == "/list":
            with self.lock:
                names = ", ".join(str(member.name) for member in self.members.values())
            client.send(f"Na sala: {names}\n")
        elif command == "/whisper" and words:
            self.whisper(client, to, words)
        else:
            client.send("Comandos: /list, /whisper NOME TEXTO, /quit\n")

    def say(self, client: Client, text: str) -> None:
        """Tell everybody else."""
        with self.lock:
            self.relay(f"[{self.signature(client)}] {text}\n", besides=client)

    def signature(self, client: Client) -> str:
        """Whose words they are."""
        return str(client.name)

    def whisper(self, client: Client, to: str, text: str) -> None:
        """Tell one alone."""
        with self.lock:
            target = self.members.get(to.casefold())
            if target is not None:
                target.send(f"(em segredo) [{client.name}] {text}\n")
        client.send(f"Enviado a {to}.\n" if target else f"Ninguém aqui se chama {to}.\n")

    def relay(self, text: str, besides: Client | None = None) -> None:
        """Queue `text` for all members. The caller holds the lock: so all see all in the same order."""
        for member in self.members.values():
            if member is not besides:
                member.send(text)


def main(chat: Chat) -> None:
    """Run `chat` on the port that the command line names."""
    chat.run(int(sys.argv[1]))


if __name__ == "__main__":
    main(Chat())
