"""A stand-in for a student's server: it relays each line to everybody else. Its options make it odd in one way each.

    python relay.py PORT [--host ::1] [--late 4] [--flood] [--daemon] [--ignore-term] [--exit 3] [--silent]

It is written like a good one, so that nothing but its oddity can be found.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading
import time

clients: set[asyncio.StreamWriter] = set()


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Relay the lines of one client until it goes."""
    clients.add(writer)
    try:
        writer.write(b"welcome\n")
        while line := await reader.readline():
            for other in clients - {writer}:
                other.write(line)
    except (OSError, ValueError, asyncio.CancelledError):
        pass
    finally:
        clients.discard(writer)
        writer.close()


async def listen(host: str, port: int) -> None:
    """Serve until SIGTERM."""
    over = asyncio.Event()
    with contextlib.suppress(ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    try:
        server = await asyncio.start_server(serve_one, host, port)
    except OSError as error:
        sys.exit(str(error))
    await over.wait()
    server.close()
    for writer in clients:
        writer.close()


def flood() -> None:
    """Print without end, in another thread."""
    data = b"the server has a lot to say " * 200 + b"\n"
    while True:
        os.write(1, data)


def main() -> None:
    """Read the options, be odd, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--late", type=float, default=0.0, help="seconds until it listens")
    parser.add_argument("--exit", type=int, help="end at once with this status, after some words")
    for odd in ("--flood", "--daemon", "--ignore-term", "--silent"):
        parser.add_argument(odd, action="store_true")
    options = parser.parse_args()
    if options.exit is not None:
        sys.stderr.write("reading the settings\nthe file chat.cfg is missing\n")
        sys.exit(options.exit)
    if options.silent:
        signal.pause()
    time.sleep(options.late)  # a slow start is what this stands for
    if options.daemon:
        between = os.fork()
        if between == 0:
            os.setsid()
            if os.fork() == 0:
                signal.pause()
            os._exit(0)
        os.waitpid(between, 0)  # no zombie is left of it
    if options.flood:
        threading.Thread(target=flood, daemon=True).start()
    work = listen(options.host, options.port)
    if options.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        work = deaf(options.host, options.port)
    asyncio.run(work)


async def deaf(host: str, port: int) -> None:
    """Serve for ever, whatever is asked."""
    server = await asyncio.start_server(serve_one, host, port)
    await server.serve_forever()


if __name__ == "__main__":
    main()
