"""The wire, on real loopback sockets: what the peer's kernel sees of each way to send, to stall and to leave."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps

import pytest

from harness.client.wire import Wire
from harness.history import Ending
from harness.target import sockets

#: Far more than anything here takes.
LONG_S = 10.0


@dataclass
class Pair:
    """A wire, what it was given, and the peer's end: a plain non-blocking socket."""

    peer: socket.socket
    wire: Wire = field(init=False)
    got: bytearray = field(default_factory=bytearray)
    ended: list[Ending] = field(default_factory=list)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that the kernel must make true."""
        async with asyncio.timeout(LONG_S):
            while not condition():  # noqa: ASYNC110 - the kernel beats no event
                await asyncio.sleep(0.005)

    async def read(self, size: int = 65536) -> bytes:
        """One read of the peer. Raises what recv raises."""
        async with asyncio.timeout(LONG_S):
            return await asyncio.get_running_loop().sock_recv(self.peer, size)


@contextlib.asynccontextmanager
async def paired(
    receive_buffer: int | None = None, family: int = socket.AF_INET, deadline_s: float = LONG_S
) -> AsyncIterator[Pair]:
    """A connection over loopback."""
    with socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family) as listener:
        address = listener.getsockname()[:2]
        pair: list[Pair] = []
        wire = await Wire.open(
            address,
            lambda data: pair[0].got.extend(data),
            lambda how: pair[0].ended.append(how),
            deadline_s=deadline_s,
            receive_buffer=receive_buffer,
        )
        peer, _ = listener.accept()
    peer.setblocking(False)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pair.append(Pair(peer))
    pair[0].wire = wire
    try:
        yield pair[0]
    finally:
        wire.kill_holder()
        wire.reset()
        peer.close()


def on_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run the test on an event loop of its own, on which nothing is left behind."""

    @wraps(test)
    def run() -> None:
        async def whole() -> None:
            await test()
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left

        asyncio.run(whole())

    return run


def unacknowledged(sock: socket.socket) -> int:
    """Bytes in the send queue that the other side's kernel has not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]  # type: ignore[no-any-return]


# -- talking ---------------------------------------------------------------------------------------------------------


@on_a_loop
async def test_what_comes_is_given_on_and_counted() -> None:
    async with paired() as pair:
        pair.peer.send(b"hello")
        await pair.until(lambda: pair.got == b"hello")
        assert pair.wire.received == 5
        assert await pair.wire.send(b"good day", deadline_s=LONG_S) == 8
        assert await pair.read() == b"good day"
        assert pair.wire.sent == 8
        assert pair.wire.local_port == pair.peer.getpeername()[1]


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@on_a_loop
async def test_an_address_with_a_colon_is_ipv6() -> None:
    try:
        async with paired(family=socket.AF_INET6) as pair:
            await pair.wire.send(b"six", deadline_s=LONG_S)
            assert await pair.read() == b"six"
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="TCP_INFO as Linux has it")
@on_a_loop
async def test_one_send_is_one_segment() -> None:
    """The peer's kernel counts the segments with data that it has received (tcpi_data_segs_in)."""
    async with paired() as pair:
        for number in range(8):  # fewer than a first window of ten: the kernel waits for no acknowledgement
            pair.wire.send_now(b"%02d" % number)
        await pair.until(lambda: segments_in(pair.peer) >= 8)
        assert segments_in(pair.peer) == 8
        assert len(await pair.read()) == 16  # that they came apart, no reader can tell


def segments_in(sock: socket.socket) -> int:
    """How many segments with data have come in (struct tcp_info, tcpi_data_segs_in at byte 152)."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return struct.unpack_from("I", info, 152)[0]  # type: ignore[no-any-return]


@on_a_loop
async def test_a_stalled_reader_takes_what_its_buffer_holds_and_no_more() -> None:
    async with paired(receive_buffer=4096) as pair:
        pair.wire.stall()
        pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sent = poured(pair.peer)
        assert sent < 200_000
        await asyncio.sleep(0.05)  # nothing is read meanwhile: that is what is tested
        assert not pair.got
        pair.wire.listen()
        await pair.until(lambda: len(pair.got) == sent)


def poured(sock: socket.socket) -> int:
    """Send until the kernel takes no more; how much it took."""
    total = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            total += sock.send(b"x" * 1024)
    return total


@on_a_loop
async def test_a_small_receive_buffer_makes_a_small_window() -> None:
    async with paired(receive_buffer=4096) as small, paired() as usual:
        for pair in (small, usual):
            pair.wire.stall()
        assert poured(small.peer) < poured(usual.peer)


@on_a_loop
async def test_a_send_that_is_not_taken_ends_at_its_deadline_and_tells_how_much_went() -> None:
    async with paired() as pair:
        data = b"x" * (32 << 20)
        taken = await pair.wire.send(data, deadline_s=0.2)
        assert 0 < taken < len(data)
        assert pair.wire.sent == taken


# -- leaving ---------------------------------------------------------------------------------------------------------


@on_a_loop
async def test_a_reset_is_seen_as_econnreset() -> None:
    async with paired() as pair:
        pair.wire.reset()
        with pytest.raises(ConnectionResetError):
            await pair.read()


@on_a_loop
async def test_a_close_is_seen_as_fin_even_when_something_was_unread() -> None:
    async with paired() as pair:
        pair.wire.stall()
        pair.peer.send(b"never looked at")
        await asyncio.sleep(0.02)  # so that it lies in the wire's receive queue
        pair.wire.close()
        assert await pair.read() == b""
        assert pair.wire.closed


@on_a_loop
async def test_what_is_abandoned_with_unread_bytes_ends_in_a_reset() -> None:
    async with paired() as pair:
        pair.wire.stall()
        pair.peer.send(b"never looked at")
        await asyncio.sleep(0.02)  # so that it lies in the wire's receive queue
        pair.wire.abandon()
        with pytest.raises(ConnectionResetError):
            await pair.read()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's table of sockets")
@pytest.mark.parametrize("spares", [True, False])
def test_a_server_that_closed_first_keeps_its_port_only_where_it_is_not_spared(
    spares: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    @on_a_loop
    async def closed() -> None:
        async with paired() as pair:
            port = pair.peer.getsockname()[1]
            mine = pair.wire.local_port
            pair.peer.close()
            await pair.until(lambda: bool(pair.ended))
            pair.wire.close()
            left = [s.state for s in sockets.tcp() if (s.port, s.peer_port) == (port, mine)]
            assert left == ([] if spares else ["TIME_WAIT"])

    monkeypatch.setattr(Wire, "spares_port", spares)
    closed()


@on_a_loop
async def test_a_half_closed_wire_goes_on_receiving() -> None:
    async with paired() as pair:
        pair.wire.half_close()
        assert await pair.read() == b""
        pair.peer.send(b"still there?")
        await pair.until(lambda: pair.got == b"still there?")
        assert not pair.ended
        pair.peer.close()
        await pair.until(lambda: pair.ended == ["fin"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="socket filters are Linux's")
@on_a_loop
async def test_a_silent_wire_lets_no_ack_no_fin_and_no_reset_out() -> None:
    async with paired() as pair:
        pair.peer.send(b"before")
        await pair.until(lambda: pair.got == b"before" and unacknowledged(pair.peer) == 0)
        assert pair.wire.go_silent()
        pair.peer.send(b"into the void")
        await asyncio.sleep(0.3)  # longer than a delayed acknowledgement (40 ms) and a first retransmission (200 ms)
        assert unacknowledged(pair.peer) == len(b"into the void")
        assert pair.got == b"before"
        with pytest.raises(BlockingIOError):
            pair.peer.recv(1)


@on_a_loop
async def test_the_end_of_a_process_closes_its_connection() -> None:
    async with paired() as pair:
        pair.wire.hand_over()
        await asyncio.sleep(0.02)  # the connection is open as long as the process lives
        with pytest.raises(BlockingIOError):
            pair.peer.recv(1)
        await asyncio.to_thread(pair.wire.kill_holder)
        assert await pair.read() == b""


@on_a_loop
async def test_the_end_of_a_process_with_unread_bytes_is_a_reset() -> None:
    async with paired() as pair:
        pair.wire.hand_over()
        pair.peer.send(b"never looked at")
        await asyncio.sleep(0.02)  # so that it lies in the queue
        await asyncio.to_thread(pair.wire.kill_holder)
        with pytest.raises(ConnectionResetError):
            await pair.read()


# -- the peer's end --------------------------------------------------------------------------------------------------


@on_a_loop
async def test_the_peers_fin_is_told_once() -> None:
    async with paired() as pair:
        pair.peer.send(b"bye")
        pair.peer.close()
        await pair.until(lambda: bool(pair.ended))
        assert pair.got == b"bye"
        await asyncio.sleep(0.02)  # a reader that was left would spin and tell it again
        assert pair.ended == ["fin"]


@on_a_loop
async def test_the_peers_reset_is_told_as_a_reset() -> None:
    async with paired() as pair:
        pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        pair.peer.close()
        await pair.until(lambda: bool(pair.ended))
        assert pair.ended == ["reset"]


@on_a_loop
async def test_a_send_into_a_closed_connection_raises() -> None:
    async with paired() as pair:
        pair.wire.close()
        with pytest.raises(BrokenPipeError):
            pair.wire.send_now(b"x")
        pair.wire.half_close()
        pair.wire.close()
        assert not pair.wire.go_silent()


@on_a_loop
async def test_a_wire_closed_while_a_send_waits_ends_the_wait() -> None:
    async with paired() as pair:
        sending = asyncio.create_task(pair.wire.send(b"x" * (32 << 20), deadline_s=0.3))
        await asyncio.sleep(0.05)  # until the buffers are full
        pair.wire.reset()
        with contextlib.suppress(ConnectionError):
            assert await sending < 32 << 20


@on_a_loop
async def test_the_next_connection_is_not_disturbed_by_a_send_that_waited_on_the_last() -> None:
    async with paired() as pair:
        sending = asyncio.create_task(pair.wire.send(b"x" * (32 << 20), deadline_s=1.0))
        await asyncio.sleep(0.05)  # until the buffers are full
        pair.wire.reset()
        async with paired(deadline_s=2.0) as other:
            other.peer.send(b"hello")
            await other.until(lambda: other.got == b"hello")
        with contextlib.suppress(ConnectionError):
            await sending


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()

    async def knock() -> None:
        with pytest.raises(ConnectionRefusedError):
            await Wire.open(address, lambda _: None, lambda _: None, deadline_s=LONG_S)

    asyncio.run(knock())
