"""The control API over HTTP: Toxiproxy's paths, statuses and bodies, guarded (`guard.py`).

Beyond Toxiproxy: `GET /proxies/{name}/traffic` tells the byte counters as they move, `GET /events` what happens.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import posixpath
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from aiohttp import web

from harness.toxiproxy.embedded import guard, metrics, wire
from harness.toxiproxy.embedded.events import BATCH, READERS_MOST, Event, TooManyReaders, Wanted
from harness.toxiproxy.embedded.proxies import (
    ApiError,
    PopulateError,
    Proxies,
    bad_body,
    proxy_object,
)
from harness.toxiproxy.embedded.wire import BadBody

#: The Toxiproxy that this one speaks like.
VERSION = "2.12.0"
#: What this proxy can carry that Toxiproxy cannot, told in a header of every answer.
CAPABILITIES = ("half-close", "reset", "traffic", "own-toxics", "schedule", "events")
R = TypeVar("R", bound=web.StreamResponse)
Handler = Callable[..., Awaitable[web.StreamResponse]]


def _json(value: dict[str, Any] | list[Any], status: int = 200) -> web.Response:
    body = wire.encode(value).encode("utf-8", "replace")
    return web.Response(status=status, body=body, content_type="application/json")


def _plain(text: str, status: int) -> web.Response:
    return web.Response(
        status=status,
        body=text.encode("utf-8", "replace"),
        headers={"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"},
    )


def _nothing(status: int) -> web.Response:
    return web.Response(status=status)


class Api:
    """Answers the requests of one process. `guarded`: bound to the loopback, it refuses foreign hosts; with `counters`, /metrics is served.

    `keep` is called after every request that may have changed something, before its answer; an OSError of it is a 500.
    """

    def __init__(
        self, proxies: Proxies, guarded: bool, counters: bool, runtime: bool, keep: Callable[[], None] = lambda: None
    ) -> None:
        self._proxies = proxies
        self._keep = keep
        self._guarded = guarded
        self._counters = counters
        self._runtime = runtime

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request."""
        if what := guard.foreign(request, loopback=self._guarded):
            return _plain(f"{what} not allowed\n", 403)
        raw, mark, query = request.path_qs.partition("?")
        path = unquote(raw)
        if (clean := _clean(path)) != path:
            return web.Response(status=301, headers={"Location": quote(clean) + mark + query})
        methods, names = self._route(path.split("/")[1:])
        if not methods:
            return _plain("404 page not found\n", 404)
        handler = methods.get(request.method) or methods.get("*")
        if handler is None:
            return _nothing(405)
        if request.headers.get("User-Agent", "").startswith("Mozilla/"):
            return _signed(_plain("User agent not allowed\n", 403))
        response = await self._handled(handler, request, names)
        if request.method != "GET":
            try:
                self._keep()
            except OSError as error:
                text = f"done, but not kept: {error.strerror or error}"
                response = _plain(wire.encode({"error": text, "status": 500}) + "\n", 500)
        return response if response.prepared else _signed(response)

    async def _handled(self, handler: Handler, request: web.BaseRequest, names: list[str]) -> web.StreamResponse:
        try:
            return await handler(request, *names)
        except PopulateError as error:
            body = {"error": str(error), "status": error.status, "proxies": _list(error.done)}
            return _json(body, error.status)
        except ApiError as error:
            return _plain(wire.encode({"error": str(error), "status": error.status}) + "\n", error.status)

    def _route(self, path: list[str]) -> tuple[dict[str, Handler], list[str]]:
        match path:
            case ["version"]:
                return {"GET": self._version}, []
            case ["proxies"]:
                return {"GET": self._list, "POST": self._create}, []
            case ["populate"]:
                return {"POST": self._populate}, []
            case ["reset"]:
                return {"POST": self._reset}, []
            case ["events"]:
                return {"GET": self._tell_events}, []
            case ["metrics"] if self._counters or self._runtime:
                return {"*": self._metrics}, []
            case ["proxies", proxy] if proxy:
                return {"GET": self._get, "POST": self._update, "PATCH": self._update, "DELETE": self._delete}, [proxy]
            case ["proxies", proxy, "traffic"] if proxy:
                return {"GET": self._traffic}, [proxy]
            case ["proxies", proxy, "toxics"] if proxy:
                return {"GET": self._toxics, "POST": self._add_toxic}, [proxy]
            case ["proxies", proxy, "toxics", toxic] if proxy and toxic:
                change = self._update_toxic
                both = [proxy, toxic]
                return {"GET": self._toxic, "POST": change, "PATCH": change, "DELETE": self._remove_toxic}, both
        return {}, []

    async def _version(self, request: web.BaseRequest) -> web.Response:
        body = f'{{"version": "{VERSION}"}}\n'.encode()
        return web.Response(body=body, headers={"Content-Type": "application/json;charset=utf-8"})

    async def _list(self, request: web.BaseRequest) -> web.Response:
        return _json({proxy.name: proxy_object(proxy) for proxy in self._proxies.all()})

    async def _create(self, request: web.BaseRequest) -> web.Response:
        return _json(proxy_object(await self._proxies.create(await _body(request))), 201)

    async def _populate(self, request: web.BaseRequest) -> web.Response:
        try:
            value = await _body(request)
        except ApiError as error:
            raise PopulateError(error.status, str(error), []) from None
        return _json({"proxies": _list(await self._proxies.populate(value))}, 201)

    async def _reset(self, request: web.BaseRequest) -> web.Response:
        await self._proxies.reset()
        return _nothing(204)

    async def _get(self, request: web.BaseRequest, name: str) -> web.Response:
        return _json(proxy_object(self._proxies.get(name)))

    async def _update(self, request: web.BaseRequest, name: str) -> web.Response:
        self._proxies.get(name)
        return _json(proxy_object(await self._proxies.update(name, await _body(request))))

    async def _delete(self, request: web.BaseRequest, name: str) -> web.Response:
        self._proxies.delete(name)
        return _nothing(204)

    async def _traffic(self, request: web.BaseRequest, name: str) -> web.Response:
        proxy = self._proxies.get(name)
        upstream, downstream = proxy.counters
        return _json(
            {
                "upstream": {"received": upstream.received, "sent": upstream.sent},
                "downstream": {"received": downstream.received, "sent": downstream.sent},
                "connections": len(proxy.connections),
                "accepted": proxy.accepted,
            }
        )

    async def _toxics(self, request: web.BaseRequest, name: str) -> web.Response:
        return _json([toxic.told() for toxic in self._proxies.get(name).in_order()])

    async def _add_toxic(self, request: web.BaseRequest, name: str) -> web.Response:
        self._proxies.get(name)
        value = await _body(request)
        return _json(self._proxies.add_toxic(self._proxies.get(name), value).told())

    async def _toxic(self, request: web.BaseRequest, name: str, toxic: str) -> web.Response:
        return _json(self._proxies.toxic(self._proxies.get(name), toxic).told())

    async def _update_toxic(self, request: web.BaseRequest, name: str, toxic: str) -> web.Response:
        self._proxies.toxic(self._proxies.get(name), toxic)
        value = await _body(request)
        proxy = self._proxies.get(name)
        found = self._proxies.toxic(proxy, toxic)
        self._proxies.update_toxic(proxy, found, value)
        return _json(found.told())

    async def _remove_toxic(self, request: web.BaseRequest, name: str, toxic: str) -> web.Response:
        proxy = self._proxies.get(name)
        proxy.remove_toxic(self._proxies.toxic(proxy, toxic))
        return _nothing(204)

    async def _tell_events(self, request: web.BaseRequest) -> web.StreamResponse:
        """JSON lines, or server-sent events where those are asked for."""
        lasting, wanted = _wanted(request)
        events = self._proxies.events
        as_sse = "text/event-stream" in request.headers.get("Accept", "")
        response = _signed(web.StreamResponse(headers={"Cache-Control": "no-store"}))
        response.content_type = "text/event-stream" if as_sse else "application/x-ndjson"
        line = _sse if as_sse else _json_line
        with contextlib.ExitStack() as stack:
            try:
                reader = stack.enter_context(events.listening(wanted)) if lasting else None
            except TooManyReaders:
                raise ApiError(503, f"{READERS_MOST} readers of /events already: end one") from None
            begin = [*events.so_far(wanted), *self._open_ones(wanted)]
            with contextlib.suppress(ConnectionError):
                await response.prepare(request)
                for start in range(0, len(begin), BATCH):
                    await response.write("".join(map(line, begin[start : start + BATCH])).encode("utf-8", "replace"))
                if reader is not None:
                    async with contextlib.aclosing(reader.batches()) as batches:
                        async for batch in batches:
                            if request.transport is None or request.transport.is_closing():
                                break
                            if batch:
                                await response.write("".join(map(line, batch)).encode("utf-8", "replace"))
                await response.write_eof()
        return response

    def _open_ones(self, wanted: Wanted) -> Iterator[Event]:
        now = round(time.monotonic(), 6)
        for proxy in self._proxies.all():
            if wanted.proxy in (None, proxy.name):
                for connection in sorted(proxy.connections, key=lambda one: one.number):
                    yield {"event": "open", "at": now, "proxy": proxy.name, **connection.account.told()}

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        text = metrics.text(self._proxies.all() if self._counters else None, self._runtime)
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return web.Response(body=text.encode(), headers={"Content-Type": kind})


def _clean(path: str) -> str:
    """Without empty segments, `.` and `..`: the router sends whoever asks otherwise there."""
    clean = "/" + posixpath.normpath("/" + path).lstrip("/")
    return clean + "/" if path.endswith("/") and clean != "/" else clean


def _list(proxies: list[Any]) -> list[Any] | None:
    return [proxy_object(proxy) for proxy in proxies] or None


async def _body(request: web.BaseRequest) -> Any:
    try:
        async with asyncio.timeout(guard.READ_S):
            return wire.decode(await request.read())
    except BadBody as error:
        raise bad_body(error) from None
    except TimeoutError:
        raise bad_body(BadBody("i/o timeout")) from None
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, f"request body too large: more than {guard.BODY_MOST} bytes") from None


def _signed(response: R) -> R:
    """With the headers of every answer."""
    response.headers["X-Toxiproxy-Request-Id"] = _request_id()
    response.headers["X-Harness-Capabilities"] = ", ".join(CAPABILITIES)
    return response


def _wanted(request: web.BaseRequest) -> tuple[bool, Wanted]:
    """Whether a request wants to wait for events to come, and which it wants. Raises ApiError."""
    query = request.rel_url.query
    flags: dict[str, bool] = {}
    for name in ("follow", "data"):
        value = query.get(name, "true")
        if value not in ("true", "false"):
            raise ApiError(400, f"{name} must be true or false")
        flags[name] = value == "true"
    after = query.get("after", request.headers.get("Last-Event-ID", "-1"))
    if not after.removeprefix("-").isdecimal() or not after.isascii() or len(after) > 18:
        raise ApiError(400, "after must be the number of an event")
    return flags["follow"], Wanted(int(after), query.get("proxy"), flags["data"])


def _json_line(event: Event) -> str:
    return wire.encode(event) + "\n"


def _sse(event: Event) -> str:
    """A server-sent event; what is kept has an id, which a reader that comes again sends as Last-Event-ID."""
    number = f"id: {event['n']}\n" if "n" in event else ""
    return f"{number}event: {event['event']}\ndata: {wire.encode(event)}\n\n"


def _request_id() -> str:
    """Twenty characters, as an xid has."""
    return base64.b32hexencode(os.urandom(12)).decode().rstrip("=").lower()
