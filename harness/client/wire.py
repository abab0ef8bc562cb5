"""The wire: one TCP connection whose every segment is ours to place.

A non-blocking socket on the event loop, Nagle's algorithm off (one `send` is one segment as long as the window is
open). It can close in every way that TCP knows: FIN, half-close, RST (SO_LINGER with a zero time-out), a process that
is killed, and silence: a socket filter that drops every packet which comes in, so that the peer's segments are never
acknowledged and nothing is ever answered, as if the cable were pulled. That needs no privilege (Linux, socket(7):
SO_ATTACH_FILTER).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import ClassVar

from harness.history import Ending

READ_SIZE = 1 << 16
SO_ATTACH_FILTER = 26
#: How long the process that holds a victim's socket lives at most: it must not outlive the harness.
HOLDER_S = 120


class Wire:
    """One connection. `on_bytes(data)` and `on_end(how)` are called from the event loop.

    `spares_port`: where many servers must have the same port one after the other, a connection that the server closed
    first is answered with RST: a FIN would keep the server's port for a minute (TIME_WAIT; RFC 9293, section 3.6.1).
    """

    spares_port: ClassVar[bool] = False

    def __init__(
        self, sock: socket.socket, on_bytes: Callable[[bytes], None], on_end: Callable[[Ending], None]
    ) -> None:
        self._sock: socket.socket | None = sock
        self._loop = asyncio.get_running_loop()
        self._on_bytes = on_bytes
        self._on_end = on_end
        self._reading = False
        self._holder: subprocess.Popen[bytes] | None = None
        self.local_port: int = sock.getsockname()[1]
        self.received = 0
        self.sent = 0
        self.ended: Ending | None = None
        self.closed = False
        self.listen()

    @classmethod
    async def open(
        cls,
        address: tuple[str, int],
        on_bytes: Callable[[bytes], None],
        on_end: Callable[[Ending], None],
        *,
        deadline_s: float,
        receive_buffer: int | None = None,
    ) -> Wire:
        """Connect. Raises OSError (ConnectionRefusedError …), or TimeoutError after `deadline_s`.

        `receive_buffer` in bytes is set before the connection is made, so that it bounds the advertised window.
        """
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if receive_buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            async with asyncio.timeout(deadline_s):
                await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return cls(sock, on_bytes, on_end)

    # -- reading -------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Read whatever comes (the normal state)."""
        if self._sock is not None and not self._reading and self.ended is None:
            self._loop.add_reader(self._sock.fileno(), self._readable)
            self._reading = True

    def stall(self) -> None:
        """Stop reading: the kernel's buffer fills, then the window closes."""
        if self._sock is not None and self._reading:
            self._loop.remove_reader(self._sock.fileno())
            self._reading = False

    def _readable(self) -> None:
        if self._sock is None:
            return
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except ConnectionResetError:
            self._end("reset")
            return
        except OSError:
            self._end("error")
            return
        if not data:
            self._end("fin")
            return
        self.received += len(data)
        self._on_bytes(data)

    def _end(self, how: Ending) -> None:
        self.stall()
        if self.ended is None:
            self.ended = how
            self._on_end(how)

    # -- writing -------------------------------------------------------------------------------------------------

    async def send(self, data: bytes, *, deadline_s: float) -> int:
        """Hand all of `data` to the kernel, in as few segments as it likes. Returns how much it took in time.

        Raises ConnectionError when the connection is gone.
        """
        view, taken = memoryview(data), 0
        try:
            async with asyncio.timeout(deadline_s):
                while taken < len(data):
                    taken += await self._send_some(view[taken : taken + (1 << 18)])
        except TimeoutError:
            pass
        return taken

    def send_now(self, data: bytes) -> int:
        """One `send`, one segment, as much as the kernel takes at once. Raises ConnectionError when it is gone."""
        if self._sock is None:
            raise BrokenPipeError(errno.EPIPE, "this side has closed the connection")
        try:
            count = self._sock.send(data)
        except BlockingIOError:
            return 0
        self.sent += count
        return count

    async def _send_some(self, data: memoryview) -> int:
        count = self.send_now(bytes(data))
        if count or self._sock is None:
            return count
        writable = asyncio.Event()
        number = self._sock.fileno()
        self._loop.add_writer(number, writable.set)
        try:
            await writable.wait()
        finally:
            self._loop.remove_writer(number)
        return 0

    # -- leaving -------------------------------------------------------------------------------------------------

    def half_close(self) -> None:
        """Say FIN and go on listening (RFC 9293, section 3.6)."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both ways with FIN. Unread bytes would turn it into an RST (the kernel's rule), so read them first."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                while self._sock.recv(READ_SIZE):
                    pass
                if self.spares_port:  # the end of its input was read: the server has closed
                    self.reset()
        self._release()

    def reset(self) -> None:
        """End the connection with RST: SO_LINGER on, zero seconds, then close (socket(7))."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._release()

    def abandon(self) -> None:
        """Close as it is, unread bytes and all: what a program does that just ends."""
        self._release()

    def go_silent(self) -> bool:
        """Drop every packet that comes in from now on. Returns False where the system cannot do it.

        Nothing is sent any more either, as long as the caller sends nothing: no ACK, no FIN, no RST.
        """
        if self._sock is None or not sys.platform.startswith("linux"):
            return False
        self.stall()
        drop_all = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF_RET | BPF_K, 0: keep no byte
        code = ctypes.create_string_buffer(drop_all)
        program = struct.pack("HL", 1, ctypes.addressof(code))
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        except OSError:
            return False
        return True

    def hand_over(self) -> None:
        """Give the socket to a process of its own, which holds it and does nothing."""
        if self._sock is None:
            return
        self.stall()
        number = self._sock.fileno()
        self._holder = subprocess.Popen(["sleep", str(HOLDER_S)], pass_fds=(number,), stdin=subprocess.DEVNULL)
        self._release()

    def kill_holder(self) -> None:
        """SIGKILL the process that holds the socket: the kernel closes it as it closes any dead process's."""
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()
            self._holder = None

    def _release(self) -> None:
        self.stall()
        self.closed = True
        if self._sock is not None:
            self._loop.remove_writer(self._sock.fileno())  # a send may be waiting: the number will be somebody else's
            self._sock.close()
            self._sock = None
