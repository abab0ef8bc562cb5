"""Words that tell nothing, said by one who may be lost: what comes of them tells what they are. No server is needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from harness.dialect.hypotheses import unknown_words
from harness.engine.guests import Guest
from harness.engine.trying import Tried, tried


@dataclass
class Someone:
    """A guest that is made up."""

    name: str
    new: bytes = b""
    ended: str | None = None
    gone: list[bool] = field(default_factory=list)

    def go(self) -> None:
        self.gone.append(True)


def found(words: list[str], room: dict[str, str], *, places: int = 9) -> Tried:
    """`room`: what each word does: "ends", "lists", "tells" (everybody); others go round as messages."""
    others = [Someone("zelda"), Someone("yuri")]
    came = 0

    async def comes() -> Guest | None:
        nonlocal came
        came += 1
        return cast("Guest", Someone(f"wanda{came}")) if came <= places else None

    async def says(one: Any, word: str) -> bool:
        one.new = b"zelda, yuri, wanda" if room.get(word) in ("lists", "tells") else b""
        for other in others:
            other.new = b"something" if room.get(word) == "tells" else b""
        one.ended = "fin" if room.get(word) == "ends" else None
        return word in room

    async def goes(_: Any) -> None:
        return None

    return asyncio.run(tried(words, cast("list[Guest]", others), comes, says, goes))


@pytest.mark.parametrize(
    ("words", "room", "expected"),
    [
        (["/fin", "/mesa"], {"/fin": "ends", "/mesa": "lists"}, Tried("/mesa", "/fin")),
        (["/mesa", "/x", "/fin", "/ciao"], {"/fin": "ends", "/mesa": "lists", "/ciao": "ends"}, Tried("/mesa", "/fin")),
        (["/nudge"], {"/nudge": "tells"}, Tried()),
        (["/just-words"], {}, Tried()),
    ],
)
def test_what_comes_of_a_word_tells_what_it_is(words: list[str], room: dict[str, str], expected: Tried) -> None:
    assert found(words, room) == expected


def test_where_nobody_can_come_in_nothing_is_tried() -> None:
    assert found(["/fin"], {"/fin": "ends"}, places=0) == Tried()


@pytest.mark.parametrize(
    ("text", "own", "words"),
    [
        ("Siéntate, zelda. Se sale con /fin, /mesa dice quién está.\n", [], ["/fin", "/mesa"]),
        ("OK cabina, say JOIN <name>; then text, TELL, WHO, PART\n", ["JOIN"], ["TELL", "WHO", "PART"]),
        ("OK cabina, say JOIN <name>; then text, TELL, WHO, PART\n", ["/join"], []),
        ("** welcome! /name NAME, /stalls, /quit\n", ["/name"], ["/stalls", "/quit"]),
        (".quem  .salas  .ir SALA  .sair\r\n", [], [".quem", ".salas", ".ir", ".sair"]),
        ("/stop /kick /shutdown .fechar !ban", [], []),
        ("see http://a.b/c or /tmp/x.txt and/or 10/20 :/ ok... a.b", [], []),
    ],
)
def test_words_that_a_text_shows_without_saying_what_they_do(text: str, own: list[str], words: list[str]) -> None:
    assert unknown_words(text, own) == words
