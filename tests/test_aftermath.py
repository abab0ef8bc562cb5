"""The aftermath, in a room that is made up: who must not stand in the list."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from harness.aftermath import see_who_left


def test_one_who_is_connected_but_not_known_to_be_in_may_stand_in_the_list_and_the_server_is_not_blamed() -> None:
    """Bia came back, was greeted in other words than expected, and stood in the list: rightly."""
    asked: list[tuple[Any, list[str]]] = []

    def member(name: str, *, left: str | None = None, joined: bool = True, wire: object = object()) -> Any:
        return SimpleNamespace(name=name, left=left, joined=joined, wire=wire, gone=left is not None)

    async def look(who: Any, gone: list[str]) -> None:
        asked.append((who, gone))

    ana = member("ana")
    members = [
        ana, member("bia", left="fin"), member("bia", joined=False), member("caio", left="reset"),
        member("caio", joined=False, wire=None), member("davi", left="silent"),
    ]  # fmt: skip
    room: Any = SimpleNamespace(
        baseline=SimpleNamespace(lists=True), people=[ana], log=SimpleNamespace(members=members), look=look
    )
    asyncio.run(see_who_left(room))
    assert asked == [(ana, ["caio"])]
