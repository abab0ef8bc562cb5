"""What one client has yet to be sent, and what it has surely received.

Lines are collected during one turn of the loop and written in one go. The queue is bounded twice: above SOFT_BYTES for
longer than STALLED_S the client counts as a slow reader, above HARD_BYTES it does so at once. Nobody ever waits for it.

For a client that comes back after its line went dead, `heard` tells the last message that its side acknowledged, by the
kernel's own count (TCP_INFO, tcp(7)): what was merely written may never have arrived.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque

SEND_BUFFER = 64 * 1024  # SO_SNDBUF (the kernel doubles it): a stalled reader shows early
SOFT_BYTES = 384 * 1024
STALLED_S = 1.0
HARD_BYTES = 2 * 1024 * 1024
MARKS = 512
_TCPI_BYTES_ACKED = 120  # its offset in struct tcp_info, linux/tcp.h (a u64; Linux 4.1)


class Outbox:
    """The outgoing side of one connection. `seq` numbers are those of the room's messages."""

    def __init__(self, transport: asyncio.Transport, seq: int) -> None:
        self._transport = transport
        self._pending: list[bytes] = []
        self._written = 0
        self._marks: deque[tuple[int, int]] = deque()  # (bytes written, last message among them)
        self._floor = seq
        self._full_since: float | None = None
        self._closed = False

    def put(self, data: bytes) -> bool:
        """Queue `data`; True when nothing was queued before, so that somebody has to call `flush`."""
        self._pending.append(data)
        return len(self._pending) == 1

    def flush(self, seq: int, now: float) -> bool:
        """Write what is queued, up to message `seq`. False when that is more than a client may leave unread."""
        data = b"".join(self._pending)
        self._pending.clear()
        if self._closed or self._transport.is_closing():
            return True
        if data:
            self._transport.write(data)
            self._written += len(data)
            self._mark(seq)
        queued = self._transport.get_write_buffer_size()
        if queued <= SOFT_BYTES:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now
        return queued <= HARD_BYTES

    def close(self) -> None:
        """Nothing more will be written: end the stream (FIN) behind what is queued."""
        if not self._closed and not self._transport.is_closing():
            self._transport.write_eof()
        self._closed = True

    def stalled(self, now: float) -> bool:
        """Whether the queue has been too long for too long."""
        if self._full_since is not None and self._transport.get_write_buffer_size() <= SOFT_BYTES:
            self._full_since = None
        return self._full_since is not None and now - self._full_since > STALLED_S

    def heard(self) -> int:
        """The last message whose every byte the client's side has acknowledged."""
        acknowledged = self._acknowledged()
        while self._marks and self._marks[0][0] <= acknowledged:
            self._floor = self._marks.popleft()[1]
        return self._floor

    def _mark(self, seq: int) -> None:
        last = self._marks[-1][1] if self._marks else self._floor
        if seq == last:
            return
        self._marks.append((self._written, seq))
        if len(self._marks) > MARKS:
            self._floor = self._marks.popleft()[1]

    def _acknowledged(self) -> int:
        """Bytes that the other side's kernel has confirmed; all that were written, where ours does not count them."""
        sock = self._transport.get_extra_info("socket")
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCPI_BYTES_ACKED + 8)
        except OSError:
            return self._written
        if len(info) < _TCPI_BYTES_ACKED + 8:
            return self._written
        return int(struct.unpack_from("=Q", info, _TCPI_BYTES_ACKED)[0])
