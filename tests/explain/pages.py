"""The pages as their tests read them: headings, fenced blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.explain import ids, page

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Snippet:
    """One fenced block of a page, and the heading it stands under."""

    id: str
    heading: str
    language: str
    code: str


def headings(text: str) -> list[str]:
    """The lines that are headings in Markdown: a `#` inside a fence is a comment."""
    return [line for line in FENCE.sub("", text).splitlines() if line.startswith("#")]


def sections(text: str) -> dict[str, str]:
    """Heading (without the title) → what stands under it, fences included."""
    found: dict[str, str] = {}
    fenced, current = False, ""
    for line in text.splitlines(keepends=True)[1:]:
        if line.startswith("```"):
            fenced = not fenced
        if line.startswith("#") and not fenced:
            current = line.strip()
            found[current] = ""
        elif current:
            found[current] += line
    return found


def snippets(language: str) -> list[Snippet]:
    """All fenced blocks of one language, in the catalogue's order."""
    return [
        Snippet(id, heading, fence, code)
        for id in ids()
        for heading, text in sections(page(id)).items()
        for fence, code in FENCE.findall(text)
        if fence == language
    ]
