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
MARKS = 512  # pieces of news for which is known what of them was acknowledged
_TCPI_BYTES_ACKED = 120  # its offset in struct tcp_info, linux/tcp.h (a u64; Linux 4.1)


class Outbox:
    """The outgoing side of one connection. `seq` numbers are those of the room's messages."""

    # Where in a piece of news each message ends, and its number; one tuple for all receivers.
    Ends = tuple[tuple[int, int], ...]

    def __init__(self, transport: asyncio.Transport, seq: int) -> None:
        self._transport = transport
        self._pending: list[bytes] = []
        self._size = 0  # of all that was ever put in
        self._marks: deque[tuple[int, Outbox.Ends]] = deque()  # (where a piece of news began, its ends)
        self._floor = seq
        self._full_since: float | None = None
        self._closed = False

    def put(self, data: bytes, ends: Ends = ()) -> bool:
        """Queue `data`; True when nothing was queued before, so that somebody has to call `flush`."""
        if ends:
            if len(self._marks) >= MARKS:
                self._floor = self._marks.popleft()[1][-1][1]
            self._marks.append((self._size, ends))
        self._size += len(data)
        self._pending.append(data)
        return len(self._pending) == 1

    def flush(self, now: float) -> bool:
        """Write what is queued. False when more is waiting now than a client may leave unread."""
        data = b"".join(self._pending)
        self._pending.clear()
        if self._closed or self._transport.is_closing():
            return True
        if data:
            self._transport.write(data)
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
        for start, ends in self._marks:
            for end, seq in ends:
                if start + end > acknowledged:
                    return self._floor
                self._floor = seq
        return self._floor

    def _acknowledged(self) -> int:
        """Bytes that the other side's kernel has confirmed; all that there were, where ours does not count them."""
        sock = self._transport.get_extra_info("socket")
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCPI_BYTES_ACKED + 8)
        except OSError:
            return self._size
        if len(info) < _TCPI_BYTES_ACKED + 8:
            return self._size
        return int(struct.unpack_from("=Q", info, _TCPI_BYTES_ACKED)[0])
