"""`badge.svg`: the verdict in a line, for a README: `harness | 182 of 186 failed`."""

from __future__ import annotations

from html import escape

from harness.language import Language
from harness.report.gathered import FileReport
from harness.results import RunResult, count

_COLOUR = {"pass": "#1f6b48", "fail": "#b0271d", "error": "#59626f"}
#: The width of a letter, about, in pixels; the text is fitted to it.
_LETTER = 6.6
_PAD = 9


class BadgeReport(FileReport):
    """Writes badge.svg."""

    name = "badge"
    file = "badge.svg"

    def render(self, result: RunResult) -> bytes:
        """The picture, in UTF-8."""
        return render_badge(result, self._say.code)


def badge_text(result: RunResult, lang: str) -> str:
    """What the badge says behind the name; nothing of a server's words stands in it."""
    say = Language.of(lang)
    counted = count(one.outcome for one in result.scenarios)
    judged = counted["pass"] + counted["warn"] + counted["fail"]
    if result.interrupted:
        return say("broken off")
    if result.verdict == "error" or not judged:
        return say("not judged")
    if counted["fail"]:
        return say("{count} of {judged} failed", count=counted["fail"], judged=judged)
    held = say("{judged} held", judged=judged)
    return say("{told}, {count} not judged", told=held, count=counted["error"]) if counted["error"] else held


def render_badge(result: RunResult, lang: str) -> bytes:
    """badge.svg: no script, no font, no link."""
    name, text = "harness", badge_text(result, lang)
    left, right = (round(len(one) * _LETTER) + 2 * _PAD for one in (name, text))
    unsure = result.interrupted or any(one.outcome == "error" for one in result.scenarios)
    colour = _COLOUR["error" if unsure and result.verdict == "pass" else result.verdict]
    label = escape(f"{name}: {text}")

    def word(x: float, width: int, said: str) -> str:
        return f'<text x="{x}" y="14" textLength="{width - 2 * _PAD}" lengthAdjust="spacingAndGlyphs">{escape(said)}</text>'

    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}">'
        f"<title>{label}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="4"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="20" fill="#2b323c"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{word(left / 2, left, name)}{word(left + right / 2, right, text)}</g></svg>\n"
    ).encode()
