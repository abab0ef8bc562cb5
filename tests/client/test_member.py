"""What a member says, and when it counts as said."""

from __future__ import annotations

import asyncio

from harness.client.clock import Clock
from harness.client.log import Log
from harness.client.member import Identity, Member
from harness.client.wire import Wire
from harness.dialect.profile import Profile
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
