"""What lies in a run's folder beside its reports, as far as the page shows it: each kind if it is there, bounded.

Whatever cannot be read is left out: the page is about the verdicts, and stands without its pictures.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from harness.findings.exceptions import thrown
from harness.language import CODES
from harness.report.safe import QUOTED, visible, visible_lines

#: Of a server's output, a script or a cause, in lines.
LINES = 300
#: A larger picture is named, and not taken in; in bytes.
PICTURE = 400_000
#: Pictures a scenario, at most.
PICTURES = 12
#: What stands in the name of a picture that is drawn in one language: `diagram.pt-BR.svg` beside `diagram.svg`.
_TRANSLATED = tuple(f".{code}" for code in CODES[1:])
#: Lines that the server printed at one moment; so many are shown without unfolding.
PRINTED, PLAIN = 60, 3
#: What is printed within so long of what was printed before belongs to it, in seconds: a pipe is read in any pieces.
ONE_MOMENT_S = 0.1
#: Exceptions named in the gist of what was printed.
NAMED = 3
#: Lines of the packets' table.
PACKETS = 300
#: A larger history is not read for the page, in bytes.
HISTORY = 8_000_000
#: Of any other file, in bytes.
TEXT = 256_000


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of safe text under columns; `more` rows were left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of the time line that came from outside the story: what the server printed, what the proxy was told.

    A long one has a `gist`, which stands for it until it is unfolded; `size` is how many lines it has.
    """

    at_s: float
    kind: str  # `printed`, `toxic` or `looked`
    text: str
    gist: str = ""
    size: int = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG; `lang` is the language that it is shown for, empty where it is the same in all of them."""

    name: str
    svg: str
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is of one scenario. `files` are (name, address relative to the report)."""

    log: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    seen: tuple[Seen, ...] = ()
    pictures: tuple[Picture, ...] = ()
    packets: Table | None = None
    repro: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = field(default=())


def gather(report: Path, scenario: str) -> Evidence:
    """The evidence of a scenario in the folder of its run. Never raises."""
    folder = report / "scenarios" / scenario
    try:
        if not folder.resolve().is_relative_to((report / "scenarios").resolve()):
            return Evidence()
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except (OSError, ValueError):
        return Evidence()
    records = tuple(_history(folder / "history.jsonl"))
    return Evidence(
        log=_lines(folder / "server.log"),
        state=_lines(folder / "state.txt"),
        seen=tuple(_seen(records)),
        pictures=tuple(_pictures(folder, names)),
        packets=_table(_json(folder / "packets.json")) or _handshakes(records),
        repro=_lines(folder / "repro.py"),
        cause=tuple(line for name in names if name.startswith("cause") for line in _lines(folder / name)),
        files=tuple((name, quote(f"scenarios/{scenario}/{name}")) for name in names),
    )


def _text(path: Path, most: int) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(most).decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _lines(path: Path) -> tuple[str, ...]:
    text = _text(path, TEXT)
    return tuple(_unindented(line) for line in visible_lines(text.expandtabs(4), LINES)) if text else ()


def _unindented(line: str) -> str:
    return line.replace("\\::", "::", 1) if line.lstrip().startswith("\\::") else line


def _json(path: Path) -> object:
    text = _text(path, 4 * TEXT)
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _pictures(folder: Path, names: Sequence[str]) -> Iterator[Picture]:
    drawn = [name for name in names if name.endswith(".svg")]
    for name in sorted(drawn, key=lambda one: (not one.startswith("diagram"), one))[:PICTURES]:
        path = folder / name
        with contextlib.suppress(OSError, ValueError):
            if path.stat().st_size <= PICTURE:
                stem = name.removesuffix(".svg")
                other = next((mark for mark in _TRANSLATED if stem.endswith(mark)), "")
                named = stem.removesuffix(other)
                translated = any(f"{named}{mark}.svg" in names for mark in _TRANSLATED)
                lang = other[1:] if other else CODES[0] if translated else ""
                shown = visible(named.replace("-", " "), QUOTED)
                yield Picture(shown, path.read_text(encoding="utf-8"), lang)


# -- the history -----------------------------------------------------------------------------------------------------


def _history(path: Path) -> Iterator[Mapping[str, object]]:
    """The records that the page shows, of the many that a history has."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > HISTORY:
            return
        with path.open("rb") as file:
            for line in file:
                if line.startswith(
                    (
                        b'{"kind":"Packet"',
                        b'{"kind":"Opened"',
                        b'{"kind":"Output"',
                        b'{"kind":"Toxic"',
                        b'{"kind":"Looked"',
                    )
                ):
                    with contextlib.suppress(ValueError, RecursionError):
                        record = json.loads(line)
                        if isinstance(record.get("at_s"), (int, float)):
                            yield record


def _seen(records: Sequence[Mapping[str, object]]) -> Iterator[Seen]:
    printed = [record for record in records if record["kind"] == "Output"]
    if len(printed) > 1:  # a single one was taken at the end: it says no time
        yield from (_printed(at_s, text) for at_s, text in _together(printed))
    for record in records:
        if record["kind"] == "Looked":
            told = [str(record.get("why", "")), *str(record.get("text", "")).split("\n")]
            yield Seen(_at(record), "looked", "\n".join(visible(line) for line in told[:PRINTED]))
        if record["kind"] == "Toxic":
            yield Seen(_at(record), "toxic", visible(str(record.get("did", ""))))


def _together(printed: Sequence[Mapping[str, object]]) -> Iterator[tuple[float, str]]:
    """What was printed in one go, or in the middle of a line, as one: (moment, text)."""
    began_s = before_s = 0.0
    text = ""
    for record in printed:
        if text and text.endswith("\n") and _at(record) - before_s > ONE_MOMENT_S:
            yield began_s, text
            text = ""
        before_s = _at(record)
        began_s = began_s if text else before_s
        text += str(record.get("text", ""))
    if text:
        yield began_s, text


def _printed(at_s: float, text: str) -> Seen:
    lines = visible_lines(text.expandtabs(4), PRINTED)
    size = len(text.rstrip("\n").split("\n"))
    return Seen(at_s, "printed", "\n".join(lines), _gist(text) if size > PLAIN else "", size)


def _gist(text: str) -> str:
    """The exceptions that it shows, else its first line."""
    shown = Counter(one.told for one in thrown(text))
    named = [f"{told} ×{times}" if times > 1 else told for told, times in shown.most_common(NAMED)]
    named += ["…"] if len(shown) > NAMED else []
    first = next((line for line in text.split("\n") if line.strip()), "")
    return visible("; ".join(named) or first, QUOTED)


def _handshakes(records: Sequence[Mapping[str, object]]) -> Table | None:
    """The packets that open and end connections, as the history has them."""
    people = {record.get("conn"): str(record.get("who", "")) for record in records if record["kind"] == "Opened"}
    packets = [record for record in records if record["kind"] == "Packet"]
    if not packets:
        return None
    rows = tuple(
        (
            f"{_at(one):.4f}", visible(people.get(one.get("conn"), "")), visible(str(one.get("leg", ""))),
            visible(str(one.get("sender", ""))), visible(str(one.get("flags", ""))), visible(str(one.get("seq", ""))),
            visible(str(one.get("length", ""))),
        )
        for one in packets[:PACKETS]
    )  # fmt: skip
    columns = ("s", "who", "leg", "sender", "flags", "seq", "bytes")
    return Table(columns, rows, len(packets) - len(rows))


def _at(record: Mapping[str, object]) -> float:
    at_s = record["at_s"]
    return float(at_s) if isinstance(at_s, (int, float)) else 0.0


def _table(value: object) -> Table | None:
    """packets.json: `columns`, and `rows` of as many values; what is empty in all of them is no column."""
    if not isinstance(value, dict):
        return None
    columns, rows, left_out = value.get("columns"), value.get("rows"), value.get("left_out")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return None
    packets = [row for row in rows if isinstance(row, list) and len(row) == len(columns)]
    told = [at for at in range(len(columns)) if any(row[at] not in (None, "", []) for row in packets)]
    table = _made([str(columns[at]) for at in told], [[row[at] for at in told] for row in packets])
    return replace(table, more=table.more + left_out) if table and isinstance(left_out, int) else table


def _made(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table | None:
    if not columns or not rows:
        return None
    shown = tuple(tuple(visible(_cell(value), QUOTED) for value in row) for row in rows[:PACKETS])
    return Table(tuple(visible(one, QUOTED) for one in columns), shown, len(rows) - len(shown))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)
