"""The profile: each key of [dialect] does what it says, and a wrong one is told by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.config import Config, ConfigError, load, load_profile
from harness.dialect import ChunkFraming, LineFraming, Profile
from harness.dialect.builtin import KNOWN
from harness.dialect.profile import fill

DOCS = Path(__file__).parents[2] / "docs"


def test_the_published_schema_is_that_of_the_configuration() -> None:
    published = json.loads((DOCS / "harness.schema.json").read_text(encoding="utf-8"))
    assert published == Config.model_json_schema()


def test_every_key_is_explained_with_an_example() -> None:
    text = (DOCS / "dialects.md").read_text(encoding="utf-8")
    missing = [key for key in Profile.model_fields if f"### `{key}`" not in text]
    assert missing == []


def test_every_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    text = (DOCS / "dialects.md").read_text(encoding="utf-8")
    examples = [part.split("```")[0] for part in text.split("```toml\n")[1:]]
    assert len(examples) >= len(Profile.model_fields)
    for number, example in enumerate(examples):
        file = tmp_path / f"harness{number}.toml"
        file.write_text(example if example.startswith("[") else f"[dialect]\n{example}", encoding="utf-8")
        assert load(file).dialect is not None, example


def test_the_defaults_are_the_simplest_chat_there_is() -> None:
    profile = Profile()
    assert (profile.named, profile.must_log_in) == (False, False)
    assert profile.speak("hello", "ana") == "hello"
    assert isinstance(profile.sending(), LineFraming)
    assert profile.sending().encode(b"hi") == b"hi\n"


# -- key by key ------------------------------------------------------------------------------------------------------


def test_framing_may_differ_for_the_two_directions() -> None:
    profile = Profile(framing={"send": "chunk", "receive": "line"})
    assert isinstance(profile.sending(), ChunkFraming)
    assert isinstance(profile.receiving(), LineFraming)
    assert profile.framing_name("send") == "chunk"
    assert Profile(framing={"send": "chunk"}).framing_name("receive") == "line"


@pytest.mark.parametrize(
    ("framing", "newline", "sent"),
    [("line", None, b"hi\n"), ("line", "\r\n", b"hi\r\n"), ("chunk", None, b"hi"), ("chunk", "\n", b"hi\n")],
)
def test_newline_ends_what_is_sent(framing: Any, newline: str | None, sent: bytes) -> None:
    assert Profile(framing=framing, newline=newline).sending().encode(b"hi") == sent


def test_login_and_auto_say_who_is_in_the_room() -> None:
    step = {"expect": "name", "send": "{name}", "refused": "taken", "optional": True}
    assert Profile.model_validate({"login": [step]}).must_log_in
    assert Profile.model_validate({"login": [step]}).named
    given = Profile.model_validate({"login": [step], "auto": True})
    assert (given.named, given.must_log_in) == (True, False)
    assert not Profile.model_validate({"login": [{"expect": "hello"}]}).must_log_in


def test_a_login_without_a_name_is_one_all_the_same() -> None:
    profile = Profile.model_validate({"login": [{"send": "JOIN"}]})
    assert (profile.named, profile.must_log_in) == (False, True)


def test_say_wraps_the_words() -> None:
    profile = Profile(say='{"from": "{name}", "text": "{text}", "more": {}}')
    assert profile.speak("hello", "ana") == '{"from": "ana", "text": "hello", "more": {}}'


@pytest.mark.parametrize(
    ("say", "commanded"),
    [
        ("{text}", False), ("{name}: {text}", False), ("> {text}", False), ("/msg {text}", True), ("MSG|{name}|{text}", True),
        ('{"type": "msg", "text": "{text}"}', True),
    ],
)  # fmt: skip
def test_a_word_of_command_before_the_words_is_known(say: str, commanded: bool) -> None:
    assert Profile(say=say).commanded is commanded


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    assert fill("{name}: {text}", name="{text}", text="hi") == "{text}: hi"
    assert fill("{to} {token} {other}", to="bia") == "bia {token} {other}"


def test_the_json_of_a_profile_shows_what_differs() -> None:
    shown = Profile(leave="/quit", idle=30).to_json()
    assert shown == {"framing": "line", "leave": "/quit", "idle": 30.0}
    json.dumps(KNOWN["reference"].to_json())


@pytest.mark.parametrize("name", ["reference", "original", "patched"])
def test_the_documented_servers_are_known(name: str) -> None:
    profile = KNOWN[name]
    assert profile.name == name
    assert profile.leave == "/quit"
    assert profile.auto


# -- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "key", "words"),
    [
        ({"frame": "line"}, "frame", "Extra inputs"),
        ({"framing": "word"}, "framing", "'line', 'chunk'"),
        ({"framing": {"both": "line"}}, "framing", "'send' or 'receive'"),
        ({"encoding": "latin-1"}, "encoding", "'utf-8' or 'ascii'"),
        ({"login": [{"wait": "name"}]}, "login", "Extra inputs"),
        ({"login": "name"}, "login", "tuple"),
        ({"attributes": "me"}, "attributes", "'server' or 'client'"),
        ({"echo": "maybe"}, "echo", "boolean"),
        ({"notices": {"enter": "x"}}, "notices", "Extra inputs"),
        ({"duplicates": "kicked"}, "duplicates", "'refused'"),
        ({"max_clients": 0}, "max_clients", "greater than or equal to 1"),
        ({"max_message": -1}, "max_message", "greater than or equal to 1"),
        ({"names": {"max": 0}}, "names", "greater than or equal to 1"),
        ({"pause": 9}, "pause", "less than or equal to 5"),
        ({"idle": 0}, "idle", "greater than 0"),
        ({"keepalive": {"expect": "PING"}}, "keepalive", "Field required"),
        ({"resume": {"token": "(a)(b)", "send": "x"}}, "resume", "exactly one group"),
        ({"resume": {"token": "abc", "send": "x"}}, "resume", "exactly one group"),
        ({"resume": {"token": "(", "send": "x"}}, "resume", "not a regular expression"),
    ],
)
def test_a_wrong_value_is_told_by_its_key(wrong: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Profile.model_validate(wrong)
    first = caught.value.errors()[0]
    assert first["loc"][0] == key
    assert words in str(caught.value)


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Profile().leave = "/quit"  # type: ignore[misc]


def test_an_error_in_a_file_names_the_file_the_line_and_the_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('framing = "line"\nleave = "/quit"\nidle = -3\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml, line 3: idle: "):
        load_profile(file)


def test_a_dialect_file_may_have_its_table_or_not(tmp_path: Path) -> None:
    for text in ('leave = "/quit"\n', '[dialect]\nleave = "/quit"\n'):
        file = tmp_path / "mine.toml"
        file.write_text(text, encoding="utf-8")
        profile = load_profile(file)
        assert (profile.name, profile.leave) == ("mine", "/quit")
