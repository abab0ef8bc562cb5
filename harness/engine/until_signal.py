"""The event loop of a worker: it ends with its work, or when the worker is told to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable


def run_until_signal(work: Callable[[], Awaitable[str | None]]) -> str | None:
    """Run on a new event loop; SIGTERM cancels it, so that everything is cleaned up on the way out."""

    async def guarded() -> str | None:
        task = asyncio.ensure_future(work())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    with asyncio.Runner() as runner:
        return runner.run(guarded())
