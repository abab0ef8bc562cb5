"""Rest: the server has read what it was sent, all its threads sleep, and nothing has come for a while.

What has not come by then will not come by itself. Whoever only waits to see that nothing comes need not wait for a
deadline; where the kernel cannot be asked (a remote server), or a server never sleeps, the deadline is what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from harness.client.log import Log
from harness.history import Heard, Joined, Record, Said
from harness.stage import Stage
from harness.target import Server

T = TypeVar("T")
#: The server is looked at so often, in seconds, and so many looks in a row must find it asleep.
LOOK_S, LOOKS = 0.01, 4


async def unless_at_rest(
    what: Coroutine[Any, Any, T], stage: Stage, log: Log, *, least_s: float, ready: Callable[[], bool] = lambda: True
) -> T | None:
    """What comes of it; None when the server came to rest first. `least_s`: how long nothing must have come.

    `ready`: asked of a server that is at rest otherwise; while it is False the server has not seen what was done to it.
    """
    tasks = [asyncio.create_task(what), asyncio.create_task(_at_rest(stage, log, least_s, ready))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _at_rest(stage: Stage, log: Log, least_s: float, ready: Callable[[], bool]) -> None:
    looks, since, shown = 0, log.now(), -1
    while True:
        await log.pulse.next(LOOK_S)
        total = sum(member.inbox.total for member in log.members)
        if total != shown or not _asleep(stage, log):
            looks, since, shown = 0, log.now(), total
            continue
        looks += 1
        if looks >= LOOKS and log.now() - since >= least_s:
            if ready():
                return
            looks, since = 0, log.now()


def _asleep(stage: Stage, log: Log) -> bool:
    """Whether nothing is left to do for the server, as far as anybody can see."""
    server = stage.server
    if not isinstance(server, Server) or server.is_waiting() is not True:
        return False
    here = [m.wire.local_port for m in log.members if m.wire is not None and not m.gone]
    return not any(server.unread(port) for port in here)


def longest_answer_s(records: Sequence[Record]) -> float:
    """How long a login or a word took to come through, at the longest so far: whoever rests between has more to say then."""
    said = {r.token: r.at_s for r in records if isinstance(r, Said)}
    heard = [r.at_s - said[r.token] for r in records if isinstance(r, Heard) and r.token in said]
    return max([r.at_s - r.asked_at_s for r in records if isinstance(r, Joined)] + heard, default=0.0)
