"""What may stand in a name or a message.

A message is passed on as it came, but for what would act on a reader's terminal or reorder its text: that is shown
instead (`ESC` becomes `␛`, U+202E becomes `<U+202E>`). A name is stricter, for it says who speaks: letters, digits,
`_` and `-`, and two names are the same when they look the same after compatibility folding.
"""

from __future__ import annotations

import unicodedata

MAX_NAME = 24
"""Characters in a name."""

# Letters to Unicode, blanks to the eye: Hangul fillers.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")


def _shown() -> dict[int, str]:
    controls = {code: chr(0x2400 + code) for code in range(0x20) if code != ord("\t")}
    invisible = [*range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    return controls | {0x7F: "\u2421"} | {code: f"<U+{code:04X}>" for code in invisible}


_SHOWN = _shown()


def visible(text: str) -> str:
    """`text` with control characters, line separators and direction overrides shown as something harmless."""
    return text if text.isprintable() else text.translate(_SHOWN)


def fold(name: str) -> str:
    """The form in which names are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def valid_name(text: str) -> str | None:
    """The name that `text` asks for, in its normal form, or None when no name may look like that."""
    if len(text) > MAX_NAME:
        return None
    name = unicodedata.normalize("NFKC", text)
    good = all(char.isalnum() or char in "_-" for char in name) and _BLANK_LETTERS.isdisjoint(name)
    return name if good and 0 < len(name) <= MAX_NAME else None
