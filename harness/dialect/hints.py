"""Hints: what the source of a server, or of a client beside it, lets one guess. Sans-I/O; text only, never executed.

They order the experiments and never replace one: behaviour alone decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harness.dialect import json_words
from harness.dialect.hypotheses import DANGEROUS, is_naming, is_rooming, is_saying
from harness.dialect.json_words import JsonWords
from harness.dialect.masking import fold

_T = TypeVar("_T")

#: A quoted word that may be a command: a mark and a word, or a bare one.
_QUOTED = re.compile(
    r"""(?<![\w\\])[rbfu]?(["'`])(?P<word>[/!\\.#:@]?[A-Za-z_]{1,14}[:|]?|\{[a-z]{3,8}\}|:[a-z]{1,8})\s?\1"""
)
_FRAMES = (
    ("utf", r"\breadUTF\b|\bwriteUTF\b"),
    ("json", r"json\.loads?\b|JSONDecoder|JSON\.parse|json\.Unmarshal|json\.NewDecoder|serde_json|JSONObject|JsonConvert|JsonSerializer"),
    ("length", r"struct\.unpack|readUInt(?:32|16)(?:BE|LE)|\bntohl\b|binary\.(?:Big|Little)Endian|from_(?:be|le)_bytes|int\.from_bytes|\breadInt\(\)"),
    ("header", r"(?i)\bheader(?:_?(?:length|size|len))?\s*=\s*\d+|\.rjust\(|\.ljust\(|:<\{?header|len\(\w+\)\s*:\s*<\{?\w"),
    ("nul", r"""(?:split|partition|indexOf|index|find|endswith|endsWith|read_?until)\(\s*b?["']\\(?:0|x00)["']|\b0 in (?:buf|data)\w*|indexOf\(0\)|read_until\(b'\\0'|ReadBytes\(0\)"""),
)  # fmt: skip
#: struct formats and the like that read one number: its width and order.
_LENGTHS = (
    ((1, "big"), r"""unpack\(\s*["'][>!<=@]?B["']|readUInt8\(|recv\(1\)\[0\]|readUnsignedByte\(\)"""),
    ((2, "big"), r"""["'][>!]H["']|readUInt16BE|\bntohs\(|BigEndian\.Uint16|u16::from_be|readUnsignedShort\(|readShort\("""),
    ((2, "little"), r"""["'][<]H["']|readUInt16LE|LittleEndian\.Uint16|u16::from_le"""),
    ((4, "big"), r"""["'][>!][IiLl]["']|readU?Int32BE|\bntohl\(|BigEndian\.Uint32|[ui]32::from_be|\breadInt\(\)"""),
    ((4, "little"), r"""["'][<=@]?[IiLl]["']|readU?Int32LE|LittleEndian\.Uint32|[ui]32::from_le"""),
    ((8, "big"), r"""["'][>!][Qq]["']|readBigU?Int64BE|BigEndian\.Uint64|[ui]64::from_be|\breadLong\(\)|be64toh"""),
    ((8, "little"), r"""["'][<=@]?[Qq]["']|readBigU?Int64LE|LittleEndian\.Uint64|[ui]64::from_le|le64toh"""),
)  # fmt: skip
#: A quoted separator that messages are cut at.
_SPLIT = re.compile(
    r"""(?:split|partition|indexOf|index|find|endswith|endsWith|read_?until)\(\s*b?(["'])(?P<cut>(?:\\.|(?!\1)[^\\\n]){1,12})\1"""
)
_ENDING = re.compile(
    r"""(?im)\b(?:const\s+)?(?:delim\w*|terminat\w*|separator|sep|eom|eof|end(?:_?(?:of_?)?(?:msg|message|mark\w*))?)\s*(?::\s*\w+\s*)?=\s*b?(["'])(?P<cut>(?:\\.|(?!\1)[^\\\n]){1,12})\1"""
)
_DEFINED = re.compile(
    r"(?m)^\s*(?:#define\s+(\w+)\s+\(?(\d{1,6})\)?|(?:const(?:expr)?\s+)?(?:\w+\s+)?([A-Z][A-Z0-9_]+)\s*=\s*(\d{1,6})\b)"
)
_STRUCT = re.compile(r"struct\s*\w*\s*\{([^{}]*)\}")
_FIELD = re.compile(r"\bchar\s+\w+\s*\[\s*(\w+)\s*\]\s*;")
_PACKED = re.compile(r"""["'][>!<=@]?(\d{1,5})s(?:(\d{1,5})s)?["']""")
#: A word that what was read is compared with: a command, if nothing else is known of it.
_COMPARED = re.compile(
    r"""(?:[!=]==?|\bcase|\.equals(?:IgnoreCase)?\(|starts_?[wW]ith\(|HasPrefix\([\w.]+,|str(?:n?case)?n?cmp\([^,()]+,|\bin\s*[(\[{])\s*[rb]?(["'`])(?P<word>[/!\\.#:@]?[A-Z]{2,12}[:|]?)\s?\1"""
)
_SEPARATED = re.compile(
    r"""(?:split|partition|Split|SplitN|strtok|splitn|split_once|indexOf|find)\((?:[\w.&]+,)?\s*[rb]?(["'])(?P<cut>[:|;,])\1"""
)
_FOREIGN = (
    ("ObjectInputStream", r"\bObjectInputStream\b"),
    ("pickle", r"\bpickle\.loads\b"),
    (
        "TLS",
        r"\bssl\.(?:wrap_socket|SSLContext|create_default_context)|SSLServerSocket|\btls\.Listen\b|tls\.createServer",
    ),
    ("UDP", r"\bSOCK_DGRAM\b|\bDatagramSocket\b|ListenUDP|UdpSocket|dgram\.createSocket"),
    ("WebSocket", r"(?i)\bwebsockets?\b|socket\.io|\bws\.Server\b"),
)


@dataclass(frozen=True)
class Hints:
    """Templates for a name, for speaking, for a room; bare words; framings, the likeliest first; what looks foreign."""

    namings: tuple[str, ...] = ()
    sayings: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    framings: tuple[str, ...] = ()
    headers: tuple[int, ...] = ()
    lengths: tuple[tuple[int, str], ...] = ()
    terminators: tuple[str, ...] = ()
    blocks: tuple[tuple[int, int], ...] = ()
    commands: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    json: JsonWords = field(default_factory=JsonWords)
    files: tuple[str, ...] = ()


def read(sources: Sequence[tuple[str, str]], own: Collection[str] = ()) -> Hints:
    """The hints of these (name, text) files. `own`: the names of those that the server is; empty: any of them may be.

    Commands are taken from all of them (a client beside it knows them, too), framings from the server's own files and
    those that they name: a folder may hold many servers.
    """
    text = "\n".join(body for _, body in sources)
    if not text:
        return Hints()
    words = list(dict.fromkeys(match["word"] for match in _QUOTED.finditer(text)))
    words = [w for w in words if fold(w.strip("/!\\.#:@{}|")) not in DANGEROUS and len(w.strip("/!\\.#:@{}|")) > 0]
    namings, sayings, others = [], [], []
    for word in words:
        bare, gap = fold(word.strip("/!\\.#:@{}|")), "" if word.endswith((":", "|")) else " "
        marked = not word[0].isalpha() or word.isupper() or word.endswith((":", "|"))
        if marked and is_naming(bare):
            namings.append(f"{word}{gap}{{name}}")
        if marked and is_saying(bare):
            sayings.append(f"{word}{gap}{{text}}")
            others.append(f"{word}{gap}{{to}} {{text}}")
        if marked and is_rooming(bare):
            others.append(f"{word}{gap}{{room}}")
        others.append(word)
    bodies = _own(sources, own)
    framings = _in_turn(_framings, bodies)
    headers = [int(width) for width in _HEADER.findall("\n".join(bodies)) if 1 < int(width) <= 256]
    lengths = _in_turn(lambda body: [told for told, pattern in _LENGTHS if re.search(pattern, body)], bodies)
    objects = json_words.read("\n".join(bodies)) if re.search(r"(?i)json|serde", "\n".join(bodies)) else JsonWords()
    return Hints(
        tuple(namings), tuple(sayings), tuple(others), tuple(framings), tuple(dict.fromkeys(headers)), tuple(lengths),
        tuple(_in_turn(_terminators, bodies)), tuple(_in_turn(_blocks, bodies)), tuple(_in_turn(_commands, bodies)),
        tuple(what for what, pattern in _FOREIGN if re.search(pattern, text)), objects,
        tuple(name for name, _ in sources),
    )  # fmt: skip


_HEADER = re.compile(r"(?i)\bh(?:ea)?d(?:e)?r?(?:_?(?:length|size|len|width))?\s*(?::\s*\w+\s*)?=\s*(\d{1,3})\b")


def _own(sources: Sequence[tuple[str, str]], own: Collection[str]) -> list[str]:
    """The texts of the server's own files, and of those whose name stands in one of them (imports, requires, includes)."""
    left, found = dict(sources), dict[str, str]()
    named = [name for name in left if name in own] or list(left)
    while named:
        found |= {name: left.pop(name) for name in named}
        told = set(re.findall(r"\w+", "\n".join(found.values())))
        named = [name for name in left if name.partition(".")[0] in told]
    return list(found.values())


def _in_turn(look: Callable[[str], Sequence[_T]], bodies: Sequence[str]) -> list[_T]:
    """What is found in the first file comes first: it is the one that the command names."""
    return list(dict.fromkeys(found for body in bodies for found in look(body)))


def _framings(body: str) -> list[str]:
    """The framings that one file speaks for."""
    found = [kind for kind, pattern in _FRAMES if re.search(pattern, body)]
    more = (("fixed", _blocks(body)), ("nul", _terminators(body)))
    return [*found, *(kind for kind, known in more if known and kind not in found)]


def _terminators(text: str) -> tuple[str, ...]:
    """What messages are cut at, if it is neither a newline nor a mere separator of words."""
    found = [match["cut"] for pattern in (_ENDING, _SPLIT) for match in pattern.finditer(text)]
    plain = [_unescaped(cut) for cut in found]
    good = [
        c
        for c in plain
        if c.strip() not in ("", ":", "|", ",", ";", "=", "/", "-", ".", "@", "#") or c in ("\0", "\r\n\r\n")
    ]
    marks = [c for c in good if not re.fullmatch(r"[/\\]?\w+:?\s?", c) or c in ("\0", "<EOF>")]
    return tuple(dict.fromkeys(c for c in marks if c not in ("\n", "\r\n", "\r") and "\x1b" not in c))[:4]


def _unescaped(quoted: str) -> str:
    """A literal as the languages here mean it."""
    known = {"0": "\0", "n": "\n", "r": "\r", "t": "\t"}
    return re.sub(
        r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{2,3})|(.))",
        lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else chr(int(m[3], 8)) if m[3] else known.get(m[4], m[4]),
        quoted,
    )


def _blocks(text: str) -> tuple[tuple[int, int], ...]:
    """The sizes of a block's fields: of a name (0: there is none) and of the words."""
    sizes = {a or b: int(x or y) for a, x, b, y in _DEFINED.findall(text)}
    found: list[tuple[int, int]] = []
    for body in _STRUCT.findall(text):
        fields = [int(size) if size.isdigit() else sizes.get(size, 0) for size in _FIELD.findall(body)]
        left = re.sub(r"/\*.*?\*/|//[^\n]*", "", _FIELD.sub("", body), flags=re.S).strip()
        if left or not 1 <= len(fields) <= 2 or min(fields) < 2:
            continue
        found.append((fields[0], fields[1]) if len(fields) == 2 else (0, fields[0]))
    found += [(int(a), int(b)) if b else (0, int(a)) for a, b in _PACKED.findall(text)]
    return tuple(dict.fromkeys(found))[:3]


def _commands(text: str) -> tuple[str, ...]:
    """Words that stand in comparisons, with what parts them from the rest, for commands whose names tell nothing."""
    words = list(dict.fromkeys(match["word"] for match in _COMPARED.finditer(text)))
    parted = _SEPARATED.search(text)
    gap = parted["cut"] if parted else " "
    good = [w for w in words if fold(w.strip("/!\\.#:@|")) not in DANGEROUS]
    return tuple(w + ("" if w[-1] in ":|" else gap) for w in good)[:12]
