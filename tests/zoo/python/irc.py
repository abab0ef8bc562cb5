"""A correct, small IRC server (RFC 1459) on asyncio protocols: NICK, USER, JOIN, PRIVMSG, NAMES, PING and QUIT.

Nobody is registered who does not give back the cookie of a PING first. A line has at most 512 bytes, a name at most 9.

    python irc.py PORT
"""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
import socket
import sys

from base_asyncio import accept_all
from lines import BACKLOG, FAREWELL_S, OUTBOX_LIMIT, LineBuffer, LineTooLong, clean

HOST = "irc.zoo"
LONGEST = 510
NAME = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,8}")
CHANNEL = re.compile(r"#[^\s,:\x07]{1,49}")


class Client(asyncio.Protocol):
    """One connection, as asyncio calls it."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server
        self.nick = self.user = ""
        self.cookie = secrets.token_hex(4)
        self.registered = self.leaving = False
        self._incoming = LineBuffer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.leaving:
            return
        try:
            for line in self._incoming.feed(data):
                if len(line) > LONGEST + 1:
                    raise LineTooLong
                self.server.hear(self, clean(line))
                if self.leaving:
                    return
        except LineTooLong:
            self.part("Request too long")

    def eof_received(self) -> bool:
        self.part("Client closed connection")
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self.server.forget(self, "Connection lost")

    def send(self, line: str) -> None:
        """Write a line, cut to 512 bytes; never waits. Whoever lets too much wait is dropped."""
        if self.leaving or self.transport.is_closing():
            return
        self.transport.write(line.encode()[:LONGEST] + b"\r\n")
        if self.transport.get_write_buffer_size() > OUTBOX_LIMIT:
            self.transport.abort()

    def reply(self, number: str, text: str) -> None:
        """A numeric reply."""
        self.send(f":{HOST} {number} {self.nick or '*'} {text}")

    def part(self, why: str) -> None:
        """Tell the others and the client, say FIN, and give the client a moment to say its own."""
        if self.leaving:
            return
        self.send(f"ERROR :Closing link: {why}")
        self.leaving = True
        self.server.forget(self, why)
        try:
            self.transport.write_eof()
        except OSError:
            self.transport.abort()
        asyncio.get_running_loop().call_later(FAREWELL_S, self.transport.abort)

    @property
    def mask(self) -> str:
        """What stands in front of its messages."""
        return f"{self.nick}!{self.user}@localhost"


class Server:
    """The names and the channels."""

    def __init__(self) -> None:
        self.names: dict[str, Client] = {}  # by the name in lower case
        self.channels: dict[str, list[Client]] = {}

    def hear(self, client: Client, line: str) -> None:
        """One line of a client."""
        head, _, last = line.partition(" :")
        words = head.split() + ([last] if " :" in line else [])
        if not words:
            return
        command, parts = words[0].upper(), words[1:]
        match command:
            case "NICK" | "USER" | "PONG" | "PING" | "QUIT":
                getattr(self, command.lower())(client, parts)
            case _ if not client.registered:
                client.reply("451", ":You have not registered")
            case "JOIN" | "PRIVMSG":
                getattr(self, command.lower())(client, parts)
            case "NAMES":
                self.names_of(client, parts[0] if parts else "*")
            case _:
                client.reply("421", f"{command} :Unknown command")

    def nick(self, client: Client, parts: list[str]) -> None:
        """A name, unless somebody has it."""
        name = parts[0] if parts else ""
        if not NAME.fullmatch(name):
            client.reply("432", f"{name} :Erroneous nickname")
        elif self.names.get(name.lower(), client) is not client:
            client.reply("433", f"{name} :Nickname is already in use")
        else:
            if self.names.pop(client.nick.lower(), None) and client.registered:
                self.tell_around(client, f":{client.mask} NICK :{name}", besides=None)
            client.nick = name
            self.names[name.lower()] = client
            self.ask(client)

    def user(self, client: Client, parts: list[str]) -> None:
        """A user's name; the second half of a registration."""
        if len(parts) < 4 or client.user:
            client.reply("461", "USER :Not enough parameters")
            return
        client.user = "~" + parts[0][:10]
        self.ask(client)

    def ask(self, client: Client) -> None:
        """Whoever has given both is asked to show that it listens."""
        if client.nick and client.user and not client.registered:
            client.send(f"PING :{client.cookie}")

    def pong(self, client: Client, parts: list[str]) -> None:
        """The cookie again: then one is registered."""
        if not client.registered and client.nick and client.user and parts[-1:] == [client.cookie]:
            client.registered = True
            client.reply("001", f":Welcome to the zoo, {client.mask}")
            client.reply("422", ":There is no message of the day")

    def ping(self, client: Client, parts: list[str]) -> None:
        """A client's own heartbeat."""
        client.send(f":{HOST} PONG {HOST} :{parts[0] if parts else ''}")

    def join(self, client: Client, parts: list[str]) -> None:
        """Into a channel; who is there is told."""
        for name in (parts[0] if parts else "").split(","):
            if not CHANNEL.fullmatch(name):
                client.reply("403", f"{name} :No such channel")
            elif client not in self.channels.setdefault(name.lower(), []):
                self.channels[name.lower()].append(client)
                for member in list(self.channels[name.lower()]):
                    member.send(f":{client.mask} JOIN {name}")
                self.names_of(client, name)

    def names_of(self, client: Client, name: str) -> None:
        """Who is in a channel, so many in a line that it fits."""
        here = [member.nick for member in self.channels.get(name.lower(), [])]
        for at in range(0, len(here), 40):
            client.reply("353", f"= {name} :{' '.join(here[at : at + 40])}")
        client.reply("366", f"{name} :End of NAMES list")

    def privmsg(self, client: Client, parts: list[str]) -> None:
        """To a channel that one is in, or to one alone."""
        if len(parts) < 2 or not parts[1]:
            client.reply("412", ":No text to send")
            return
        line, key = f":{client.mask} PRIVMSG {parts[0]} :{parts[1]}", parts[0].lower()
        if client in self.channels.get(key, []):
            for member in list(self.channels[key]):
                if member is not client:
                    member.send(line)
        elif (to := self.names.get(key)) is not None and to.registered:
            to.send(line)
        else:
            client.reply("401", f"{parts[0]} :No such nick or channel")

    def quit(self, client: Client, parts: list[str]) -> None:
        """A polite farewell."""
        client.part(parts[0] if parts else "Quit")

    def tell_around(self, client: Client, line: str, besides: Client | None) -> None:
        """To all who share a channel with this one, once each."""
        near = {other for members in self.channels.values() if client in members for other in members}
        for other in near:
            if other is not besides:
                other.send(line)

    def forget(self, client: Client, why: str) -> None:
        """It has gone: out of the names and the channels, and the others are told."""
        if self.names.get(client.nick.lower()) is not client:
            return
        self.tell_around(client, f":{client.mask} QUIT :{why}", besides=client)
        del self.names[client.nick.lower()]
        for name, members in list(self.channels.items()):
            if client in members:
                members.remove(client)
            if not members:
                del self.channels[name]


async def serve(port: int, server: Server, client_class: type[Client] = Client) -> None:
    """Serve on `port` until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listener:
        listener.setblocking(False)
        accepting = asyncio.create_task(accept_all(listener, server, client_class))
        await stop.wait()
        accepting.cancel()


def main(server_class: type[Server] = Server, client_class: type[Client] = Client) -> None:
    """Run the server as the command line says."""
    asyncio.run(serve(int(sys.argv[1]), server_class(), client_class))


if __name__ == "__main__":
    main()
