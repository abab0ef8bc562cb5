"""A server that somebody else runs: an address, and nothing of its process."""

from __future__ import annotations

import asyncio
import contextlib
import time

from harness.target.spec import ServerSpec, TargetError


class RemoteServer:
    """Where it listens. Its threads, its restart and its output are not ours to see."""

    def __init__(self, spec: ServerSpec) -> None:
        assert spec.connect is not None
        self.address: tuple[str, int] = spec.connect

    async def wait_until_listening(self, deadline_s: float) -> None:
        """Try until a connection is made. Raises TargetError when none is within `deadline_s`."""
        end, last = time.monotonic() + deadline_s, "no answer"
        while True:
            try:
                async with asyncio.timeout(max(0.1, end - time.monotonic())):
                    _, writer = await asyncio.open_connection(*self.address)
            except (OSError, TimeoutError) as error:
                last = getattr(error, "strerror", None) or "no answer"
            else:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                return
            if time.monotonic() >= end:
                break
            await asyncio.sleep(0.1)  # between two attempts
        raise TargetError(
            f"nothing answers at {self.address[0]}:{self.address[1]} ({last}); is the server running?", kind="refused"
        )
