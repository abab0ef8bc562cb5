"""How the search's own guests leave somebody else's server."""

from __future__ import annotations

import asyncio
import socket
import threading

from harness.cli.target_words import remote
from harness.engine.guests import House
from harness.engine.options import Options


def test_a_server_that_tells_of_a_departure_while_the_others_leave_meets_no_reset() -> None:
    """All left at once, and what the server then said of the first met the closed sockets of the others."""
    said: list[str] = []

    def serve(client: socket.socket) -> None:
        client.settimeout(10)
        with client:
            while client.recv(100):  # until it has left
                pass
            try:
                for _ in range(3):  # the first would be answered with a reset, and the next ones fail
                    client.sendall(b"* somebody left\n")
                    threading.Event().wait(0.01)
                said.append("heard")
            except OSError as error:
                said.append(str(error))

    def accept() -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    async def visit() -> None:
        house = House(Options(remote(f"127.0.0.1:{listener.getsockname()[1]}")), False, [], 0)
        await house.open()
        for _ in range(2):
            await house.guest()
        await house.settle()
        said.clear()  # whoever knocked before is none of them
        await house.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        asyncio.run(visit())
        for _ in range(100):
            if len(said) == 2:
                break
            threading.Event().wait(0.05)
        listener.shutdown(socket.SHUT_RDWR)
    assert said == ["heard", "heard"]
