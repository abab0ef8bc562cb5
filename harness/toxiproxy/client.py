"""toxiproxy-python, made fit for use: one call at a time, to one server, with a time limit.

The library keeps the server's address in its classes, sends requests without a time limit and through any HTTP_PROXY, does not
quote names, and takes a 500 for an answer. So each of our calls goes through `Api.speaking`, which for its duration points the library
at our server and lends it `requests` in a stricter form; afterwards the library is as it was.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import toxiproxy.api
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

#: To connect, and to answer: the real server answers a stuck request after 25 s with a 503. Seconds.
LIMITS_S = (5.0, 30.0)
#: The library's address is one for the whole process.
_TURN = threading.RLock()


class ToxiproxyError(Exception):
    """Something is wrong with Toxiproxy, or with what was asked of it. One line, that says what to do."""


class _Requests:
    """What the library calls as the module `requests`: a session with a time limit, no proxies, quoted paths."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, url: str, **rest: Any) -> requests.Response:
        return self._ask("GET", url, **rest)

    def post(self, url: str, **rest: Any) -> requests.Response:
        return self._ask("POST", url, **rest)

    def delete(self, url: str, **rest: Any) -> requests.Response:
        return self._ask("DELETE", url, **rest)

    def close(self) -> None:
        self._session.close()

    def _ask(self, method: str, url: str, **rest: Any) -> requests.Response:
        path = "/".join(quote(part, safe="") for part in url.split("/")[3:])
        try:
            response = self._session.request(method, f"{self._url}/{path}", timeout=LIMITS_S, **rest)
        except requests.Timeout:
            raise ToxiproxyError(f"Toxiproxy at {self._url} does not answer: restart it") from None
        except requests.RequestException:
            raise ToxiproxyError(f"no Toxiproxy at {self._url}: is it running, and is the address right?") from None
        if response.status_code >= 500 or response.status_code in (403, 405):
            raise ToxiproxyError(
                f"Toxiproxy at {self._url} says {response.status_code}: {error_text(response.content)}"
            )
        return response


class Api:
    """The HTTP API of one Toxiproxy. Safe to use from several threads: they take turns."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
            raise ToxiproxyError(f"{url!r} is no Toxiproxy address: it looks like http://127.0.0.1:8474")
        try:
            port = parts.port or 8474
        except ValueError:
            raise ToxiproxyError(f"{url!r} has no valid port: it looks like http://127.0.0.1:8474") from None
        self.host = parts.hostname
        self._netloc = f"[{self.host}]" if ":" in self.host else self.host
        self._port = port
        self.url = f"http://{self._netloc}:{port}"
        self._requests = _Requests(self.url)

    @contextlib.contextmanager
    def speaking(self) -> Iterator[type[toxiproxy.api.APIConsumer]]:
        """The library speaks to this server while the block runs. Raises ToxiproxyError for everything that fails."""
        consumer = toxiproxy.api.APIConsumer
        with _TURN:
            before = consumer.host, consumer.port, toxiproxy.api.requests
            consumer.host, consumer.port, toxiproxy.api.requests = self._netloc, self._port, self._requests
            try:
                yield consumer
            except (ProxyExists, NotFound, InvalidToxic) as error:
                raise ToxiproxyError(f"Toxiproxy at {self.url} says: {error_text(error.args[0])}") from None
            except (KeyError, TypeError, ValueError):
                raise ToxiproxyError(f"what answers at {self.url} is no Toxiproxy: is the address right?") from None
            finally:
                consumer.host, consumer.port, toxiproxy.api.requests = before

    def close(self) -> None:
        """Close the connection that is kept."""
        with _TURN:
            self._requests.close()


def error_text(body: bytes | str) -> str:
    """The text of an error body, on one line."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["error"])
    return " ".join(text.split())[:300]
