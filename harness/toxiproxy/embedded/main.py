"""The proxy as a program, with the flags of toxiproxy-server: `python -m harness.toxiproxy.embedded`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import resource
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from harness.toxiproxy.embedded import address, wire
from harness.toxiproxy.embedded.address import AddressError
from harness.toxiproxy.embedded.api import VERSION, Api
from harness.toxiproxy.embedded.guard import Server, limit_writing
from harness.toxiproxy.embedded.log import Log
from harness.toxiproxy.embedded.proxies import ApiError, Proxies
from harness.toxiproxy.embedded.proxy import House
from harness.toxiproxy.embedded.reactor import Reactor
from harness.toxiproxy.embedded.state import State
from harness.toxiproxy.embedded.wire import BadBody

#: How long a request in progress may go on after the end was asked for, seconds.
LAST_REQUESTS_S = 0.5


class CannotStart(Exception):
    """The proxy cannot run; the message is one line that says why."""


async def serve(
    host: str, port: int, *, config: Path | None = None, seed: int | None = None, log: Log,
    proxy_metrics: bool = False, runtime_metrics: bool = False, listening: Callable[[str, int], None] | None = None,
    owned: bool = False, state: Path | None = None,
) -> None:  # fmt: skip
    """Serve until SIGINT or SIGTERM. `config`: a file with a populate body, read again at SIGHUP. `listening` is told the API's address once it answers.
    `state`: a file where every change is kept, and which is made again at the start, in place of `config`. With `owned`, SIGINT is its owner's affair (a terminal sends it to both). Raises CannotStart.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    reload = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    if owned:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.set_exception_handler(lambda _, context: log.say("error", "Bug in the proxy", err=repr(context)))
    _allow_many_descriptors()
    reactor = Reactor(loop)
    proxies = Proxies(House(reactor, log, secrets.randbits(64) if seed is None else seed))
    runner: web.ServerRunner | None = None
    reloading: asyncio.Task[None] | None = None
    try:
        kept = State(state, proxies, log) if state is not None else None
        keep = kept.keep if kept is not None else lambda: None
        if kept is None or not await _restored(kept):
            await _configure(proxies, config, log)
        _keep(keep, log)
        sock = await _bind(host, port)
        guarded = ip_address(sock.getsockname()[0]).is_loopback
        limit_writing(sock)
        api = Api(proxies, guarded, proxy_metrics, runtime_metrics, keep)
        runner = web.ServerRunner(Server(api.answer), shutdown_timeout=LAST_REQUESTS_S)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        told = sock.getsockname()[:2]
        where = str(address.Address(*told))
        log.say("info", "Starting Toxiproxy HTTP server", version=VERSION, host=told[0], port=told[1], address=where)
        if listening is not None:
            listening(*told)
        _look_for_garbage_seldom()
        reloading = loop.create_task(_reload(proxies, config, log, reload, keep))
        await stop.wait()
        log.say("info", "Shutdown started")
    finally:
        if reloading is not None:
            reloading.cancel()
        proxies.close()
        reactor.events.close()
        if runner is not None:
            await runner.cleanup()
        reactor.close()


def _allow_many_descriptors() -> None:
    """Two a connection: as many as the machine lets us."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _look_for_garbage_seldom() -> None:
    """Looking through all that stays would be a pause for the traffic, and a connection that is over leaves five objects."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _bind(host: str, port: int) -> socket.socket:
    try:
        hosts = await address.lookup(host or "localhost")
        return address.bind(address.Address(hosts[0], port))
    except AddressError as error:
        raise CannotStart(f"listen tcp {error}: choose another -host or -port (0: any free port)") from None


async def _configure(proxies: Proxies, config: Path | None, log: Log) -> None:
    """Create what the file says, as a populate does. What is wrong with it is logged, and no reason to end."""
    if config is None:
        return
    try:
        await proxies.populate(wire.decode(await asyncio.to_thread(config.read_bytes)))
    except OSError as error:
        log.say("error", "Error reading config file", config=str(config), error=error.strerror or str(error))
    except BadBody as error:
        log.say("error", "Failed to populate proxies from file", error=f"bad request body: {error}")
    except ApiError as error:
        log.say("error", "Failed to populate proxies from file", error=str(error))


async def _restored(state: State) -> bool:
    """Make what the state tells; whether there is one. Raises CannotStart rather than lose what it tells."""
    try:
        return await state.restore()
    except (OSError, BadBody, ApiError) as error:
        raise CannotStart(f"-state {state.path}: {error}; mend it, or take it away to begin with nothing") from None


def _keep(keep: Callable[[], None], log: Log) -> None:
    """Keep how things stand, where nobody waits for an answer."""
    try:
        keep()
    except OSError as error:
        log.say("error", "The state was not kept", error=error.strerror or str(error))


async def _reload(
    proxies: Proxies, config: Path | None, log: Log, asked: asyncio.Event, keep: Callable[[], None]
) -> None:
    """At each SIGHUP the config once more. What came by the API is in memory alone, and stays."""
    while True:
        await asked.wait()
        asked.clear()
        log.say("info", "Hangup: reading the config again" if config else "Hangup: no config to read, nothing changes")
        await _configure(proxies, config, log)
        _keep(keep, log)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed, else asyncio's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run(
    host: str = "localhost",
    port: int = 8474,
    config: Path | None = None,
    seed: int | None = None,
    proxy_metrics: bool = False,
    runtime_metrics: bool = False,
    log_level: str = "info",
    state: Path | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; the exit status: 0, or 1 with one line on standard error.

    Blocks, and takes the process' signals. With port 0 the first log line on standard output names the address.
    """
    log = Log(log_level)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(
                serve(
                    host, port, config=config, seed=seed, log=log,
                    proxy_metrics=proxy_metrics, runtime_metrics=runtime_metrics, state=state,
                )
            )  # fmt: skip
    except CannotStart as error:
        sys.stderr.write(f"toxiproxy: {error}\n")
        return 1
    return 0


def main(arguments: list[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="toxiproxy-server", description="A TCP proxy with faults on demand, wire-compatible with Toxiproxy."
    )
    parser.add_argument("-host", "--host", default="localhost", help="address the API listens on (default: localhost)")
    parser.add_argument("-port", "--port", type=int, default=8474, help="port of the API, 0: any (default: 8474)")
    parser.add_argument("-config", "--config", type=Path, help="JSON file with proxies, and their toxics, to create")
    parser.add_argument(
        "-state", "--state", type=Path, help="file that keeps every change, and is made again at the start"
    )
    parser.add_argument("-seed", "--seed", type=int, help="seed of every random choice")
    parser.add_argument("-proxy-metrics", "--proxy-metrics", action="store_true", help="byte counters at /metrics")
    parser.add_argument("-runtime-metrics", "--runtime-metrics", action="store_true", help="the process at /metrics")
    parser.add_argument("-version", "--version", action="version", version=f"toxiproxy-server version {VERSION}")
    options = parser.parse_args(arguments)
    level = os.environ.get("LOG_LEVEL", "info").lower()
    return run(log_level=level, **vars(options))
