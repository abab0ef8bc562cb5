"""A chat that somebody else runs, and that remembers how each of its guests behaved. It runs in a thread of the test."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Guestbook:
    """Lines; `NAME?`, then everybody hears everybody. `longest`: bytes of a line; `a_second`: messages of one client.

    To be read after the `with` block's calls: `named` (who is logged in now), `resets`, `most` (connections at a time),
    `knocks` (connections that came and went without a word).
    """

    longest: int | None = None
    a_second: int | None = None
    cuts: int | None = None  # what is longer comes shortened, and nothing is said about it
    named: dict[str, asyncio.StreamWriter] = field(default_factory=dict)
    resets: int = 0
    most: int = 0
    knocks: int = 0
    port: int = 0
    _here: int = 0

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(10)

    @property
    def address(self) -> str:
        """For --connect."""
        return f"127.0.0.1:{self.port}"

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._guest, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._closing.wait()
        server.close()

    async def _guest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._here += 1
        self.most = max(self.most, self._here)
        name = ""
        try:
            writer.write(b"NAME?\n")
            name = await self._logs_in(reader, writer)
            if name:
                writer.write(f"Hello, {name}!\n".encode())
                self._tell(f"* {name} came in", writer)
                await self._talks(name, reader, writer)
        except ConnectionError:
            self.resets += 1
        finally:
            self._here -= 1
            if self.named.pop(name, None) is not None:
                self._tell(f"* {name} left", writer)
            writer.close()

    async def _logs_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        said = False
        while line := await reader.readline():
            said = True
            name = line.decode("utf-8", "replace").strip()
            if name.isalnum() and name not in self.named:
                self.named[name] = writer
                return name
            writer.write(b"Not that one. NAME?\n")
        self.knocks += not said
        return ""

    async def _talks(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        times: list[float] = []
        while line := await reader.readline():
            text, now = line.rstrip(b"\r\n"), self._loop.time()
            times = [t for t in times if now - t < 1.0]
            if text == b"/quit":
                return
            if self.longest is not None and len(text) > self.longest:
                writer.write(f"Too long: at most {self.longest} bytes.\n".encode())
            elif self.a_second is not None and len(times) >= self.a_second:
                writer.write(b"Too fast!\n")
            else:
                times.append(now)
                self._tell(f"{name}: {text[: self.cuts].decode('utf-8', 'replace')}", writer)

    def _tell(self, text: str, but: asyncio.StreamWriter) -> None:
        for writer in self.named.values():
            if writer is not but:
                writer.write(text.encode() + b"\n")
