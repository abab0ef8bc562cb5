"""What a member says, and when it counts as said."""

from __future__ import annotations

import asyncio

from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Identity, Member
from harness.client.wire import Wire
from harness.dialect.profile import LoginStep, Profile
from harness.history import Said


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
