"""A small canvas for SVG: shapes and text, escaped, in colours that follow the reader's light or dark theme.

No library: what the pictures here need of SVG 1.1 fits on a page, and a file must stay small, safe and readable on its
own. Colours are classes, so that one style sheet serves both themes (`prefers-color-scheme`).
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from harness.report.safe import visible

Point = tuple[float, float]

_STYLE = """
.hx{color:#1f2328;background:#fff;font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.hx text{fill:currentColor}
.hx .mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:11px}
.hx .small{font-size:10.5px}.hx .strong{font-weight:600}.hx .title{font-size:14px;font-weight:600}
.hx .soft{fill:#6e7781}.hx .halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.hx .l{fill:none;stroke:#57606a;stroke-width:1.3}.hx .thin{fill:none;stroke:#d0d7de;stroke-width:1}
.hx .dash{stroke-dasharray:4 3}.hx .life{fill:none;stroke:#afb8c1;stroke-width:1;stroke-dasharray:2 4}
.hx .head{fill:#57606a}.hx .box{fill:#f6f8fa;stroke:#d0d7de}.hx .grid{fill:none;stroke:#eaeef2}
.hx .bad{fill:#cf222e}.hx .lbad{fill:none;stroke:#cf222e;stroke-width:1.6}.hx .boxbad{fill:#ffebe9;stroke:#cf222e}
.hx .cut{fill:#9a6700}.hx .lcut{fill:none;stroke:#bf8700;stroke-width:1.6}
.hx .good{fill:#1a7f37}.hx .lgood{fill:none;stroke:#1a7f37;stroke-width:1.4}
.hx .blue{fill:#0969da}.hx .lblue{fill:none;stroke:#0969da;stroke-width:1.6}
.hx .lviolet{fill:none;stroke:#8250df;stroke-width:1.6}.hx .violet{fill:#8250df}
.hx .toxic{fill:#bf8700;fill-opacity:.13}.hx .down{fill:#57606a;fill-opacity:.16}.hx .area{fill:#0969da;fill-opacity:.12}
@media (prefers-color-scheme:dark){
.hx{color:#e6edf3;background:#0d1117}.hx .soft{fill:#8b949e}.hx .halo{stroke:#0d1117}
.hx .l{stroke:#8b949e}.hx .head{fill:#8b949e}.hx .thin{stroke:#30363d}.hx .life{stroke:#484f58}.hx .grid{stroke:#21262d}
.hx .box{fill:#161b22;stroke:#30363d}.hx .boxbad{fill:#3d1214;stroke:#f85149}
.hx .bad{fill:#ff7b72}.hx .lbad{stroke:#f85149}.hx .cut{fill:#e3b341}.hx .lcut{stroke:#d29922}
.hx .good{fill:#3fb950}.hx .lgood{stroke:#3fb950}.hx .blue{fill:#79c0ff}.hx .lblue{stroke:#58a6ff}
.hx .violet{fill:#d2a8ff}.hx .lviolet{stroke:#bc8cff}.hx .toxic{fill:#d29922;fill-opacity:.16}
.hx .down{fill:#8b949e;fill-opacity:.18}.hx .area{fill:#58a6ff;fill-opacity:.15}}
""".replace("\n", "")

#: Roughly what a character takes, in pixels: ordinary, small, monospaced, bold. Texts are cut by it, never measured.
CHARACTER, SMALL, MONO, BOLD = 6.4, 5.6, 6.4, 7.3


class Canvas:
    """Shapes are added, then `svg` gives the file. Pixels throughout; y grows downwards."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def line(self, start: Point, end: Point, kind: str = "l") -> None:
        """A straight line."""
        (x, y), (to_x, to_y) = start, end
        self._parts.append(f'<line x1="{x:.0f}" y1="{y:.1f}" x2="{to_x:.0f}" y2="{to_y:.1f}" class="{kind}"/>')

    def path(self, points: Sequence[Point], kind: str = "l", *, closed: bool = False) -> None:
        """A line through points; closed, it is filled by its class."""
        told = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._parts.append(f'<path d="M{told}{"Z" if closed else ""}" class="{kind}"/>')

    def head(self, tip: Point, direction: int, kind: str = "head") -> None:
        """The head of an arrow that points to the right (1) or to the left (-1)."""
        x, y = tip
        self.path([(x, y), (x - direction * 7, y - 3.5), (x - direction * 7, y + 3.5)], kind, closed=True)

    def box(self, corner: Point, width: float, height: float, kind: str = "box", radius: float = 4) -> None:
        """A rectangle, its upper left corner given."""
        x, y = corner
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(0.0, height):.1f}" rx="{radius}" class="{kind}"/>'
        )

    def dot(self, at: Point, radius: float = 2.5, kind: str = "head") -> None:
        """A small disc."""
        self._parts.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius}" class="{kind}"/>')

    def cross(self, at: Point, kind: str = "lbad", size: float = 4.5) -> None:
        """An ✕."""
        x, y = at
        self._parts.append(
            f'<path d="M{x - size:.1f} {y - size:.1f}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}" class="{kind}"/>'
        )

    def text(self, at: Point, words: str, kind: str = "", anchor: str = "start", room: float | None = None) -> None:
        """Words, made visible and escaped; cut to `room` pixels. `anchor`: start, middle or end."""
        width = MONO if "mono" in kind else SMALL if "small" in kind else BOLD if "strong" in kind else CHARACTER
        most = 200 if room is None else max(3, int(room / width))
        shown = visible(words, 600)
        shown = shown if len(shown) <= most else shown[: most - 1] + "…"
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        named = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text x="{at[0]:.1f}" y="{at[1]:.1f}"{where}{named}>{escape(shown)}</text>')

    def svg(self, width: float, height: float, title: str, lang: str) -> str:
        """The whole file."""
        told = escape(visible(title, 400))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="hx" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label={quoteattr(visible(title, 400))} '
            f'xml:lang="{lang}"><title>{told}</title><style>{_STYLE}</style>' + "".join(self._parts) + "</svg>\n"
        )


def wrapped(words: str, room: float, most: int = 3, character: float = CHARACTER) -> list[str]:
    """Words in lines of at most `room` pixels, and at most so many lines."""
    lines, width = [""], int(room / character)
    for word in visible(words, 600).split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][: width - 1]}…"]
    return [line[: width + 8] for line in lines]
