"""What the proxies were told, in a file: with `-state FILE` a proxy that is killed comes back as it was last told to be.

The whole is written beside the file and put in its place in one step, before the answer to the request that changed it: what was
acknowledged is there, and the file is never half of anything. It is a populate body, like a config. A schedule begins anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from harness.toxiproxy.embedded import wire
from harness.toxiproxy.embedded.log import Log
from harness.toxiproxy.embedded.proxies import ApiError, Proxies
from harness.toxiproxy.embedded.proxy import Proxy
from harness.toxiproxy.embedded.wire import BadBody


class State:
    """The file of one process."""

    def __init__(self, path: Path, proxies: Proxies, log: Log) -> None:
        self.path = path
        self._proxies = proxies
        self._log = log
        self._kept: str | None = None

    def keep(self) -> None:
        """Write down how things stand, where that is not written already. Raises OSError: then it is not kept."""
        text = json.dumps([_object(proxy) for proxy in self._proxies.all()], ensure_ascii=False, indent=1)
        if text == self._kept:
            return
        beside = self.path.with_name(self.path.name + ".new")
        beside.write_text(text, "utf-8", "surrogatepass")
        os.replace(beside, self.path)
        self._kept = text

    async def restore(self) -> bool:
        """Make what the file tells; whether there is one. Raises OSError, BadBody.

        A proxy that cannot listen now is there, disabled, and enabled in the file until somebody says otherwise: the next start tries again.
        """
        if not self.path.exists():
            return False
        told = wire.decode(self.path.read_bytes())
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise BadBody("this is no list of proxies")
        for one in told:
            try:
                await self._proxies.populate([one])
            except ApiError as error:
                (proxy,) = await self._proxies.populate([{**one, "enabled": False}])
                proxy.wanted = True
                self._log.say("error", "Restored, but disabled", proxy=proxy.name, error=str(error))
                self._log.warn(
                    f"proxy {json.dumps(proxy.name)} is disabled for now: {error}; free its port and start again, or enable it"
                )
        return True


def _object(proxy: Proxy) -> dict[str, Any]:
    """As a populate body has it: toxics in the order in which they came."""
    toxics = [toxic.told() for toxic in proxy.toxics]
    return {
        "name": proxy.name,
        "listen": proxy.listen,
        "upstream": proxy.upstream,
        "enabled": proxy.wanted,
        "toxics": toxics,
    }
