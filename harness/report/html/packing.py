"""Parts of the page that are opened later: gzip in base64, within a budget, so that the page stays small."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass

#: All packed parts together, in characters. The page around them stays below a megabyte.
BUDGET = 4_000_000


@dataclass(slots=True)
class Budget:
    """What is left for packed parts, in characters."""

    left: int = BUDGET

    def pack(self, html: str, pictures: Sequence[str], reserved: int = 0) -> str | None:
        """The part packed, to be put into the page as it stands; None when that would leave less than `reserved`."""
        plain = json.dumps({"html": html, "pictures": list(pictures)}).encode("ascii")
        packed = base64.b64encode(gzip.compress(plain, 6, mtime=0)).decode("ascii")
        if len(packed) + reserved > self.left:
            return None
        self.left -= len(packed)
        return packed
