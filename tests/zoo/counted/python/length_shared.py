"""Defect (delivers): all clients' bytes go through one buffer. Half a frame of one takes in what the others send."""

import asyncio

from length import LONGEST, Chat, main


class Shared(Chat):
    def __init__(self):
        super().__init__()
        self.came = bytearray()

    async def read(self, reader):
        while True:
            size = int.from_bytes(self.came[:4], "big")
            if len(self.came) >= 4 and size > LONGEST:
                self.came.clear()
                raise ValueError("too long")
            if len(self.came) >= 4 + size:
                frame = bytes(self.came[4 : 4 + size])
                del self.came[: 4 + size]
                return frame
            data = await reader.read(4 + size - len(self.came) if len(self.came) >= 4 else 4 - len(self.came))
            if not data:
                raise asyncio.IncompleteReadError(b"", None)
            self.came += data


main(Shared())
