"""What each property means, why servers violate it, how to see it by hand and how to mend it.

The text is one Markdown page for each property (`pages/ID.md`), of a fixed structure:

    # ID — the server *does so*: what it does      the sentence
    ## Means · ## Why it fails · ## See it yourself
    ## Mend it      with ### Python, Java, C, JavaScript, Go, Rust
    ## Em português      whose first paragraph is the sentence in Portuguese

`remedies` holds the short advice that stands beside a finding. Whoever asks for an id that is not in `ids()` gets a
KeyError; to offer the nearest ones is the caller's business.
"""

from __future__ import annotations

import functools
from importlib import resources

from harness.explain.remedies import REMEDIES
from harness.language import CODES, Language

__all__ = ["ids", "page", "remedy", "sentence"]

#: The catalogue's order, group by group.
_IDS: tuple[str, ...] = (
    "accepts", "refuses", "survives", "serves", "responsive", "restarts", "stops",
    "welcomes", "admits", "forgets", "identity", "expires", "resumes",
    "delivers", "once", "ordered", "intact", "private", "genuine",
    "threads", "sockets", "memory", "idles",
    "handshake", "closes",
    "handles", "discreet",
)  # fmt: skip

_PORTUGUESE = "## Em português\n"


def ids() -> tuple[str, ...]:
    """The ids of all properties that have a page, in the catalogue's order."""
    return _IDS


@functools.cache
def page(id: str) -> str:
    """The whole page of a property, in Markdown. Raises KeyError for an unknown id."""
    if id not in _IDS:
        raise KeyError(id)
    return resources.files(__name__).joinpath("pages", f"{id}.md").read_text(encoding="utf-8")


def sentence(id: str, lang: str = "en") -> str:
    """What the server does, in one plain sentence: "the server survives: the same process keeps running …".

    Without a full stop, so that it can stand in a list. English where the harness does not speak `lang`.
    Raises KeyError for an unknown id.
    """
    text = page(id)
    if Language.of(lang).code == "pt-BR":
        told = text.partition(_PORTUGUESE)[2].strip().partition("\n")[0]
        told = told[:1].lower() + told[1:]
    else:
        told = text.partition("\n")[0].partition(" — ")[2]
    return told.replace("*", "").replace("`", "").rstrip(".")


def remedy(id: str, lang: str = "en") -> str:
    """The most probable cause of a violation and what to change, in one or two sentences on one line.

    English where the harness does not speak `lang`. Raises KeyError for an unknown id.
    """
    return REMEDIES[id][CODES.index(Language.of(lang).code)]
