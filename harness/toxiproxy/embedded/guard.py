"""Who may ask the API: no web page of elsewhere, nobody for ever, and nothing huge.

Browsers let any page send requests to the loopback. A page that reaches it under a name of its own is betrayed by the `Host` header, one
that asks across sites by `Origin` or `Sec-Fetch-Site`, which pages cannot set.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from harness.toxiproxy.embedded.address import literal

#: A request is to be here in this time, its answer to be taken, and a connection is kept idle so long; seconds. Toxiproxy's own limits.
READ_S = 15.0
WRITE_S = 30.0
IDLE_S = 60.0
#: What is still on its way of a refused body is read and forgotten for so long, so that its sender gets to the answer.
LINGER_S = 2.0
#: Bodies above this are refused, bytes: thousands of proxies, and decoding it is no pause that traffic would notice.
BODY_MOST = 1024 * 1024


def foreign(request: web.BaseRequest, *, loopback: bool) -> str | None:
    """Why the request is a web page's of elsewhere, in a word; None where it is not. With `loopback` the API listens on that alone."""
    host = _name(request.headers.get("Host", ""))
    if loopback and not (host in ("", "localhost") or literal(host)):
        return "Host"
    origin = request.headers.get("Origin")
    if origin is not None and not _is_own(origin, request.headers.get("Host", "")):
        return "Origin"
    return "Site" if request.headers.get("Sec-Fetch-Site", "").lower() == "cross-site" else None


def _is_own(origin: str, host: str) -> bool:
    """Whether a page comes from this machine, or from the API's own address. `null`, an opaque origin, does not."""
    try:
        place = urlsplit(origin)
        name = place.hostname or ""
    except ValueError:
        return False
    if place.netloc and place.netloc.lower() == host.lower():
        return True
    with contextlib.suppress(ValueError):
        return ip_address(name).is_loopback
    return name == "localhost"


def _name(host: str) -> str:
    """The host without its port."""
    head, _, port = host.rpartition(":")
    name = head if port.isdecimal() and not host.endswith("]") else host
    return name.strip("[]").lower()


class Server(web.Server):
    """aiohttp's server; who has connected is to have asked something within READ_S."""

    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(self._asked, keepalive_timeout=IDLE_S, lingering_time=LINGER_S, access_log=None)
        self._answer = answer
        self._unheard: dict[RequestHandler, asyncio.TimerHandle] = {}

    def __call__(self) -> RequestHandler:
        """For a new connection."""
        protocol = super().__call__()
        self._unheard[protocol] = asyncio.get_running_loop().call_later(READ_S, self._give_up, protocol)
        return protocol

    async def _asked(self, request: web.BaseRequest) -> web.StreamResponse:
        if timer := self._unheard.pop(request.protocol, None):
            timer.cancel()
        return await self._answer(request)

    def _give_up(self, protocol: RequestHandler) -> None:
        del self._unheard[protocol]
        if protocol.transport is not None:
            protocol.transport.abort()


def limit_writing(listener: socket.socket) -> None:
    """Who takes nothing of an answer for WRITE_S is let go, by the kernel, where it can; what the socket accepts inherits it."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        listener.setsockopt(socket.IPPROTO_TCP, option, int(WRITE_S * 1000))
