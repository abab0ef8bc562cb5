"""Objects with every usual key, and how they lose them one by one."""

from __future__ import annotations

import json

from harness.dialect.json_keys import namings, relatives, sayings, smaller, whispers
from harness.dialect.json_words import LEAVES

SAY = '{"type": "chat", "text": "{text}"}'


def test_words_that_were_seen_come_first() -> None:
    assert namings(["login", "action"])[0].kind == "login"
    assert json.loads(namings(["login"])[0].template)["username"] == "{name}"
    assert sayings(["chat"])[0].template.count("{text}") == 5


def test_the_key_of_what_is_said_is_needed_and_a_kind_that_was_seen_is_kept() -> None:
    fewer = dict(smaller(sayings([])[0], []))
    assert fewer["kinds"][0].kinds == ()
    assert fewer["texts"][0].texts != ()
    assert dict(smaller(sayings(["type"])[0], ["type"]))["kinds"][0].kinds == ("type",)


def test_a_saying_has_relatives_of_other_kinds() -> None:
    assert json.loads(relatives(SAY, LEAVES)[0]) == {"type": "leave", "text": ""}
    assert json.loads(whispers(SAY, ("to",))[0]) == {"type": "private", "text": "{text}", "to": "{to}"}
    assert relatives('{"text": "{text}"}', LEAVES) == relatives("MSG {text}", LEAVES) == []
