"""What a member says, and when it counts as said."""

from __future__ import annotations

import asyncio

import pytest

from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Identity, Member
from harness.client.wire import Wire
from harness.dialect.builtin import KNOWN
from harness.dialect.profile import LoginStep, Profile
from harness.history import JoinFailed, Said


def test_one_that_is_broken_off_before_its_message_was_sent_has_said_nothing() -> None:
    async def play() -> tuple[list[bytes], bytes]:
        came = bytearray()

        async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.extend(await reader.read())
            writer.close()

        listener = await asyncio.start_server(server, "127.0.0.1", 0)
        clock = Clock()
        log = Log(clock, lambda: None)
        member = Member(1, Identity("ana", "ana", 1, "bystander", "direct"), Profile(framing="chunk", pause=5), log)
        log.members.append(member)
        clock.start()
        address = listener.sockets[0].getsockname()[:2]
        member.wire = await Wire.open(address, member.bytes_came, member.connection_ended, deadline_s=5)
        await member.say("first")
        second = asyncio.create_task(member.say("second"))
        await asyncio.sleep(0)
        second.cancel()  # while it keeps the pause between two sends
        await asyncio.gather(second, return_exceptions=True)
        member.finish()
        assert await log.patience.until(lambda: member.ended is not None, 5)
        listener.close()
        await clock.stop()
        return [record.text for record in log.records if isinstance(record, Said)], bytes(came)

    said, came = asyncio.run(play())
    assert [text.split()[0] for text in said] == [b"first"]
    assert came == said[0]


def test_lines_within_what_was_thrown_in_count_where_the_pace_is_limited_so_that_the_server_is_not_blamed() -> None:
    """Four lines of HTTP and five messages in a second were too many for `st-limits` of the zoo: it dropped the last."""

    class Stopped(Clock):
        def now(self) -> float:
            return 5.0

    class Taken:
        sent = 0

        async def send(self, data: bytes, *, deadline_s: float) -> int:
            return len(data)

    async def waits(data: bytes, *, raw: bool, pace_s: float) -> float:
        log = Log(Stopped(), lambda: None)
        log.pace_s = pace_s
        member = Member(1, Identity("ana", "ana", 1, "faulty", "direct"), Profile(), log)
        member.wire = Taken()  # type: ignore[assignment]
        await (member.send(data) if raw else member.send_line(data))
        return member._last_send_s - log.now()

    inside = b"POST / HTTP/1.1\r\nHost: a\r\n\r\nping"
    for data, raw, shares in ((inside, False, 3), (inside, True, 3), (b"one", False, 0), (b"\n" * 999, True, 20)):
        assert asyncio.run(waits(data, raw=raw, pace_s=0.1)) == pytest.approx(shares * 0.1)
    assert asyncio.run(waits(inside, raw=False, pace_s=0.0)) < 0


def test_a_server_that_takes_its_time_to_read_a_name_is_not_blamed() -> None:
    """The first read is the name, nothing shows that it was taken, and on a busy machine it takes a while: what the
    newcomer says next must not be read together with its name. So `st-c-threads` of the zoo was once blamed."""

    async def play() -> list[bytes]:
        reads: list[bytes] = []
        unread = 0

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal unread
            for _ in range(2):
                await asyncio.sleep(0.6)  # longer than a look, shorter than an answer may take
                reads.append(await reader.read(2048))
                unread = 0
            writer.close()

        listener = await asyncio.start_server(slow, "127.0.0.1", 0)
        clock = Clock()
        log = Log(clock, lambda: None)
        log.unread_by_server = lambda _: unread
        profile = Profile(framing="chunk", pause=0.03, login=(LoginStep(send="{name}"),))
        member = Member(1, Identity("ana", "ana", 1, "bystander", "direct"), profile, log)
        log.members.append(member)
        clock.start()
        address = listener.sockets[0].getsockname()[:2]
        member.wire = await Wire.open(address, member.bytes_came, member.connection_ended, deadline_s=5)
        unread = len(b"ana")
        assert await member.log_in(None, 5)
        await member.say("hello")
        assert await log.patience.until(lambda: member.ended is not None, 5)
        listener.close()
        await clock.stop()
        return reads

    name, hello = asyncio.run(play())
    assert name == b"ana"
    assert hello.startswith(b"hello")


def test_a_refusal_of_the_first_of_two_answers_is_seen_after_the_second() -> None:
    """An IRC server says 433 to NICK, and the client has sent USER meanwhile: that login was refused, at once."""

    async def play() -> tuple[list[JoinFailed], bytes]:
        came = bytearray()

        async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.extend(await reader.readline())
            writer.write(b":irc 433 * ana :Nickname is already in use\r\nPING :cookie\r\n")
            await writer.drain()
            came.extend(await reader.read())
            writer.close()

        listener = await asyncio.start_server(server, "127.0.0.1", 0)
        clock = Clock()
        log = Log(clock, lambda: None)
        member = Member(1, Identity("ana", "ana", 1, "bystander", "direct"), KNOWN["irc"], log)
        log.members.append(member)
        clock.start()
        member.wire = await Wire.open(
            listener.sockets[0].getsockname()[:2], member.bytes_came, member.connection_ended, deadline_s=5
        )
        put = member._put

        async def late(data: bytes) -> int:
            if data.startswith(b"USER"):
                await log.patience.until(lambda: b"433" in member.inbox.raw, 5)
            return await put(data)

        member._put = late  # type: ignore[method-assign]
        assert not await member.log_in(None, 30)
        member.finish()
        assert await log.patience.until(lambda: member.ended is not None, 5)
        listener.close()
        await clock.stop()
        return [record for record in log.records if isinstance(record, JoinFailed)], bytes(came)

    failures, came = asyncio.run(play())
    assert [failure.refused for failure in failures] == [True]
    assert failures[0].at_s - failures[0].asked_at_s < 20  # not after the deadline
    assert b"NICK ana\r\n" in came
    assert b"PONG :cookie\r\n" in came  # the heartbeat is answered during the login too


@pytest.mark.parametrize(
    ("visit", "words", "is_in"),
    [
        (2, b"Bem-vindo de volta!\n", True), (1, b"Bem-vindo de volta!\n", False), (2, b"That name is taken.\n", False),
        (2, b"Your name again? ", False), (2, b"", True), (1, b"", True),
    ],
)  # fmt: skip
def test_one_who_is_welcomed_back_in_other_words_may_be_in_the_room(visit: int, words: bytes, *, is_in: bool) -> None:
    """It was taken for one who was refused, so that its missing introduction was not seen, and the list was blamed for
    showing it."""

    async def play() -> bool:
        clock = Clock()
        log = Log(clock, lambda: None)
        clock.start()
        profile = Profile(login=(LoginStep(send="{name}"), LoginStep(expect="Bem-vindo, {name}!")))
        member = Member(1, Identity("bia", "bia", visit, "bystander", "direct"), profile, log)

        async def answer(text: str, *, further: bool = False) -> bool:
            assert (text, further) == ("bia", False)
            member.inbox.mark = len(member.inbox.raw)
            member.bytes_came(words)
            return True

        async def introduction(*_: object) -> None:
            return

        member.answer, member._introduction = answer, introduction  # type: ignore[method-assign]
        found = await member.log_in(("Bem-vindo, {name}!",), 0.05)
        await clock.stop()
        return found

    assert asyncio.run(play()) is is_in
