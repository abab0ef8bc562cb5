"""Both languages at once: a sentence as two marked spans, of which the page's style shows one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from markupsafe import Markup, escape

from harness.language import CODES, Language

_TICKS = re.compile(r"`([^`<>]+)`")
SAYS = tuple(Language(code) for code in CODES)
#: A page says the same few hundred sentences thousands of times.
REMEMBERED = 4096


def told(tell: Callable[[Language], str]) -> Markup:
    """What `tell` says in each language, escaped; a text that is the same in both stands once."""
    texts = [tell(say) for say in SAYS]
    if len(set(texts)) == 1:
        return escape(texts[0])
    spans = zip(SAYS, texts, strict=True)
    return Markup("".join(f'<span class="t" lang="{say.code}">{escape(text)}</span>' for say, text in spans))


def t(sentence: str, **values: object) -> Markup:
    """A sentence of the page, in both languages. A value may be a function of the language."""
    return told(lambda say: say(sentence, **_filled(values, say))) if values else _plain(sentence)


@functools.lru_cache(REMEMBERED)
def _plain(sentence: str) -> Markup:
    return told(lambda say: say(sentence))


def n(count: int, one: str, many: str, **values: object) -> Markup:
    """`one` or `many`, in both languages."""
    return told(lambda say: say.plural(count, one, many, **_filled(values, say)))


def _filled(values: dict[str, object], say: Language) -> dict[str, object]:
    return {name: value(say) if callable(value) else value for name, value in values.items()}


def ticked(text: str) -> Markup:
    """`text`, escaped, with what stands between backticks as code."""
    return Markup(_TICKS.sub(r"<code>\1</code>", str(escape(text))))
