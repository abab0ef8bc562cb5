"""Hints: what the source of a server, or of a client beside it, lets one guess. Sans-I/O; text only, never executed.

They order the experiments and never replace one: behaviour alone decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.dialect.hypotheses import DANGEROUS, is_naming, is_rooming, is_saying
from harness.dialect.masking import fold

#: A quoted word that may be a command: a mark and a word, or a bare one.
_QUOTED = re.compile(
    r"""(?<![\w\\])[rbfu]?(["'`])(?P<word>[/!\\.#:@]?[A-Za-z_]{1,14}[:|]?|\{[a-z]{3,8}\}|:[a-z]{1,8})\s?\1"""
)
_KEY = re.compile(
    r"""(?:\[|\.get\(|\.getString\(|\.optString\(|json:|serde\(rename ?= ?)\s*\\?["'`](\w{1,16})\\?["'`]|(?:msg|data|message|json|obj|packet|payload|parsed|req)\.(?!get|opt|send|decode)(\w{2,12})\b"""
)
_VALUE = re.compile(r"""(?:===?|case|\.equals\(|:)\s*\\?["'`](\w{2,20})\\?["'`]""")
_FRAMES = (
    ("utf", r"\breadUTF\b|\bwriteUTF\b"),
    ("json", r"json\.loads|JSON\.parse|json\.Unmarshal|json\.NewDecoder|serde_json|JSONObject|JsonConvert|JsonSerializer"),
    ("length", r"struct\.unpack|readUInt(?:32|16)(?:BE|LE)|\bntohl\b|binary\.(?:Big|Little)Endian|from_(?:be|le)_bytes|int\.from_bytes|\breadInt\(\)"),
    ("header", r"(?i)\bheader(?:_?(?:length|size|len))?\s*=\s*\d+|\.rjust\(|\.ljust\(|:<\{?header"),
    ("nul", r"""split\(\s*b?["']\\(?:0|x00)["']|indexOf\(["']\\0|\bread_until\(b?["']\\0"""),
)  # fmt: skip
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
    header: int | None = None
    little: bool = False
    foreign: tuple[str, ...] = ()
    json_namings: tuple[str, ...] = ()
    json_sayings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read(sources: Sequence[tuple[str, str]]) -> Hints:
    """The hints of these (name, text) files."""
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
    framings = [kind for kind, pattern in _FRAMES if re.search(pattern, text)]
    header = re.search(r"(?i)\bheader(?:_?(?:length|size|len))?\s*(?::\s*\w+\s*)?=\s*(\d{1,3})\b", text)
    little = bool(re.search(r"""["']<[IHQiL]|LittleEndian|LE\(|["']little["']|from_le_bytes""", text))
    json_namings, json_sayings = _json(text) if "json" in framings else ((), ())
    return Hints(
        tuple(namings), tuple(sayings), tuple(others), tuple(framings), int(header[1]) if header else None, little,
        tuple(what for what, pattern in _FOREIGN if re.search(pattern, text)), json_namings, json_sayings,
        tuple(name for name, _ in sources),
    )  # fmt: skip


TYPES = ("type", "action", "cmd", "command", "event", "op", "kind", "tipo", "t", "acao", "method")
NAMES = (
    "name",
    "username",
    "nick",
    "nickname",
    "user",
    "nome",
    "apelido",
    "from",
    "sender",
    "usuario",
    "login",
    "id",
    "nombre",
)
TEXTS = ("text", "message", "msg", "content", "body", "mensagem", "texto", "data", "mensaje", "payload")
JOINS = (
    "join",
    "login",
    "register",
    "connect",
    "nick",
    "auth",
    "hello",
    "enter",
    "set_name",
    "setname",
    "identify",
    "entrar",
    "name",
    "username",
    "set_nick",
    "init",
)
SAYS = (
    "message",
    "chat",
    "msg",
    "text",
    "broadcast",
    "say",
    "send",
    "mensagem",
    "send_message",
    "chat_message",
    "public",
)


def _json(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """JSON templates with the keys and values that the source names."""
    keys = list(dict.fromkeys(a or b for a, b in _KEY.findall(text)))
    keys += [k for k in dict.fromkeys(re.findall(r"""["'`](\w{1,16})["'`]\s*:""", text)) if k not in keys]
    values = list(dict.fromkeys(_VALUE.findall(text)))
    keys = [k for k in keys if k not in values or k in TYPES]
    kinds = [k for k in keys if k in TYPES][:2]
    names = [k for k in keys if k in NAMES][:3]
    texts = [k for k in keys if k in TEXTS and k not in kinds][:2]
    joins = [v for v in values if fold(v) in JOINS][:4]
    says = [v for v in values if fold(v) in SAYS][:4]
    namings, sayings = [], []
    for name in names:
        for kind in kinds:
            namings += [json.dumps({kind: join, name: "{name}"}) for join in joins]
        namings.append(json.dumps({name: "{name}"}))
    for body in texts:
        for kind in kinds:
            sayings += [json.dumps({kind: say, body: "{text}"}) for say in says]
            sayings += [json.dumps({kind: say, name: "{name}", body: "{text}"}) for say in says for name in names[:1]]
        sayings.append(json.dumps({**dict.fromkeys(names[:1], "{name}"), body: "{text}"}))
    return tuple(dict.fromkeys(namings)), tuple(dict.fromkeys(sayings))
