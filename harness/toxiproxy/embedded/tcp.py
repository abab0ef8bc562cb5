"""What a TCP socket is asked and told beyond Python's own words."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import sys
import termios

#: SO_LINGER on, zero seconds: a close is a reset.
_LINGER_NONE = struct.pack("ii", 1, 0)


def unsent(sock: socket.socket) -> int:
    """Bytes that the socket's peer has not confirmed (SIOCOUTQ, tcp(7)); 0 where the kernel cannot say."""
    try:
        return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


def close_is_reset(sock: socket.socket) -> None:
    """From now on closing the socket sends an RST, and what it has not sent is lost."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
