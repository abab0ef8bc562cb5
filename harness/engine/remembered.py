"""Dialects that were found before, by the command and the content of its files: finding out once is enough.

They lie in `.harness-cache/` where that folder exists, else in the user's cache (XDG Base Directory). A file that cannot
be read, or was found by a search of another kind, counts as none.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from pathlib import Path

from pydantic import ValidationError

from harness import __version__
from harness.dialect.profile import Profile
from harness.target.sources import digest
from harness.target.spec import ServerSpec


@functools.cache
def search() -> str:
    """Stands for the way in which dialects are found out: what another search found may be less than this one would find."""
    hasher = hashlib.sha256()
    for room in ("dialect", "engine", "client"):
        for path in sorted((Path(__file__).parent.parent / room).glob("*.py")):
            hasher.update(path.read_bytes())
    return hasher.hexdigest()[:16]


def place(spec: ServerSpec) -> Path | None:
    """The file for this server; None where nothing can be remembered (somebody else's server, no home)."""
    if spec.kind != "command":
        return None
    near = Path(".harness-cache")
    home = os.environ.get("XDG_CACHE_HOME") or (
        os.path.join(os.environ["HOME"], ".cache") if "HOME" in os.environ else ""
    )
    if not near.is_dir() and not home:
        return None
    folder = near if near.is_dir() else Path(home) / "chat-resilience-harness"
    return folder / f"dialect-{digest(spec)[:32]}.json"


def recall(spec: ServerSpec) -> Profile | None:
    """The dialect that was found for this very server, if any."""
    path = place(spec)
    if path is None:
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != __version__ or data["search"] != search():
            return None
        return Profile.model_validate(data["profile"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def remember(spec: ServerSpec, profile: Profile) -> None:
    """Keep what was found. What cannot be written is not kept."""
    path = place(spec)
    if path is None:
        return
    told = {"version": __version__, "search": search(), "profile": profile.to_json()}
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
        half.replace(path)


def forget(spec: ServerSpec) -> None:
    """What was found is not true any more."""
    path = place(spec)
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
