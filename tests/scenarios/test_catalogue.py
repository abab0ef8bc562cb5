"""The catalogue of scenarios: what is there, and what each one must say about itself."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from harness.properties import IDS
from harness.registry import FAMILIES, Scenario, load
from harness.results import LEVELS

KNOWN = load()
ID = re.compile(r"^[a-z]+/[a-z0-9-]+(\[[^\]]*\])?$")
PROMISED = (
    "refused/no-listener", "refused/stopped", "refused/back-again", "refused/killed", "refused/proxy-down",
    "refused/upstream-down", "refused/backlog", "refused/full", "refused/no-descriptors", "refused/frozen",
    "disconnect/abrupt", "disconnect/reset-after-login", "malformed/random-bytes",
)  # fmt: skip
every = pytest.mark.parametrize("item", KNOWN.values(), ids=KNOWN.keys())


def test_there_are_many() -> None:
    assert len(KNOWN) >= 150
    assert {item.family for item in KNOWN.values()} == set(FAMILIES)


@pytest.mark.parametrize("name", PROMISED)
def test_promised_ids_exist(name: str) -> None:
    assert name in KNOWN


def test_the_documented_tests_come_first_under_their_documented_titles() -> None:
    first = list(KNOWN.values())[:3]
    assert [item.documented for item in first] == [1, 2, 3]
    assert [item.titles["pt-BR"] for item in first] == ["Conexão recusada", "Desconexão súbita", "Dados malformados"]
    assert [item.titles["en"] for item in first] == ["Connection refused", "Sudden disconnection", "Malformed data"]
    assert all(item.level == "essential" for item in first)


def test_each_level_has_its_share() -> None:
    count = {level: sum(item.level == level for item in KNOWN.values()) for level in LEVELS}
    assert 12 <= count["essential"] <= 18
    assert count["robust"] > count["hardened"] > count["essential"]


@every
def test_a_scenario_has_an_id_two_titles_and_a_story(item: Scenario) -> None:
    assert ID.match(item.id)
    assert item.id.startswith(f"{item.family}/")
    assert set(item.titles) == {"en", "pt-BR"}
    assert item.titles["en"] != item.titles["pt-BR"]
    assert all("{" not in title and title == title.strip() for title in item.titles.values())
    assert len(item.story.split()) >= 15


@every
def test_a_scenario_aims_at_properties_that_exist(item: Scenario) -> None:
    assert item.aims
    assert set(item.aims) <= set(IDS)


@every
def test_a_scenario_is_short_enough_to_be_read(item: Scenario) -> None:
    body = inspect.getsource(item.body).split('"""')[-1]
    assert len(body.strip().splitlines()) <= 24


def test_titles_tell_scenarios_apart() -> None:
    for language in ("en", "pt-BR"):
        titles = [item.titles[language] for item in KNOWN.values()]
        assert len(titles) == len(set(titles))


def test_what_needs_a_line_says_so() -> None:
    for item in KNOWN.values():
        assert ("room.line(" in item.source) == item.proxy, item.id


def test_what_ends_the_server_is_not_done_twice_and_needs_its_process() -> None:
    for item in KNOWN.values():
        if re.search(r"stage\.(stop|kill)\(|await stop\(", item.source):
            assert not item.again, item.id
            assert "process" in item.needs, item.id


SENDING = ("send", "send_line", "command")


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("scenarios/*.py")), ids=lambda path: path.stem)
def test_whoever_is_cut_off_before_it_speaks_costs_no_verdict(path: Path) -> None:
    """A server may end a connection at any time: what raises then is caught, or the whole play would be an error."""
    tree = ast.parse(path.read_text("utf-8"))
    guarded = {
        inner
        for node in ast.walk(tree)
        if (isinstance(node, ast.With) and "suppress(OSError)" in ast.unparse(node.items[0]))
        or (isinstance(node, ast.Try) and any("OSError" in ast.unparse(h.type or h) for h in node.handlers))
        for inner in ast.walk(node)
    }
    sent = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDING
    ]
    assert [ast.unparse(call) for call in sent if call not in guarded] == []
