"""All of it put together, from the first signal handler to the exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence

from . import journal
from .client import Client
from .door import Door, listen
from .room import Room
from .settings import Settings, parse

TICK_S = 0.25
GOODBYE_S = 0.5  # for the clients to take in that we stop


class Server:
    """One room behind one door. Create it within a running loop; it serves from then on."""

    def __init__(self, sock: socket.socket, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_report)
        self._room = Room(self._loop, settings.max_clients, settings.resume_s)
        self._connections: set[Client] = set()
        self._arriving: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()
        self._tick_s = min(TICK_S, settings.idle_s / 4, settings.heartbeat_s / 4)
        self._door = Door(sock, self._admit)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        self._tick()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then part from everybody."""
        await self._stop.wait()
        journal.info("stopping", clients=len(self._connections))
        self._door.close()
        self._room.close()
        going = list(self._connections)
        for client in going:
            client.part("* Servidor encerrando", "shutdown", linger_s=GOODBYE_S)
        if going:
            await asyncio.wait([client.lost for client in going], timeout=GOODBYE_S)
        for client in list(self._connections):
            client.drop("shutdown")
        journal.info("stopped")

    def _tick(self) -> None:
        self._loop.call_later(self._tick_s, self._tick)
        self._room.tick(self._loop.time())

    def _admit(self, sock: socket.socket) -> None:
        task = self._loop.create_task(self._receive(sock))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _receive(self, sock: socket.socket) -> None:
        try:
            # asyncio does this only for sockets that were made with an explicit protocol number
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(
                lambda: Client(self._room, self._settings, self._connections), sock
            )
        except OSError as problem:
            sock.close()
            journal.info("lost on arrival", reason=type(problem).__name__)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """A fault of our own: said in the log, and the others are served all the same."""
    journal.error("fault", what=str(context.get("message")), problem=repr(context.get("exception")))


async def _serve(sock: socket.socket, settings: Settings) -> None:
    server = Server(sock, settings)
    host, port = sock.getsockname()[:2]
    print(f"listening on {host}:{port}", file=sys.stderr, flush=True)
    await server.run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server; returns the exit status: 0 after a signal, 1 when it could not listen."""
    settings = parse(arguments)
    journal.start(settings.log_level)
    try:
        sock = listen(settings.host, settings.port)
    except OSError as problem:
        reason = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else problem.strerror
        print(f"cannot listen on {settings.host}:{settings.port}: {reason}", file=sys.stderr)
        return 1
    asyncio.run(_serve(sock, settings))
    return 0
