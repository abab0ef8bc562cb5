"""The listening socket.

A connection is accepted as soon as it is there, several at a time. When the process has no descriptor left, accept()
fails while the connection stays in the queue, and a loop that just tried again would spin. So one descriptor is held
in reserve: it is given up to accept that connection, say that there is no room, and close it; then it is taken back.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable

from . import journal
from .outbox import SEND_BUFFER

BACKLOG = 1024
BURST = 64  # connections accepted before the clients get their turn
PAUSE_S = 0.25  # until the next try, when even the reserve did not help

# accept(2): the first two are limits on descriptors, the others on kernel memory.
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

REFUSAL = b"* Servidor sem recursos: tente mais tarde\n"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket with SO_REUSEADDR; raises OSError when there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # accepted sockets inherit it
    sock.setblocking(False)
    return sock


class Door:
    """Accepts connections on `sock` and gives them to `admit`, until it is closed."""

    def __init__(self, sock: socket.socket, admit: Callable[[socket.socket], None]) -> None:
        self._sock = sock
        self._admit = admit
        self._loop = asyncio.get_running_loop()
        self._reserve: int | None = os.open(os.devnull, os.O_RDONLY)
        self._short = False
        self._loop.add_reader(sock, self._answer)

    def close(self) -> None:
        self._loop.remove_reader(self._sock)
        self._sock.close()
        if self._reserve is not None:
            os.close(self._reserve)

    def _answer(self) -> None:
        for _ in range(BURST):
            try:
                sock, _peer = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as problem:
                if problem.errno not in OUT_OF_RESOURCES:
                    continue  # that one connection failed before we took it
                if not self._turn_away():
                    return
            else:
                self._tell_shortage(False)
                self._admit(sock)

    def _turn_away(self) -> bool:
        """Accept one connection only to say that there is no room. False when there was none, or no way to do so."""
        self._tell_shortage(True)
        if self._reserve is None:
            self._pause()
            return False
        os.close(self._reserve)
        try:
            sock, _peer = self._sock.accept()
            with sock:
                sock.setblocking(False)
                sock.send(REFUSAL)
        except BlockingIOError:
            return False
        except OSError as problem:
            if problem.errno in OUT_OF_RESOURCES:
                self._pause()
                return False
        finally:
            self._reserve = self._open_reserve()
        return True

    def _open_reserve(self) -> int | None:
        try:
            return os.open(os.devnull, os.O_RDONLY)
        except OSError:
            return None

    def _pause(self) -> None:
        self._loop.remove_reader(self._sock)
        self._loop.call_later(PAUSE_S, self._resume)

    def _resume(self) -> None:
        if self._sock.fileno() < 0:
            return
        if self._reserve is None:
            self._reserve = self._open_reserve()
        self._loop.add_reader(self._sock, self._answer)

    def _tell_shortage(self, short: bool) -> None:
        if short != self._short:
            self._short = short
            (journal.warning if short else journal.info)("out of descriptors" if short else "descriptors again")
