"""One connection, from the welcome to the last byte.

A client is *here* (in the room) or *parting*: it was told why, and the stream to it was ended (FIN); what it still
sends is read and thrown away, so that the kernel does not answer with a reset that would destroy our last words. Its
own FIN is taken for a farewell: every whole line before it counts, what is due to it is sent, then all is closed.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from typing import cast

from . import commands, journal
from .lines import TOO_LONG, LineBuffer
from .outbox import Outbox
from .pace import Pace
from .room import Room
from .sessions import Session
from .settings import Settings

READ_BYTES = 64 * 1024
TURN_LINES = 200  # of one client, before the others get their turn
FLOOD_S = 10.0  # a client that had to be slowed down for so long without a break is closed
LINGER_S = 2.0  # for what is queued, and the other side's FIN, after we ended the stream

_HTTP = re.compile(rb"[A-Z]+ \S+ HTTP/\d")
_numbers = itertools.count(1)
_read_buffer = memoryview(bytearray(READ_BYTES))  # one for all: it is emptied as soon as it is filled


class Client(asyncio.BufferedProtocol):
    """The protocol of one connection.

    `number` is for the log, `since` the last message said before it came; `lost` is done when all is over.
    """

    outbox: Outbox
    session: Session

    def __init__(self, room: Room, settings: Settings, everybody: set[Client]) -> None:
        self.number = next(_numbers)
        self.since = room.history.seq
        self._room = room
        self._settings = settings
        self._everybody = everybody
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._lines = LineBuffer(settings.max_line)
        self._last_line = self._last_ping = self._loop.time()
        self._pace = Pace(self._last_line)
        self._slowed_since: float | None = None
        self._first = True
        self._parting = False
        self._linger: asyncio.TimerHandle | None = None

    # -- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._everybody.add(self)
        self.outbox = Outbox(self._transport, self.since)
        if self._room.full():
            self._refuse()
            return
        self.session = self._room.join(self)
        name, token = self.session.name, self.session.token
        self.tell(f"Bem-vindo ao chat, {name}!\n{commands.USAGE}\nToken: {token}")
        journal.info("joined", client=self.number, name=name, peer=self._peer(), here=len(self._room.clients))

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self._parting:
            self._lines.feed(bytes(_read_buffer[:nbytes]))
            self._turn()

    def eof_received(self) -> None:
        """The loop closes the transport next: behind what was written, so write what is due."""
        if not self._parting:
            self._room.flush()
            self._end("end of input")
            self._linger = self._loop.call_later(LINGER_S, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("connection lost" if exc is None else type(exc).__name__)
        if self._linger is not None:
            self._linger.cancel()
        self._everybody.discard(self)
        self.lost.set_result(None)

    # -- what the room and the commands call

    def tell(self, text: str) -> None:
        self._room.tell(self, f"{text}\n".encode())

    def tell_bytes(self, line: bytes) -> None:
        self._room.tell(self, line)

    def part(self, text: str, reason: str, *, for_good: bool = False, linger_s: float = LINGER_S) -> None:
        """Tell the client why, take it out of the room, and close the connection in order."""
        if self._parting:
            return
        self.tell(text)
        self._room.flush()
        if not self._parting:  # that flush may have found it to be a slow reader
            self._end(reason, for_good=for_good)
            self.outbox.close()
            self._transport.resume_reading()
            self._linger = self._loop.call_later(linger_s, self._close)

    def drop(self, reason: str) -> None:
        """Take the client out of the room, and cut the connection without waiting for anything."""
        self._end(reason)
        self._transport.abort()

    def tick(self, now: float) -> None:
        """Look after a client that does nothing."""
        silent = now - self._last_line
        if self.outbox.stalled(now):
            self.drop("slow reader")
        elif silent > self._settings.idle_s:
            self.part("* Desconectado por inatividade", "idle")
        elif silent > self._settings.heartbeat_s and now - self._last_ping > self._settings.heartbeat_s:
            self._last_ping = now
            self.tell("PING")

    # -- within

    def _turn(self) -> None:
        """Take a number of lines, no more than the pace allows; the rest waits, and nothing more is read till then."""
        now = self._loop.time()
        self._pace.refill(now)
        ready = self._lines.ready
        for _ in range(min(TURN_LINES, len(ready))):
            if self._parting or not self._pace.spend(len(ready[0] or b"")):
                break
            self._last_line = now
            self._take(ready.popleft())
        if self._parting:
            return
        if not ready:
            self._slowed_since = None
            self._transport.resume_reading()
            return
        self._transport.pause_reading()
        self._wait(now)

    def _wait(self, now: float) -> None:
        wait_s = self._pace.wait_s()
        if wait_s and self._slowed_since is None:
            self._slowed_since = now
            journal.info("slowed", client=self.number)
        if self._slowed_since is not None and now - self._slowed_since > FLOOD_S:
            self.part("* Mensagens demais: desconectado", "flood")
        else:
            self._loop.call_later(wait_s, self._next_turn)

    def _next_turn(self) -> None:
        if not self._parting:
            self._turn()

    def _take(self, line: bytes | None) -> None:
        first, self._first = self._first, False
        if line is TOO_LONG:
            self.tell(f"* Linha longa demais: o maximo sao {self._settings.max_line} bytes")
        elif first and _HTTP.match(line):
            self.part("* Isto e um chat, nao um servidor HTTP", "http")
        else:
            try:
                commands.obey(self._room, self, line.decode())
            except UnicodeDecodeError:
                self.tell("* Linha recusada: nao e UTF-8")
            journal.debug("line", client=self.number, size=len(line))

    def _refuse(self) -> None:
        """The room is full."""
        self._parting = True
        self._transport.write(b"* Servidor cheio: tente mais tarde\n")
        self._transport.write_eof()
        self._linger = self._loop.call_later(LINGER_S, self._close)
        journal.info("refused", client=self.number, reason="full", peer=self._peer())

    def _end(self, reason: str, *, for_good: bool = False) -> None:
        if not self._parting:
            self._parting = True
            self._room.leave(self, reason, for_good=for_good)
        self._lines.ready.clear()

    def _close(self) -> None:
        """Time is up: an orderly end when everything was sent, a reset otherwise."""
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def _peer(self) -> str:
        address = self._transport.get_extra_info("peername") or ("?",)
        return ":".join(map(str, address[:2]))
