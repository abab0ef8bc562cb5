"""What judges and scenarios write has its Portuguese: read out of their own source, so that none is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.language import Language
from harness.sentences import FORMS, in_portuguese

ROOT = Path(__file__).parents[2]
#: Calls whose words a reader of a report sees.
MAKERS = ("failed", "passed", "warned", "skipped", "unclear", "step", "skip", "Untellable")
#: Made of parts that are in the table by themselves.
COMPOSED = (
    "{} s",
    "{}: {} KiB; {}",
    "{} ({})",
    "{} grow with every client that left: {}",
    "{} at rest",
    "{} {} in CLOSE_WAIT: the clients have closed, the server never does ({})",
    "{} before, {} after; in other scenarios of this run they were seen to grow with every client that left",
)
#: Not sentences: payload names, and what a rare caller fills in.
NOT_TOLD = re.compile(r"^\W*$")


def template(node: ast.expr) -> str | None:
    """A string or f-string as a form with `{}` for its gaps."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, two = template(left), template(right)
            return None if one is None and two is None else f"{one or '{}'}{two or '{}'}"
        case ast.IfExp(body=body):
            return template(body)
        case _:
            return None


def sentences(path: Path) -> Iterator[str]:
    """Every form that this module gives to a maker of judgements or steps."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in MAKERS:
            continue
        given = [*call.args, *(key.value for key in call.keywords if key.arg in ("expected", "observed", "reason"))]
        for argument in given:
            form = template(argument)
            if form and " " in form and not NOT_TOLD.match(form):
                yield form


def sources() -> list[Path]:
    folders = [
        ROOT / "harness/properties",
        ROOT / "scenarios",
        *(ROOT / f"harness/evidence/repro{sub}" for sub in ("", "/looks")),
    ]
    single = ["room", "stage", "aftermath", "flood", "line"]
    return [p for folder in folders for p in sorted(folder.glob("*.py"))] + [ROOT / f"harness/{n}.py" for n in single]


def translated(form: str) -> bool:
    """Whether the form is in the table, or a sentence of this form is translated."""
    sample = re.sub(r"\{\}", "7", form)
    return form in COMPOSED or form.replace("{}", "{*}") in FORMS or in_portuguese(sample) != sample


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.stem)
def test_every_sentence_has_its_portuguese(path: Path) -> None:
    assert [form for form in sentences(path) if not translated(form)] == []


def test_gaps_keep_what_stands_in_them() -> None:
    told = (
        "3 of 12 deliveries were lost; the first: ana said 'oi {0} <b>' at 0.28 s, bia was connected and never heard it"
    )
    assert in_portuguese(told) == (
        "3 de 12 entregas se perderam; a primeira: ana disse 'oi {0} <b>' em 0,28 s, bia estava conectado e nunca ouviu"
    )


def test_a_clause_is_translated_too() -> None:
    told = "after the fault, while the others were there, the fresh client nina could not log in (in 1 of 3 runs)"
    assert in_portuguese(told) == (
        "depois da falha, enquanto os outros estavam lá, o cliente novo nina não conseguiu entrar (em 1 de 3 execuções)"
    )


def test_the_form_that_begins_with_a_word_comes_first() -> None:
    told = (
        "threads grow with every client that left: 1 before, 17 after the fault, then 34, 49, 64 as it was done again"
    )
    assert in_portuguese(told) == (
        "as threads crescem a cada cliente que sai: 1 antes, 17 depois da falha, depois 34, 49, 64 quando tudo foi repetido"
    )


def test_what_is_not_in_the_table_stays() -> None:
    assert in_portuguese("something that nobody has foreseen") == "something that nobody has foreseen"
    assert Language("en").sentence("connects") == "connects"
    assert Language("pt-BR").sentence("connects") == "conecta"


def test_each_form_keeps_every_gap() -> None:
    for english, portuguese in FORMS.items():
        gaps = len(re.findall(r"\{\*?\}", english))
        assert sorted(re.findall(r"\{(\d)\}", portuguese)) == [str(n) for n in range(gaps)], english


@pytest.mark.parametrize(("english", "portuguese"), [
    ("the server ended by itself, killed by SIGPIPE (in 2 of 3 runs)",
     "o servidor encerrou sozinho, morto por SIGPIPE (em 2 de 3 execuções)"),
    ("1 thread at rest", "1 thread em repouso"),
    ("15 open files and sockets", "15 arquivos e sockets abertos"),
    ("1 connection stays in CLOSE_WAIT: the clients have closed, the server never does (ana)",
     "1 conexão fica em CLOSE_WAIT: os clientes fecharam, o servidor nunca fecha (ana)"),
    ("4 threads before, 9 after; in other scenarios of this run they were seen to grow with every client that left",
     "4 threads antes, 9 depois; em outros cenários desta execução foram vistos crescer a cada cliente que sai"),
])  # fmt: skip
def test_numbers_and_how_often_are_told_in_portuguese(english: str, portuguese: str) -> None:
    assert in_portuguese(english) == portuguese
