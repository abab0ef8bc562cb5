"""Each archetype of tests/servers/archetypes.py is found by talking to it, and what cannot be spoken is named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from harness.engine.baseline import Learned
from harness.engine.detecting import HALF_LINES, detect
from harness.engine.options import Options
from harness.engine.workers import Workers
from harness.target import command

ARCHETYPES = Path(__file__).resolve().parents[1] / "servers" / "archetypes.py"
LINE: dict[str, Any] = {"framing": "line"}
CHUNK: dict[str, Any] = {"framing": "chunk"}
MIXED: dict[str, Any] = {"framing": {"send": "chunk", "receive": "line"}}
IRC: dict[str, Any] = LINE | {
    "name": "irc",
    "max_clients": None,
    "login": ["NICK {name}", "USER harness 0 * :harness", " 001 {name}", "JOIN #harness", " 366 {name} #harness"],
}
#: What each archetype is: the keys of its profile; `login` as what is expected and sent, in turn.
EXPECTED: dict[str, dict[str, Any]] = {
    "none": CHUNK | {"login": [], "attributes": "client", "say": "{name}: {text}"},
    "address": CHUNK | {"login": [], "attributes": "client"},
    "raw_lines": LINE | {"login": [], "attributes": "client"},
    "silent": MIXED | {"login": ["{name}", "{name} entrou"], "leave": "sair", "attributes": "server"},
    "late": CHUNK | {"login": ["{name}"], "encoding": "ascii", "speak_first": True},
    "keyword": CHUNK | {"login": ["NICK", "{name}", "{name} joined!"], "attributes": "client"},
    "prompt": CHUNK | {"login": ["Digite seu apelido:", "{name}", "Olá {name}!"], "leave": "{sair}"},
    "auto": LINE
    | {"login": ["Welcome", "/nick {name}", "You are now {name}"], "auto": True, "leave": "/quit", "list": "/list",
       "whisper": "/msg {to} {text}", "rename": "/nick {name}"},
    "command": LINE | {"login": ["LOGIN {name}"], "say": "MSG {text}", "leave": "QUIT", "auto": False},
    "drops": LINE | {"login": ["CHAT/", "name:{name}", "hi {name},"]},
    "room": LINE
    | {"login": ["/nick {name}", "all right, I will call you", "/join lobby", "welcome to lobby"], "say": "/msg {text}"},
    "steps": CHUNK
    | {"login": ["Enter your nickname:", "{name}", "name (rooms: games, music):", "games", "Joined games."]},
    "menu": LINE
    | {"login": ["Opção:", "2", "Apelido:", "{name}", "Cor (verde, azul):", "verde", "Oi, {name}!"]},
    "unhurried": IRC,
    "eager": IRC,
    "cuts": {"framing": {"send": "chunk", "receive": "line"}, "newline": "\n", "login": ["Name?", "{name}"]},
    "apart": LINE | {"login": ["Apelido?", "{name}", "Entre, {name}!"], "attributes": "server"},
    "splits": LINE | {"login": [], "attributes": "client"},
    "adds_newlines": MIXED | {"login": [], "attributes": "client"},
    "pair": CHUNK | {"login": [], "max_clients": 2},
    "counted": {"framing": {"send": "header", "receive": "chunk"}, "header": 64, "login": ["{name}", "Welcome {name}"],
                "leave": "!DISCONNECT"},
    "twice": {"framing": "header", "header": 10, "login": ["{name}"], "attributes": "client"},
    "frames": {"framing": "length", "login": ["Enter your name:", "{name}", "{name} joined"], "attributes": "server"},
    "ended": {"framing": "nul", "login": ["{name}", "{name} joined"], "attributes": "server"},
    "objects": {"framing": "json", "login": ['{"type": "join", "username": "{name}"}', "system {name} joined"],
                "say": '{"type": "message", "content": "{text}"}', "attributes": "server"},
    "objetos": {"framing": "json", "login": ['{"evento": "entrar", "apelido": "{name}"}', "pronto {name}"],
                "say": '{"evento": "dizer", "mensagem": "{text}"}', "attributes": "server"},
    "bars": LINE | {"login": ["CONN|{name}", "OK|{name}"], "say": "PUB|{text}", "leave": "BYE"},
}  # fmt: skip
REASONS = {"password": "password", "web": "HTTP"}


#: All are found once, for one test process: the first test waits for some thirty searches.
pytestmark = [pytest.mark.xdist_group("detecting"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def found() -> dict[str, Learned]:
    """All of them, six side by side."""
    waiting, results = [*EXPECTED, *REASONS], {}
    with Workers(6) as workers:
        while waiting or workers.busy:
            while waiting and workers.free:
                kind = waiting.pop(0)
                options = Options(spec=command(f"{sys.executable} {ARCHETYPES} {kind} {{port}}"))
                workers.start(kind, lambda options=options: detect(options), 90.0)  # type: ignore[misc]
            for done in workers.wait():
                assert done.failure is None, done.failure
                results[done.key] = done.value
    return results


@pytest.mark.parametrize("kind", EXPECTED)
def test_an_archetype_is_found(found: dict[str, Learned], kind: str) -> None:
    learned, expected = found[kind], dict(EXPECTED[kind])
    profile = learned.profile
    assert profile is not None, learned.failure
    login = [word for step in profile.login for word in (step.expect, step.send) if word is not None]
    assert login == expected.pop("login"), learned.transcript
    assert {key: getattr(profile, key) for key in expected} == expected, learned.transcript


@pytest.mark.parametrize("kind", ["apart", "splits"])
def test_who_parts_messages_at_newlines_means_lines_though_it_waits_for_none(
    found: dict[str, Learned], kind: str
) -> None:
    profile = found[kind].profile
    assert profile is not None
    assert profile.bordered, "half a line that went round as a message is judged"
    assert HALF_LINES in found[kind].told


def test_who_takes_a_read_for_a_message_and_adds_a_newline_is_not_blamed(found: dict[str, Learned]) -> None:
    profile = found["adds_newlines"].profile
    assert profile is not None
    assert not profile.bordered
    assert HALF_LINES not in found["adds_newlines"].told


@pytest.mark.parametrize("kind", REASONS)
def test_what_is_not_spoken_is_declined_with_a_reason(found: dict[str, Learned], kind: str) -> None:
    assert found[kind].profile is None
    assert REASONS[kind] in str(found[kind].failure)
    assert found[kind].transcript
