"""What a text says of the objects of a JSON chat."""

from __future__ import annotations

import json

import pytest

from harness.dialect.json_keys import namings, sayings
from harness.dialect.json_words import ENGLISH, OTHERS, examples, read, spoken

COME, SAY = '{"op": "enter", "who": "{name}"}', '{"op": "say", "body": "{text}"}'


@pytest.mark.parametrize(
    "text",
    [
        '# first {"op": "enter", "who": "Ana"}, then {"op": "say", "body": "hi"}; answers {"op": "error", "reason": "no"}',
        r'{"op":"hello","help":"first {\\"op\\":\\"enter\\",\\"who\\":\\"you\\"} then {\\"op\\":\\"say\\",\\"body\\":\\"x\\"}"}',
        "// { op: 'enter', who: 'Ana' }  { op: 'say', body: 'hi' }  { op: 'said', who: 'Ana', body: 'hi' }",
    ],
)
def test_an_example_is_a_whole_object(text: str) -> None:
    assert examples(text)[0] == (COME, SAY)


def test_objects_without_a_kind_are_examples_too() -> None:
    assert examples('{"nick": "Ana"} and then {"text": "hello"}') == (('{"nick": "{name}"}', '{"text": "{text}"}'),)


def test_what_only_a_server_says_is_no_example() -> None:
    assert examples('{"tipo": "erro", "motivo": "nao"}') == ()


def test_a_source_in_another_language_names_its_words() -> None:
    found = read("""
        p = json.loads(linea)
        if p.get('op') == 'entrar': alta(p.get('nombre'))
        elif p.get('op') == 'decir': todos(p['texto'])
    """)
    assert found.namings[0] == '{"op": "entrar", "nombre": "{name}"}'
    assert found.sayings[0] == '{"op": "decir", "texto": "{text}"}'


def test_words_that_are_usual_nowhere_are_tried_where_none_other_is_named() -> None:
    found = read(
        "const m = JSON.parse(l); switch (m.verb) { case 'sit': sit(m.guest); break; case 'shout': all(m.words) }"
    )
    assert {"verb", "guest", "words", "sit", "shout"} <= set(found.words)


@pytest.mark.parametrize(
    "text",
    [
        '{"event": "welcome", "ops": ["hello{nick}", "chirp{body}"]}; op = json.loads(line); op["op"], op["nick"], op["body"]',
        "def on_hello(op):\n    op['op'], op['nick']\ndef on_chirp(op):\n    op['body']\n",
        "const m = JSON.parse(l); table[m.op](u, m)\n  hello(u, m) {\n    m.nick\n  chirp(u, m) {\n    m.body\n",
    ],
)
def test_kinds_in_a_list_or_a_table_of_functions_are_named(text: str) -> None:
    found = read(text)
    assert '{"op": "hello", "nick": "{name}"}' in found.namings
    assert '{"op": "chirp", "body": "{text}"}' in found.sayings


def test_a_refusal_names_what_it_waits_for() -> None:
    assert "entrar" in spoken('{"evento": "erro", "motivo": "primeiro entrar"}').words
    assert namings(spoken('{"op": "error", "reason": "please login"}').words)[0].kind == "login"


def test_another_language_is_tried_once_a_word_of_it_was_seen() -> None:
    assert set(namings([])[0].names) == set(ENGLISH["names"])
    assert set(OTHERS["names"]) <= set(namings(["mensagem"])[0].names)
    assert sayings(["mensagem"])[0].kind == "mensagem"


def test_one_object_with_every_english_word_fits_one_small_read() -> None:
    assert max(len(shape.template) for shape in sayings([])) < 900


def test_the_words_of_the_server_stand_before_those_of_its_source() -> None:
    both = spoken('{"tipo": "ola", "texto": "x"}').before(
        read('{"op": "enter", "who": "a"} {"op": "say", "body": "b"}')
    )
    assert both.words[0] == "tipo"
    assert both.likeliest == (COME, SAY)
    assert json.loads(read("").likeliest[0])["name"] == "{name}"
