"""What a search does not lose its time with, and what it keeps when its time is over. Without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from harness.dialect.profile import Profile
from harness.engine import detecting
from harness.engine.confirming import Confirmed
from harness.engine.conversation import Conversation
from harness.engine.detecting import OUT_OF_TIME, Search
from harness.engine.options import Options
from harness.engine.reading import Guess, Reading
from harness.target import command


class MadeUp(Search):
    """A search whose houses are empty."""

    @asynccontextmanager
    async def _house(self, transcript: list[str]) -> AsyncIterator[Any]:
        yield SimpleNamespace(transcript=transcript)


@pytest.mark.parametrize("proved", [True, False])
def test_what_was_proved_stays_so_when_there_is_no_more_time(monkeypatch: pytest.MonkeyPatch, *, proved: bool) -> None:
    """irc.server spins and answers slowly: three had long heard each other when the time for its commands was over."""

    class Slow:
        greeting, proved_at = b"", 2 if proved else 0

        def __init__(self, house: Any, *_: object, **__: object) -> None:
            house.transcript += ["they talk"]

        async def hold(self) -> Confirmed:
            await asyncio.sleep(60)
            raise AssertionError

        def so_far(self) -> Confirmed:
            return Confirmed(Profile(list="/who"))

    monkeypatch.setattr(detecting, "Confirmation", Slow)
    search = MadeUp(Options(command("server {port}")), isolated=False, longest_s=0.05)

    async def settles() -> None:
        await search._confirm(Profile(), Reading(Guess("raw")))

    monkeypatch.setattr(search, "_search", settles)
    reason = asyncio.run(search.run())
    assert (reason is None) is proved
    if proved:
        assert search.found is not None
        assert search.found.list == "/who"
        assert search.unknown == [OUT_OF_TIME]
        assert search.proof == search.transcript


@pytest.mark.parametrize("maybe", [True, False])
def test_commands_of_other_chats_are_not_tried_on_what_sounds_like_irc_before_irc_was(*, maybe: bool) -> None:
    said: list[bytes] = []

    def guest(name: str) -> Any:
        raw = bytearray(f":localhost 421 {name} :Unknown command\r\n".encode())
        return SimpleNamespace(name=name, raw=raw, new=b"", ended="fin", send=said.append, heed=lambda: b"")

    async def settle(**_: object) -> bool:
        return False

    zelda, yuri = guest("zelda"), guest("yuri")
    house: Any = SimpleNamespace(manner=None, guests=[zelda, yuri], settle=settle)
    talk = Conversation(house, Guess("raw"), maybe_irc=maybe)
    talk.reading.replies = [b":localhost 421 zelda :Unknown command\r\n"]
    talk.reading.hinted = "line"
    asyncio.run(talk._obstacles(zelda, yuri))
    assert talk.reading.sounded_like_irc is maybe
    assert bool(said) is not maybe
