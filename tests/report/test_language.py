from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness.report
from harness.language import PORTUGUESE, Language, choose
from harness.report import files, summary, text

ROOM = Path(harness.report.__file__).parent


@pytest.mark.parametrize(
    ("option", "environ", "code"),
    [
        ("en", {"LANG": "pt_BR.UTF-8"}, "en"),
        ("pt-BR", {}, "pt-BR"),
        ("pt_BR", {}, "pt-BR"),
        ("pt", {}, "pt-BR"),
        (None, {}, "en"),
        (None, {"LANG": "pt_BR.UTF-8"}, "pt-BR"),
        (None, {"LANG": "pt_PT@euro"}, "pt-BR"),
        (None, {"LC_ALL": "en_US.UTF-8", "LANG": "pt_BR.UTF-8"}, "en"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "pt_BR", "LANG": "en_US"}, "pt-BR"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, {"LANGUAGE": "de:pt:en", "LANG": "en_US.UTF-8"}, "pt-BR"),
        (None, {"LANGUAGE": "pt", "LANG": "C.UTF-8"}, "en"),
        (None, {"LANG": "C"}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_locale_s(
    option: str | None, environ: dict[str, str], code: str
) -> None:
    assert choose(option, environ) == code


def test_a_language_that_is_not_spoken_is_said() -> None:
    with pytest.raises(ValueError, match="'klingon'; --lang takes en or pt-BR"):
        choose("klingon", {})


def test_numbers_follow_the_language() -> None:
    assert Language("pt-BR").seconds(1.25) == "1,2 s"
    assert Language("en").seconds(0.0421) == "42 ms"
    assert Language("en").seconds(0) == "0.0 s"


def _fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("sentence", PORTUGUESE)
def test_a_translation_fills_in_the_same_values(sentence: str) -> None:
    assert _fields(sentence) == _fields(PORTUGUESE[sentence])


def test_no_two_sentences_share_a_translation() -> None:
    assert len(set(PORTUGUESE.values())) == len(PORTUGUESE)


def _said() -> Iterator[str]:
    """Every sentence that the reports say as a literal."""
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _speaks(node.func):
                yield from (
                    one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )


def _speaks(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute) and called.attr == "plural":
        return True
    return (isinstance(called, ast.Name) and called.id == "say") or (
        isinstance(called, ast.Attribute) and called.attr == "_say"
    )


def test_every_fixed_sentence_of_the_reports_is_translated() -> None:
    said = set(_said())
    assert len(said) > 40
    said |= set(summary.WORD.values()) | set(files._WHY.values())
    said |= {sentence for pair in text.DOCUMENTED.values() for sentence in pair}
    assert said - set(PORTUGUESE) == set()
