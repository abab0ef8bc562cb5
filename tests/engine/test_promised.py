"""Another name, tried: whose words bear it afterwards has changed it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from harness.engine.guests import Guest
from harness.engine.promised import ANOTHER, another_name


class Hears:
    """A guest of whom only what it hears and its name are asked."""

    def __init__(self, name: str) -> None:
        self.name, self.new, self.raw, self.ended = name, b"", bytearray(), None

    def go(self) -> None:
        """Leave."""


class Chat:
    """A room in which one guest listens and others come; everything is told in one stream, each part with this end."""

    def __init__(self, end: bytes, renames: bool) -> None:
        self.end, self.renames = end, renames
        self.listener = Hears("pia")
        self.called = "rui"

    def tell(self, text: str) -> None:
        self.listener.new += text.encode() + self.end
        self.listener.raw += text.encode() + self.end

    async def comes(self) -> Any:
        return Hears("rui")

    async def commands(self, guest: Any, text: str) -> bool:
        self.listener.new = b""
        if self.renames:
            self.tell(f"* {self.called} is now {ANOTHER}")
            self.called = ANOTHER
        return True

    async def says(self, guest: Any) -> bytes:
        self.listener.new = b""
        self.tell(f"{self.called}: hello")
        return b"hello"


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["no borders", "lines"])
@pytest.mark.parametrize("renames", [True, False])
def test_a_change_of_name_is_found_where_its_notice_ends_with_no_border(end: bytes, renames: bool) -> None:
    chat = Chat(end, renames)
    found = asyncio.run(
        another_name(["/nick {name}"], cast(Guest, chat.listener), chat.comes, chat.commands, chat.says)
    )
    assert found == ("/nick {name}" if renames else None)
