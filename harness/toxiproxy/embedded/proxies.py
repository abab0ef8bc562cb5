"""All proxies of a process, and what the API may ask of them: the semantics of Toxiproxy's create, update, populate, reset.

Listen addresses are resolved first, since that may take its time; whatever follows happens in one go, so that calls which come at once
do not see each other half done.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from harness.toxiproxy.embedded import address
from harness.toxiproxy.embedded.address import AddressError
from harness.toxiproxy.embedded.chain import STREAMS, ToxicSpec, streams_of
from harness.toxiproxy.embedded.events import Events
from harness.toxiproxy.embedded.proxy import House, Proxy
from harness.toxiproxy.embedded.schedule import Schedule
from harness.toxiproxy.embedded.toxics import TOXICS
from harness.toxiproxy.embedded.wire import BadBody, Fields


class ApiError(Exception):
    """What a request is answered with instead: an HTTP status and a text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class PopulateError(ApiError):
    """A populate that stopped half-way, with the proxies that it did."""

    def __init__(self, status: int, text: str, done: list[Proxy]) -> None:
        super().__init__(status, text)
        self.done = done


def bad_body(error: BadBody) -> ApiError:
    """The answer to a body that cannot be read."""
    return ApiError(400, f"bad request body: {error}")


class Wanted:
    """A proxy as a request describes it."""

    def __init__(self, value: object) -> None:
        fields = Fields(value, "Proxy")
        self.name = fields.text("name", "")
        self.upstream = fields.text("upstream", "")
        self.listen = fields.text("listen", "")
        self.enabled = fields.flag("enabled", True)
        self.toxics: list[ToxicSpec] = []
        for one in fields.items("toxics"):
            self.toxics.append(toxic_of(one, self.toxics))

    def missing(self) -> str | None:
        """The first required field that is not there."""
        return "name" if not self.name else "upstream" if not self.upstream else None


class Proxies:
    """The collection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._proxies: dict[str, Proxy] = {}

    @property
    def events(self) -> Events:
        """What happens to them."""
        return self._house.reactor.events

    def all(self) -> list[Proxy]:
        """Every proxy, by name."""
        return [self._proxies[name] for name in sorted(self._proxies)]

    def get(self, name: str) -> Proxy:
        """The proxy of that name. Raises ApiError 404."""
        if name not in self._proxies:
            raise ApiError(404, "proxy not found")
        return self._proxies[name]

    def close(self) -> None:
        """Stop every proxy."""
        for proxy in self._proxies.values():
            proxy.stop()

    async def create(self, value: object) -> Proxy:
        """POST /proxies. Raises ApiError; then nothing is left behind."""
        try:
            wanted = Wanted(value)
        except BadBody as error:
            raise bad_body(error) from None
        if missing := wanted.missing():
            raise ApiError(400, f"missing required field: {missing}")
        self._refuse_existing(wanted.name)
        resolved = await self._resolve_to_listen(wanted.listen) if wanted.enabled else None
        self._refuse_existing(wanted.name)
        return self._add(wanted, resolved)

    def _refuse_existing(self, name: str) -> None:
        if name in self._proxies:
            raise ApiError(409, "proxy already exists")

    async def _resolve_to_listen(self, listen: str) -> address.Address:
        try:
            return await address.resolve(listen)
        except AddressError as error:
            raise ApiError(500, f"listen tcp: {error}") from None

    def _add(self, wanted: Wanted, resolved: address.Address | None) -> Proxy:
        proxy = Proxy(self._house, wanted.name, wanted.listen, wanted.upstream)
        proxy.toxics.extend(wanted.toxics)
        if resolved is not None:
            self._start(proxy, resolved)
        self._proxies[wanted.name] = proxy
        return proxy

    def _start(self, proxy: Proxy, resolved: address.Address) -> None:
        try:
            proxy.start(resolved)
        except AddressError as error:
            raise ApiError(500, f"listen tcp {error}") from None
        proxy.wanted = True

    async def update(self, name: str, value: object) -> Proxy:
        """POST or PATCH of a proxy. A failed restart leaves it disabled with the new fields. Raises ApiError."""
        proxy = self.get(name)
        try:
            fields = Fields(value, "Proxy")
            listen = fields.text("listen", proxy.listen)
            fields.text("upstream", ""), fields.flag("enabled", True)
            resolved = await address.resolve(listen)
            while self._proxies.get(name) is proxy and (now := fields.text("listen", proxy.listen)) != listen:
                resolved = await address.resolve(listen := now)  # another call moved it meanwhile
        except BadBody as error:
            raise bad_body(error) from None
        except AddressError as error:
            raise ApiError(500, str(error)) from None
        if self._proxies.get(name) is not proxy:
            raise ApiError(404, "proxy not found")
        upstream, enabled = fields.text("upstream", proxy.upstream), fields.flag("enabled", proxy.enabled)
        if str(resolved) != proxy.listen or upstream != proxy.upstream:
            proxy.stop()
            proxy.listen, proxy.upstream = listen, upstream
        if enabled and not proxy.enabled:
            self._start(proxy, resolved)
        elif not enabled:
            proxy.stop()
            proxy.wanted = fields.flag("enabled", proxy.wanted)
        return proxy

    def delete(self, name: str) -> None:
        """DELETE of a proxy. Raises ApiError 404."""
        self.get(name).stop()
        del self._proxies[name]

    async def populate(self, value: object) -> list[Proxy]:
        """POST /populate. Raises PopulateError: the first failure stops."""
        try:
            if value is not None and not isinstance(value, list):
                raise BadBody("json: cannot unmarshal object into Go value of type []toxiproxy.Proxy")
            wanted = []
            for one in value or []:
                wanted.append(Wanted(one))
                await asyncio.sleep(0)  # traffic has its turn between two of thousands
        except BadBody as error:
            raise PopulateError(400, f"bad request body: {error}", []) from None
        except ApiError as error:
            raise PopulateError(error.status, str(error), []) from None
        for number, one in enumerate(wanted, 1):
            if missing := one.missing():
                raise PopulateError(400, f"missing required field: {missing} at proxy {number}", [])
        done: list[Proxy] = []
        for one in wanted:
            try:
                done.append(await self._populate(one))
                await asyncio.sleep(0)
            except ApiError as error:
                raise PopulateError(error.status, str(error), done) from None
        return done

    async def _populate(self, wanted: Wanted) -> Proxy:
        resolved, problem = None, None
        try:
            resolved = await address.resolve(wanted.listen)
        except AddressError as error:
            problem = str(error)
        old = self._proxies.get(wanted.name)
        if old is not None and problem is None and str(resolved) == old.listen and wanted.upstream == old.upstream:
            return old
        if problem is not None and (old is not None or wanted.enabled):
            raise ApiError(500, problem if old is not None else f"listen tcp: {problem}")
        if old is not None:
            old.stop()
        return self._add(wanted, resolved if wanted.enabled else None)

    async def reset(self) -> None:
        """POST /reset: every proxy enabled and without toxics. The first that cannot start ends it. Raises ApiError."""
        for proxy in self.all():
            resolved = await self._resolve_to_listen(proxy.listen) if not proxy.enabled else None
            if self._proxies.get(proxy.name) is not proxy:
                continue  # another call deleted or replaced it meanwhile
            if resolved is not None and not proxy.enabled:
                self._start(proxy, resolved)
            for toxic in list(proxy.toxics):
                proxy.remove_toxic(toxic)

    # Toxics

    def toxic(self, proxy: Proxy, name: str) -> ToxicSpec:
        """The toxic of that name. Raises ApiError 404."""
        found = proxy.toxic(name)
        if found is None:
            raise ApiError(404, "toxic not found")
        return found

    def add_toxic(self, proxy: Proxy, value: object) -> ToxicSpec:
        """POST of a toxic. Raises ApiError."""
        try:
            toxic = toxic_of(value, proxy.toxics)
        except BadBody as error:
            raise bad_body(error) from None
        proxy.add_toxic(toxic)
        return toxic

    def update_toxic(self, proxy: Proxy, toxic: ToxicSpec, value: object) -> None:
        """POST or PATCH of a toxic: all of it or, refused, nothing. Raises ApiError."""
        try:
            fields = Fields(value, "ToxicWrapper")
            toxicity = fields.number("toxicity", toxic.toxicity)
            inner = fields.inner("attributes", "map[string]interface {}")
            attributes = {key: inner.integer(key, old) for key, old in toxic.attributes.items()}
            own = _own_of(fields, toxic.type, toxic.streams)
            schedule = _schedule_of(fields, toxic.schedule)
        except BadBody as error:
            raise bad_body(error) from None
        for stream in toxic.streams:
            _check(toxic.type, {**attributes, **toxic.own.get(stream, {}), **own.get(stream, {})})
        proxy.change_toxic(toxic, attributes, own, toxicity, schedule)


def toxic_of(value: object, others: list[ToxicSpec]) -> ToxicSpec:
    """A toxic as a request describes it, with a name that none of `others` has. Raises ApiError and BadBody."""
    fields = Fields(value, "ToxicWrapper")
    stream = fields.text("stream", "downstream")
    kind = fields.text("type", "")
    name = fields.text("name", "") or f"{kind}_{stream}"
    toxicity = fields.number("toxicity", 1.0)
    inner = fields.inner("attributes", "map[string]interface {}")
    streams = streams_of(stream)
    if not streams:
        raise ApiError(400, "stream was invalid, can be either upstream or downstream")
    if kind not in TOXICS:
        raise ApiError(400, "invalid toxic type")
    if any(other.name == name for other in others):
        raise ApiError(409, "toxic already exists")
    attributes = {key: inner.integer(key, TOXICS[kind].defaults.get(key, 0)) for key in TOXICS[kind].names}
    own = _own_of(fields, kind, streams)
    for one in streams:
        _check(kind, {**attributes, **own.get(one, {})})
    return ToxicSpec(name, kind, stream, toxicity, attributes, _schedule_of(fields, None), time.monotonic(), own)


def _own_of(fields: Fields, kind: str, streams: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """The attributes that a request gives one stream of both alone; of one stream they are unknown keys. Raises BadBody."""
    own: dict[str, dict[str, int]] = {}
    for stream in STREAMS if len(streams) > 1 else ():
        inner = fields.inner(stream, "map[string]interface {}")
        own[stream] = {key: inner.integer(key, 0) for key in TOXICS[kind].names if inner.has(key)}
    return {stream: mine for stream, mine in own.items() if mine}


def _schedule_of(fields: Fields, old: Schedule | None) -> Schedule | None:
    """The schedule that a toxic of a request has: absent or null, the old one; `{}`, none. Raises ApiError and BadBody."""
    if not fields.has("schedule"):
        return old
    inner = fields.inner("schedule", "Schedule")
    if inner.empty:
        return None
    schedule = Schedule(inner.integer("on", 0), inner.integer("off", 0), inner.integer("after", 0))
    if problem := schedule.problem():
        raise ApiError(400, f"invalid toxic schedule: {problem}")
    return schedule


def _check(kind: str, attributes: dict[str, int]) -> None:
    if problem := TOXICS[kind].problem(attributes):
        raise ApiError(400, f"invalid toxic attributes: {problem}")


def proxy_object(proxy: Proxy) -> dict[str, Any]:
    """A proxy, as the API tells it."""
    return {
        "name": proxy.name,
        "listen": proxy.listen,
        "upstream": proxy.upstream,
        "enabled": proxy.enabled,
        "Logger": {},
        "toxics": [toxic.told() for toxic in proxy.in_order()],
    }
