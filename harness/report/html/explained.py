"""The page of a property as `harness explain` shows it, for index.html: in both languages, its code told once.

The Portuguese part of a page is the short one: meaning, causes, what to change. What is to be typed and the six languages'
code follow it, as in English; an English sentence between two pieces of code is left out.
"""

from __future__ import annotations

import functools
import re

from markdown_it import MarkdownIt
from markupsafe import Markup

from harness import explain
from harness.language import Language

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LANGUAGE = re.compile(r"^### (.+)$", re.MULTILINE)


@functools.cache
def explained(prop: str) -> Markup:
    """The whole page of a property as HTML; empty for one that has none."""
    if prop not in explain.ids():
        return Markup("")
    _, *parts = _SECTION.split(explain.page(prop))
    sections = {title.strip(): text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)}
    by_hand, mend = sections.get("See it yourself", ""), sections.get("Mend it", "")
    english = f"{sections.get('Means', '')}\n\n#### Why it fails\n\n{sections.get('Why it fails', '')}"
    portuguese = Language("pt-BR")
    return Markup("").join([
        _part("en", f"{english}\n\n#### See it yourself\n\n{by_hand}"),
        _part("pt-BR", f"{sections.get('Em português', '')}\n\n#### {portuguese('See it yourself')}\n\n{_code(by_hand)}"),
        *_snippets(mend),
    ])  # fmt: skip


def _snippets(mend: str) -> list[Markup]:
    """Each programming language's part, folded."""
    _, *parts = _LANGUAGE.split(mend)
    return [
        Markup('<details class="snippet"><summary>{}</summary>{}{}</details>').format(
            name, _part("en", text), _part("pt-BR", _code(text))
        )
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def _code(text: str) -> str:
    return "\n\n".join(_FENCE.findall(text))


def _part(lang: str, text: str) -> Markup:
    return Markup('<div class="t prose" lang="{}">{}</div>').format(lang, Markup(_markdown().render(text)))


@functools.cache
def _markdown() -> MarkdownIt:
    """CommonMark; raw HTML is text. The pages are our own, and hold none."""
    return MarkdownIt("commonmark", {"html": False})
