"""A correct chat on asyncio protocols: callbacks in one thread, no task a client.

A newcomer is `guest7` at once and learns the commands: /nick NAME, /list, /msg NAME TEXT, /quit. Lines are relayed as
`<ana> text`. With a second argument a client that stays silent for that many seconds is dropped.

    python base_asyncio.py PORT [IDLE_SECONDS]
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import signal
import socket
import sys

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


class Client(asyncio.Protocol):
    """One connection, as asyncio calls it."""

    transport: asyncio.Transport

    def __init__(self, room: Room) -> None:
        self.room = room
        self.name = ""
        self.named = False
        self.leaving = False
        self._incoming = LineBuffer()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.watch_idle()
        self.room.enter(self)

    def data_received(self, data: bytes) -> None:
        if self.leaving:
            return  # read and thrown away: unread bytes would turn the farewell into a reset
        self._heard_at = self._loop.time()
        try:
            for line in self._incoming.feed(data):
                self.room.hear(self, clean(line))
                if self.leaving:
                    return
        except LineTooLong:
            self.send("That line is too long.")
            self.part()

    def eof_received(self) -> bool:
        self.part()
        return False  # asyncio writes what still waits, then closes

    def connection_lost(self, _error: Exception | None) -> None:
        if self._idle_timer:
            self._idle_timer.cancel()
        self.room.leave(self)

    def send(self, line: str) -> None:
        """Write a line; never waits. Whoever lets too much wait is dropped."""
        if self.leaving or self.transport.is_closing():
            return
        self.transport.write(line.encode() + b"\n")
        if self.transport.get_write_buffer_size() > OUTBOX_LIMIT:
            self.transport.abort()

    def part(self) -> None:
        """Leave the room, say FIN after the last word, and give the client a moment to say its own."""
        if self.leaving:
            return
        self.leaving = True
        self.room.leave(self)
        try:
            self.transport.write_eof()
        except OSError:
            self.transport.abort()  # it is gone already
        self._loop.call_later(FAREWELL_S, self.transport.abort)

    def watch_idle(self) -> None:
        """Drop the client once it has been silent for too long; else look again when that could be."""
        if not self.room.idle_s:
            return
        left = self._heard_at + self.room.idle_s - self._loop.time()
        if left <= 0:
            self.send("You were silent for too long.")
            self.part()
        else:
            self._idle_timer = self._loop.call_later(left, self.watch_idle)


class Room:
    """Who is here, and what is said."""

    def __init__(self, idle_s: float = 0) -> None:
        self.idle_s = idle_s
        self.members: dict[str, Client] = {}  # by the name in lower case
        self._numbers = itertools.count(1)

    # --- coming and going

    def enter(self, client: Client) -> None:
        """Everybody is a guest at first."""
        client.name = next(name for n in self._numbers if (name := f"guest{n}") not in self.members)
        self.members[client.name] = client
        client.send(self.introduction(client))

    def introduction(self, client: Client) -> str:
        """What a newcomer is told."""
        return f"Welcome, {client.name}. Commands: /nick NAME, /list, /msg NAME TEXT, /quit"

    def leave(self, client: Client) -> None:
        """Forget the client; tell the others if it had given itself a name."""
        if self.members.get(client.name.casefold()) is not client:
            return
        del self.members[client.name.casefold()]
        if client.named:
            self.tell(f"* {client.name} left")

    # --- talking

    def hear(self, client: Client, line: str) -> None:
        """One line of a client."""
        if not line.startswith("/"):
            if line:
                self.say(client, line)
            return
        command, _, rest = line.partition(" ")
        self.obey(client, command, rest.strip())

    def obey(self, client: Client, command: str, rest: str) -> None:
        """Commands."""
        if command == "/nick":
            self.rename(client, rest)
        elif command == "/list":
            client.send("Here: " + ", ".join(member.name for member in self.members.values()))
        elif command == "/msg":
            self.whisper(client, rest)
        elif command == "/quit":
            client.send("Bye.")
            client.part()
        else:
            client.send("Commands: /nick NAME, /list, /msg NAME TEXT, /quit")

    def rename(self, client: Client, name: str) -> None:
        """Give the client another name, unless somebody has it."""
        key = name.casefold()
        if not valid_name(name):
            client.send("A name has letters and digits, at most 20.")
        elif self.members.get(key, client) is not client:
            client.send(f"The name {name} is taken.")
        elif name == client.name:
            client.send(f"You are {name} already.")
        else:
            del self.members[client.name.casefold()]
            self.members[key] = client
            old, client.name, client.named = client.name, name, True
            client.send(f"You are {name} now.")
            self.tell(f"* {old} is now {name}", besides=client)

    def whisper(self, client: Client, rest: str) -> None:
        """Tell one alone."""
        to, _, text = rest.partition(" ")
        target = self.members.get(to.casefold())
        if not text:
            client.send("Usage: /msg NAME TEXT")
        elif target is None:
            client.send(f"Nobody here is called {to}.")
        else:
            target.send(f"<{client.name}> (to you alone) {text}")

    def say(self, client: Client, text: str) -> None:
        """Tell everybody else."""
        self.tell(f"<{client.name}> {text}", besides=client)

    def tell(self, line: str, besides: Client | None = None) -> None:
        """Send a line to all members."""
        for member in list(self.members.values()):
            if member is not besides:
                member.send(line)


async def accept_all(listener: socket.socket, room: Room, client_class: type[Client]) -> None:
    """Let newcomers in for ever, and sit out a shortage of descriptors."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock, _ = await loop.sock_accept(listener)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(lambda: client_class(room), sock)
        except OSError as error:
            if error.errno in EXHAUSTED:
                await asyncio.sleep(ACCEPT_PAUSE_S)
            elif error.errno not in (errno.ECONNABORTED, errno.ENOTCONN, errno.EINVAL):
                raise


async def serve(port: int, room: Room, client_class: type[Client] = Client) -> None:
    """Serve on `port` until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listener:  # sets SO_REUSEADDR
        listener.setblocking(False)
        accepting = asyncio.create_task(accept_all(listener, room, client_class))
        await stop.wait()
        accepting.cancel()


def main(room_class: type[Room] = Room, client_class: type[Client] = Client) -> None:
    """Run the chat as the command line says."""
    idle_s = float(sys.argv[2]) if len(sys.argv) > 2 else 0
    asyncio.run(serve(int(sys.argv[1]), room_class(idle_s), client_class))


if __name__ == "__main__":
    main()
