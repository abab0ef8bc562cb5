"""How a stranger's server wants to be started: once, before anything is asked of it.

It may want a terminal, ask for its port on standard input, or listen on several ports of which one is the chat's. What
is found becomes part of the spec, so that every later start goes the same way.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace

from harness.dialect.masking import fold
from harness.engine.baseline import Learned
from harness.engine.deadlines import START_S
from harness.engine.options import Options
from harness.engine.until_signal import run_until_signal
from harness.properties.quoting import quote
from harness.target import Server, ServerSpec, TargetError, sandbox, trouble

#: Questions that are answered on standard input.
MOST_ANSWERS = 4
#: A second port is opened within this time after the first, or before every thread has slept for so long, in seconds:
#: the shorter time where the command took the port from us, and no more is to be expected.
MORE_PORTS_S, CALM_S, CALM_AS_ASKED_S = 3.0, 0.4, 0.1
#: A web server answers a request within this time, in seconds.
HTTP_S = 1.0
_ASKS_PORT = re.compile(r"\bport[aeo]?\b|\bpuerto\b")
_ASKS_HOST = re.compile(r"\bhost(name)?\b|\bip\b|\baddress\b|\bendereco\b|\bdireccion\b|\binterface\b")
_ASKS_KEY = re.compile(r"\b(press|hit|pressione|aperte|tecle|presione|pulse)\b")


@dataclass(frozen=True)
class Way:
    """How it is started: the likeliest first, where several ports could be the chat's. `learned`: why it is not."""

    specs: tuple[ServerSpec, ...]
    told: tuple[str, ...] = ()
    learned: Learned | None = None


def way(options: Options) -> Way:
    """Start it until it listens, and look where. To be called in a forked worker."""
    isolated = sandbox.enter(namespaces=options.namespaces)
    trial = _Trial(options, isolated)
    try:
        run_until_signal(trial.run)
    except TargetError as error:
        failed = Learned(failure=str(error), transcript=error.output, isolated=isolated, start_error=True)
        return Way((options.spec,), tuple(trial.told), failed)
    return Way(tuple(trial.specs), tuple(trial.told))


class _Trial:
    """The starts of one server until one goes well."""

    def __init__(self, options: Options, isolated: bool) -> None:
        self.spec = options.spec
        self.specs: list[ServerSpec] = []
        self.told: list[str] = []
        self._deadline_s = options.patience * START_S
        self._isolated = isolated
        self._heard = ""  # what it printed before it was answered

    async def run(self) -> str | None:
        """Set `specs`. Raises TargetError."""
        for _ in range(1 + MOST_ANSWERS + 1):
            try:
                server = await Server.start(self.spec, deadline_s=self._deadline_s, clock=time.monotonic)
            except TargetError as error:
                self.spec = self._otherwise(error)
                continue
            try:
                await self._look(server)
            finally:
                await server.kill()
            return None
        raise TargetError("the server asks for more and more on its standard input before it listens", kind="asks")

    def _otherwise(self, error: TargetError) -> ServerSpec:
        """The spec with which it is tried again. Raises the error when there is nothing to try."""
        if error.kind == "no-terminal":
            self.told.append("the server wants a terminal: it was given one")
            return replace(self.spec, pty=True)
        if error.kind == "asks" and (self.spec.stdin is None or self.told):
            question = error.output.removeprefix(self._heard).rstrip().rpartition("\n")[2].strip()
            self._heard = error.output
            answer = answer_to(question)
            if answer is not None:
                self.told.append(
                    f"the server asks on its standard input ({quote(question, 80)}): it was told {answer or 'nothing'}"
                )
                return replace(self.spec, stdin=f"{self.spec.stdin or ''}{answer}\n")
        raise error

    async def _look(self, server: Server) -> None:
        """Which of its ports is the chat's."""
        ports = await _all_ports(server)
        host = server.address[0]
        foreign = trouble.foreign_address(self.spec) if not host.startswith("127.") and ":" not in host else None
        if self._isolated and foreign is not None and foreign.startswith(host):
            self.told.append(
                f"the server listens on {host} only, an address from its source: elsewhere it will not start; 0.0.0.0 is "
                "every address"
            )
        if len(ports) < 2 or self.spec.chat_port is not None:
            self.specs = [self.spec]
            return
        web = [port for port in ports if await _is_web(_host_of(server, port), port)]
        likely = [port for port in ports if port not in web] or ports
        if likely[0] == server.port and len(likely) == 1:
            self.specs = [self.spec]
        else:
            self.specs = [replace(self.spec, chat_port=None if p == server.asked else p) for p in [*likely, *web]]
        listed = ", ".join(str(port) for port in sorted(ports))
        self.told.append(f"the server listens on several ports ({listed}): {likely[0]} was tried first as the chat's")


def answer_to(question: str) -> str | None:
    """What a server is told that asks this before it listens; None when it asks for nothing that is known here."""
    asked = fold(question)
    if not asked or _ASKS_PORT.search(asked):
        return "{port}"
    if _ASKS_KEY.search(asked):
        return ""
    return "{host}" if _ASKS_HOST.search(asked) else None


async def _all_ports(server: Server) -> list[int]:
    """Its ports, the one that it was asked to take first, when no more are to be expected."""
    end, calm_since = time.monotonic() + MORE_PORTS_S, time.monotonic()
    calm_s = CALM_S if server.spec.fixed_port else CALM_AS_ASKED_S
    while (now := time.monotonic()) < end and now - calm_since < calm_s:
        if server.is_waiting() is False:
            calm_since = now
        await asyncio.sleep(0.02)  # the kernel tells nobody of a new listening socket
    server.look_again()
    ports = sorted({port for _, port in server.listening})
    return sorted(ports, key=lambda port: (port != server.port, port))


def _host_of(server: Server, port: int) -> str:
    return next((host for host, at in server.listening if at == port), server.address[0])


async def _is_web(host: str, port: int) -> bool:
    """Whether a request for a web page is answered as a web server does (RFC 9112)."""
    writer = None
    try:
        async with asyncio.timeout(HTTP_S):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (await reader.read(5)).startswith(b"HTTP/")
    except (OSError, TimeoutError):
        return False
    finally:
        if writer is not None:
            writer.transport.abort()
