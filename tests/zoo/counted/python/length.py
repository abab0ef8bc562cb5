"""Correct. asyncio; a frame is a length of 4 bytes, big-endian, then so many bytes. The first frame is the name."""

import asyncio
import sys
import unicodedata

LONGEST = 65536
WAITING = 4 << 20


def clean(text):
    """Controls and breaks are blanks; what holds an emoji together stays."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)


class Chat:
    def __init__(self):
        self.people = {}

    async def read(self, reader):
        """The next frame."""
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > LONGEST:
            raise ValueError("too long")
        return await reader.readexactly(size)

    def text(self, frame):
        return clean(frame.decode("utf-8", "replace")).strip()

    def put(self, writer, text):
        data = text.encode()
        writer.write(len(data).to_bytes(4, "big") + data)
        if writer.transport.get_write_buffer_size() > WAITING:
            writer.transport.abort()

    def everybody(self, text, but=None):
        for other in list(self.people):
            if other is not but:
                self.put(other, text)

    async def serve(self, reader, writer):
        try:
            name = self.text(await self.read(reader))
            if not 0 < len(name) <= 20 or not name.isalnum() or name in self.people.values():
                self.put(writer, "That name cannot be had")
                return
            self.put(writer, f"Welcome {name}, /quit ends")
            self.people[writer] = name
            self.everybody(f"{name} joined", writer)
            while (text := self.text(await self.read(reader))) != "/quit":
                if text:
                    self.everybody(f"{name}: {text}", writer)
        except (asyncio.IncompleteReadError, OSError, ValueError):
            pass
        finally:
            if name := self.people.pop(writer, None):
                self.everybody(f"{name} left")
            writer.close()


async def run(chat):
    server = await asyncio.start_server(chat.serve, "127.0.0.1", int(sys.argv[1]), backlog=128)
    async with server:
        await server.serve_forever()


def main(chat):
    try:
        asyncio.run(run(chat))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main(Chat())
