"""The aftermath, in a room that is made up: who must not stand in the list."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from harness.aftermath import see_who_left


def looked_for(*others: Any) -> list[str]:
    """The names that ana's list must not hold, when these others came and went."""
    asked: list[tuple[Any, list[str]]] = []

    async def look(who: Any, gone: list[str]) -> None:
        asked.append((who, gone))

    ana = member("ana")
    room: Any = SimpleNamespace(
        baseline=SimpleNamespace(lists=True), people=[ana], log=SimpleNamespace(members=[ana, *others]), look=look
    )
    asyncio.run(see_who_left(room))
    ((who, gone),) = asked
    assert who is ana
    return gone


def member(name: str, *, left: str | None = None, joined: bool = True, wire: object = object()) -> Any:
    return SimpleNamespace(name=name, left=left, joined=joined, wire=wire, gone=left is not None)


def test_one_who_is_connected_but_not_known_to_be_in_may_stand_in_the_list_and_the_server_is_not_blamed() -> None:
    """Bia came back, was greeted in other words than expected, and stood in the list: rightly."""
    others = [
        member("bia", left="fin"), member("bia", joined=False), member("caio", left="reset"),
        member("caio", joined=False, wire=None), member("davi", left="silent"),
    ]  # fmt: skip
    assert looked_for(*others) == ["caio"]


def test_a_dead_line_that_keeps_the_name_when_its_namesake_has_gone_is_not_blamed() -> None:
    """Bia vanished without a FIN, came back as `bia (2)` and was reset: the first one stands in the list, rightly."""
    assert looked_for(member("bia", left="silent"), member("bia", left="reset"), member("caio", left="fin")) == ["caio"]
