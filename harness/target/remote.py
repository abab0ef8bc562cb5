"""A server that somebody else runs: an address, and nothing of its process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import time

from harness.target import sockets, tree
from harness.target.spec import ServerSpec, TargetError

#: A server says what it still has to say, and closes, within this time, in seconds.
LEAVE_S = 0.5


class RemoteServer:
    """Where it listens. Its threads, its restart and its output are not ours to see."""

    def __init__(self, spec: ServerSpec) -> None:
        assert spec.connect is not None
        self.address: tuple[str, int] = spec.connect
        self._name = spec.name
        self._pids: tuple[int, ...] | None = None

    async def wait_until_listening(self, deadline_s: float) -> None:
        """Try until a connection is made; from then on `address` is the numeric one. Raises TargetError when none is within
        `deadline_s`."""
        end, last = time.monotonic() + deadline_s, "no answer"
        while True:
            for address in await self._resolved(self.address):
                try:
                    async with asyncio.timeout(max(0.1, end - time.monotonic())):
                        reader, writer = await asyncio.open_connection(*address)
                except (OSError, TimeoutError) as error:
                    last = _why(error)
                else:
                    self.address = address
                    await _leave(reader, writer)
                    return
            if time.monotonic() >= end:
                break
            await asyncio.sleep(0.1)  # between two attempts
        raise TargetError(f"nothing answers at {self._name} ({last}); is the server running?", kind="refused")

    async def look_up(self) -> None:
        """The numeric address, without a connection: for somebody who has been there before. Raises TargetError."""
        self.address = (await self._resolved(self.address))[0]

    def served_s(self) -> tuple[float, float] | None:
        """How long its threads stood ready without a processor and how long they ran, in seconds, where it runs on this
        machine and may be looked at; None elsewhere. A deadline is stretched by it, nothing is judged by it."""
        if self._pids is None:
            self._pids = tuple(sockets.listeners(*self.address))
        served = [tree.served(pid) for pid in self._pids]
        if not any(ran for _, ran in served):
            return None
        return sum(waited for waited, _ in served), sum(ran for _, ran in served)

    async def _resolved(self, address: tuple[str, int]) -> list[tuple[str, int]]:
        """Each numeric address that the name stands for, IPv4 first. Raises TargetError for an unknown name."""
        if (
            address[0].lower() == "localhost"
        ):  # by definition both (RFC 6761, section 6.3), whatever the table of hosts says
            return [("127.0.0.1", address[1]), ("::1", address[1])]
        try:
            found = await asyncio.get_running_loop().getaddrinfo(*address, type=socket.SOCK_STREAM)
        except OSError as error:
            raise TargetError(
                f"--connect {self._name}: there is no machine {address[0]!r} ({error.strerror})", kind="refused"
            ) from None
        hosts = dict.fromkeys(str(info[4][0]) for info in sorted(found, key=lambda info: info[0] != socket.AF_INET))
        return [(host, address[1]) for host in hosts]


async def _leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As a client that has nothing to say: FIN, and what the server still says is read, or the kernel would send RST."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(LEAVE_S):
            writer.write_eof()
            while await reader.read(1 << 16):
                pass
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _why(error: OSError | TimeoutError) -> str:
    """In the system's words, without the address that asyncio puts into them."""
    if isinstance(error, TimeoutError) or not isinstance(error.errno, int):
        return "no answer"
    return "connection refused" if error.errno == errno.ECONNREFUSED else os.strerror(error.errno).lower()
