"""The Toxiproxy of a run, whichever it is, and the lines (proxies) that go through it.

All calls are synchronous HTTP requests, to be made off an event loop. Milliseconds, KB/s and bytes are Toxiproxy's own units.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal

import toxiproxy as library

from harness.toxiproxy.child import Child, fork_embedded, start_installed
from harness.toxiproxy.client import Api, ToxiproxyError

Kind = Literal["embedded", "installed", "remote"]
ANY_PORT = "127.0.0.1:0"
#: What the header of the embedded proxy's answers calls its abilities.
_CAPABILITIES = "X-Harness-Capabilities"
#: What the embedded proxy can carry and do that Shopify's cannot, as far as scenarios ask for it.
CAPABILITIES = frozenset({"reset", "half-close", "own-toxics"})


@dataclass(frozen=True)
class Traffic:
    """Bytes of one line since it was made: upstream is from clients to the server, downstream the way back.

    `received` by the proxy from one end, `sent` by it to the other; what is in between is inside toxics or lost.
    """

    upstream_received: int
    upstream_sent: int
    downstream_received: int
    downstream_sent: int


@dataclass(frozen=True)
class Passage:
    """One connection through a line: its client's port, when it was opened and, if it is, over, and its bytes.

    Times are seconds of this process' monotonic clock. `by`: who ended it first, client, server or proxy.
    """

    client_port: int
    opened: float
    over: float | None
    by: Literal["client", "server", "proxy"] | None
    traffic: Traffic


class Line:
    """One proxy: where clients connect to, and its toxics. Every call raises ToxiproxyError when it fails."""

    def __init__(self, owner: Toxiproxy, proxy: library.Proxy, called: str, since: float) -> None:
        self._owner = owner
        self._proxy = proxy
        #: It was made after this, by our clock; what is older was of another line that had its name.
        self._since = since
        #: Its name in the proxy, and the one that it was asked for by.
        self.name: str = proxy.name
        self.called = called
        self.address = owner.reachable(proxy.listen)

    def add_toxic(
        self,
        type: str,
        *,
        stream: str = "downstream",
        name: str | None = None,
        toxicity: float = 1.0,
        schedule: tuple[int, int] | None = None,
        **attributes: int,
    ) -> None:
        """Put a toxic on the line; it works on live connections too. Its name is `type_stream` unless given.

        `schedule`: on and off for so many milliseconds in turn; the embedded proxy alone knows it.
        """
        self._owner.refuse_deadly(type, attributes, attributes)
        body: dict[str, object] = {"type": type, "stream": stream, "name": name or f"{type}_{stream}"}
        body |= {"toxicity": toxicity, "attributes": attributes}
        if schedule is not None:
            body["schedule"] = {"on": schedule[0], "off": schedule[1]}
        with self._owner.api.speaking() as api:
            api.post(f"/proxies/{self.name}/toxics", json=body)

    def update_toxic(self, name: str, *, toxicity: float | None = None, **attributes: int) -> None:
        """Change some attributes of a toxic, or its toxicity; the others stay."""
        body: dict[str, object] = {"attributes": attributes}
        if toxicity is not None:
            body["toxicity"] = toxicity
        with self._owner.api.speaking() as api:
            if self._owner.kind != "embedded":
                toxic = self._proxy.get_toxic(name)
                if toxic is not None:
                    self._owner.refuse_deadly(toxic.type, attributes, {**toxic.attributes, **attributes})
            api.post(f"/proxies/{self.name}/toxics/{name}", json=body)

    def remove_toxic(self, name: str) -> None:
        """Take a toxic off; what it held back flows on."""
        with self._owner.api.speaking():
            self._proxy.destroy_toxic(name)

    def clear(self) -> None:
        """Take all toxics off."""
        with self._owner.api.speaking():
            for name in self._proxy.toxics():
                self._proxy.destroy_toxic(name)

    def disable(self) -> None:
        """Close the listener and every connection of the line."""
        with self._owner.api.speaking():
            self._proxy.disable()

    def enable(self) -> None:
        """Listen again, on the same port."""
        with self._owner.api.speaking():
            self._proxy.enable()

    def set_upstream(self, upstream: str) -> None:
        """Lead to another server (`host:port`) from now on. Live connections are dropped; the address stays."""
        with self._owner.api.speaking() as api:
            api.post(f"/proxies/{self.name}", json={"upstream": upstream})

    def delete(self) -> None:
        """Take the line away, with every connection. Harmless when it is gone already."""
        self._owner.forget(self)
        try:
            with self._owner.api.speaking():
                self._proxy.destroy()
        except ToxiproxyError as error:
            if "not found" not in str(error):
                raise

    def traffic(self) -> Traffic | None:
        """The bytes that went through so far; None where the proxy cannot say."""
        if "traffic" not in self._owner.abilities:
            return None
        with self._owner.api.speaking() as api:
            return _traffic(api.get(f"/proxies/{self.name}/traffic").json())

    def passages(self) -> list[Passage]:
        """The connections that are there now, and those that ended since the last call; empty where the proxy cannot say.

        Of very many the oldest may be missing. Still answered when the line was deleted.
        """
        if "events" not in self._owner.abilities:
            return []
        after = str(self._owner.read_up_to.get(self.name, -1))
        query = {"follow": "false", "data": "false", "proxy": self.name, "after": after}
        with self._owner.api.speaking() as api:
            asked = time.monotonic()
            events = [json.loads(line) for line in api.get("/events", params=query).iter_lines()]
            # On this machine its clock is ours; another's is set by the middle of the call.
            ahead = events[0]["at"] - (asked + time.monotonic()) / 2 if self._owner.kind == "remote" else 0.0
            self._owner.read_up_to[self.name] = events[0]["next"] - 1
        passages = [_passage(event, ahead) for event in events if event["event"] in ("open", "closed")]
        return [one for one in passages if one.opened >= self._since]


def _traffic(told: dict[str, Any]) -> Traffic:
    up, down = told["upstream"], told["downstream"]
    return Traffic(up["received"], up["sent"], down["received"], down["sent"])


def _passage(event: dict[str, Any], ahead_s: float) -> Passage:
    over = event["at"] - ahead_s if event["event"] == "closed" else None
    port = int(event["client"].rpartition(":")[2])
    return Passage(port, event["opened"] - ahead_s, over, event["by"], _traffic(event))


class Toxiproxy:
    """A running Toxiproxy. `capabilities`: those of CAPABILITIES that it has."""

    def __init__(self, kind: Kind, api: Api, child: Child | None = None) -> None:
        self.kind = kind
        self.api = api
        self.url = api.url
        self._child = child
        self._library = library.Toxiproxy()
        self._lines: list[Line] = []
        self._ours = f"harness-{secrets.token_hex(4)}-" if kind == "remote" else ""
        #: By the names of lines: the last event that was read of it.
        self.read_up_to: dict[str, int] = {}
        self._numbers = itertools.count(1)
        with api.speaking() as consumer:
            response = consumer.get("/version")
            self.version = _version(response.content, api.url)
        #: As the proxy itself tells them.
        self.abilities = frozenset(filter(None, response.headers.get(_CAPABILITIES, "").split(", ")))
        self.capabilities = self.abilities & CAPABILITIES

    def create(self, name: str, upstream: str, listen: str = ANY_PORT, *, enabled: bool = True) -> Line:
        """A new line to `upstream` (`host:port`). Raises ToxiproxyError, for one when the name is taken.

        In a remote Toxiproxy, which others use too, its name has something of our own in front.
        """
        if listen == ANY_PORT and not self._local():
            listen = "[::]:0"
        since = time.monotonic()
        with self.api.speaking():
            proxy = self._library.create(upstream=upstream, name=self._ours + name, listen=listen, enabled=enabled)
        line = Line(self, proxy, name, since)
        self._lines.append(line)
        return line

    def reset(self) -> None:
        """Every line enabled, every toxic removed; of a remote Toxiproxy just our own lines."""
        if self.kind == "remote":
            for line in self._lines:
                line.enable()
                line.clear()
            return
        with self.api.speaking():
            self._library.reset()

    def close(self) -> None:
        """End the process if we started it; of a remote one, delete only our own lines. Harmless when repeated."""
        if self._child is None:
            for line in list(self._lines):
                with contextlib.suppress(ToxiproxyError):
                    line.delete()
        self._lines.clear()
        self.api.close()
        if self._child is not None:
            self._child.end()

    @property
    def pid(self) -> int | None:
        """The process that we started; None of a remote one."""
        return self._child.pid if self._child is not None else None

    def forget(self, line: Line) -> None:
        """The line is being deleted: it is no longer ours to delete."""
        if line in self._lines:
            self._lines.remove(line)

    def reachable(self, listen: str) -> tuple[str, int]:
        """Where clients of ours connect to for a listen address that the proxy tells."""
        host, _, port = listen.rpartition(":")
        host = host.strip("[]")
        if host in ("", "::", "0.0.0.0"):
            host = "127.0.0.1" if self._local() else self.api.host
        return host, int(port)

    def refuse_deadly(self, type: str, given: dict[str, int], merged: dict[str, int]) -> None:
        """Attributes that end the whole real server are not sent. Raises ToxiproxyError."""
        if self.kind == "embedded":
            return
        wrong: str | None = None
        if any(not isinstance(value, int) for value in given.values()):
            wrong = "attributes must be whole numbers"
        elif type == "slicer" and merged.get("average_size", 0) < 1:
            wrong = "average_size must be 1 or more"
        elif type == "slicer" and merged.get("size_variation", 0) >= merged["average_size"]:
            wrong = "size_variation must be less than average_size"
        elif type == "bandwidth" and merged.get("rate", 0) < 0:
            wrong = "rate must be 0 or more"
        elif type == "latency" and merged.get("jitter", 0) > 2**40:
            wrong = "jitter is too large"
        if wrong:
            raise ToxiproxyError(f"toxic {type}: {wrong} (it would end the Toxiproxy at {self.url})")

    def _local(self) -> bool:
        return self.kind != "remote" or self.api.host in ("localhost", "::1") or self.api.host.startswith("127.")


def _version(body: bytes, url: str) -> str:
    """The version that the body tells; before 2.7 it was the bare text."""
    text = body.decode("utf-8", "replace").strip()
    with contextlib.suppress(ValueError):
        told = json.loads(text)
        if isinstance(told, dict):
            return str(told["version"])
    if not text or len(text) > 40 or "<" in text:
        raise ToxiproxyError(f"what answers at {url} is no Toxiproxy: is the address right?")
    return text


def start(choice: str, *, seed: int = 0) -> Toxiproxy:
    """The Toxiproxy that `choice` names: "embedded", "installed" or "http://host:port". To be closed.

    The embedded one is forked, which takes milliseconds: call it in the main thread of a process with one thread and before
    any event loop runs in it. The network namespace is the caller's at that moment. An installed one, too, dies with the thread that
    started it. Raises ToxiproxyError.
    """
    if choice == "embedded":
        return _attach("embedded", fork_embedded(seed))
    if choice == "installed":
        return _attach("installed", start_installed(seed, _answers))
    if is_remote(choice):
        return Toxiproxy("remote", Api(choice))
    raise ToxiproxyError(f"--toxiproxy {choice}: it is embedded, installed, or an address like http://127.0.0.1:8474")


def capabilities(choice: str) -> frozenset[str]:
    """What the Toxiproxy that `choice` names can carry, of CAPABILITIES. A remote one is asked.

    Of one that does not answer nothing is known, so nothing is skipped for it: the first who needs it says what is wrong.
    """
    if choice == "embedded":
        return CAPABILITIES
    if not is_remote(choice):
        return frozenset()
    try:
        proxy = start(choice)
    except ToxiproxyError:
        return CAPABILITIES
    proxy.close()
    return proxy.capabilities


def is_remote(choice: str) -> bool:
    """Whether `choice` is the address of a Toxiproxy that somebody else runs."""
    return choice.startswith("http://")


def _attach(kind: Kind, child: Child) -> Toxiproxy:
    api = Api(child.url)
    try:
        return Toxiproxy(kind, api, child)
    except BaseException:
        api.close()
        child.end()
        raise


def _answers(url: str) -> bool:
    api = Api(url)
    try:
        with api.speaking() as consumer:
            return bool(consumer.get("/version").ok)
    except ToxiproxyError:
        return False
    finally:
        api.close()
