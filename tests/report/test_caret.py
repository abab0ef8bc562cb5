"""Where the caret stands, and where it does not: under the first wrong byte, and under no right one."""

from __future__ import annotations

import re

import pytest

from harness.properties.quoting import quote
from harness.report.caret import first_wrong, quotation
from harness.results import Judgement

MARK = "xq0a001wxyz"
OTHER = "xq0b002abcd"
SAID = f"{MARK} olá, bom dia"


@pytest.mark.parametrize(("expected", "observed", "at"), [
    ("hello", "hello", None), ("hello", "help", 3), ("hello", "hell", 4), ("hello", "hello!", 5), ("hello", "jello", 0),
    ("user#!", "user123!", None), ("user#!", "user!", 4), ("hi {name}!", "hi ana!", None), ("hi {name}!", "hi ", 3),
    ("(a+)+", "(a+)+", None),
])  # fmt: skip
def test_the_caret_stands_under_the_first_that_differs(expected: str, observed: str, at: int | None) -> None:
    assert first_wrong(expected, observed) == at


def _pointed(prop: str, reason: str, expected: str, observed: bytes, shape: str = "") -> str | None:
    """What stands at the caret and behind it."""
    told = quotation(Judgement(prop, "fail", reason, expected, quote(observed), shape))
    return told.observed[told.at :] if told.observed is not None and told.at is not None else None


@pytest.mark.parametrize(("shown", "shape", "pointed"), [
    (f"<ana> {MARK} olá, bom d!a", "changed", "!a"),
    (f"[12:01] ana: {MARK} olá, bom", "changed", ""),
    (f"<ana> {MARK} OLÁ, BOM DIA\n", "changed", "OL\\xc1, BOM DIA\\n"),
    (f"<ana> {MARK} ol\xe1, bom dia\r\n{OTHER} tchau", "joined", f"{OTHER} tchau"),
    (f"<ana> {MARK} ol | á, bom dia", "cut", " | á, bom dia"),
    ("<ana> olá, bom dia", "changed", None),
    (f"<ana> {SAID}\n", "changed", None),
    (f"<ana> {'x' * 130} {SAID}", "changed", None),
])  # fmt: skip
def test_a_damaged_message_is_laid_over_what_was_said_at_its_token(shown: str, shape: str, pointed: str | None) -> None:
    assert _pointed("intact", "-", SAID, shown.encode(), shape) == pointed


def test_an_introduction_without_a_part_says_which_and_blames_no_byte() -> None:
    reason = "bia came back and was not shown 'Digite seu nome:' within 0.50 s"
    told = quotation(
        Judgement("welcomes", "fail", reason, "Bem-vindo, {name}! / Digite seu nome: / # online", "Bem-vindo, bia!\\n")
    )
    assert (told.missing, told.at) == ("Digite seu nome:", None)


@pytest.mark.parametrize(("shown", "pointed"), [
    (b"Ol\xc3\xa1\nDigite seu", ""), (b"Ol\xc3\xa1\nDigite seu NOME:\n", "NOME:\\n"), (b"Digital", None), (b"*** ana", None),
])  # fmt: skip
def test_a_part_that_was_begun_has_a_caret_where_it_breaks_off(shown: bytes, pointed: str | None) -> None:
    reason = "bia, a newcomer, was not shown 'Digite seu nome:' within 0.50 s"
    assert _pointed("welcomes", reason, "Digite seu nome:", shown) == pointed


def test_a_long_part_is_told_whole() -> None:
    part = "Bem-vindo ao servidor de conversas da turma, escreva /ajuda para saber o que ele pode fazer por você"
    reason = f"bia came back and was not shown {quote(part, 80)!r} within 0.50 s"
    assert quotation(Judgement("welcomes", "fail", reason, f"Nome: / {part}", "-")).missing == part
    assert quotation(Judgement("welcomes", "fail", reason, part, "-")).missing == ""


@pytest.mark.parametrize(("prop", "shape", "reason", "observed", "pointed"), [
    ("once", "twice", "-", f"{SAID} | {SAID}", SAID),
    ("ordered", "overtaken", f"bia heard '{SAID}' of ana after '{OTHER} x', which …", f"<ana> {SAID}", SAID),
    ("private", "leaked", "what ana whispered to bia was shown to caio", f"*ana* {SAID}", SAID),
    ("genuine", "unsaid", "bia was shown a message that nobody sent", f"<ana> {OTHER} x", f"{OTHER} x"),
    ("genuine", "forged", "bia was shown a line in the name of caio that ana wrote", f"ana: hi\\ncaio: {SAID}", f"caio: {SAID}"),
    ("genuine", "forged", "bia was shown a line in the name of caio that ana wrote", f"caio: {SAID}", f"caio: {SAID}"),
    ("identity", "misattributed", "what ana said was shown as 'caio'", f"<caio> {SAID}", f"caio> {SAID}"),
    ("identity", "misattributed", "what ana said was shown as 'caio'", f"<caio> caio {SAID}", None),
    ("admits", "overheard", "zoe had not joined and was shown what ana said", f"<ana> {SAID}", SAID),
    ("admits", "announced", "the room was told about 'None', who never joined", "None saiu", "None saiu"),
    ("discreet", "internals", "ana was shown the server's internals: Traceback (most recent", "x Traceback (most recent call", "Traceback (most recent call"),
    ("discreet", "internals", "ana was shown the server's internals: Errno 104 (in 2 of 3 runs)", "[Errno 104]", "Errno 104]"),
    ("private", "leaked", "-", f"{SAID} | {OTHER}", None),
    ("threads", "other", "-", "15 threads", None),
])  # fmt: skip
def test_the_offending_words_are_pointed_at_where_they_are_known(
    prop: str, shape: str, reason: str, observed: str, pointed: str | None
) -> None:
    told = quotation(Judgement(prop, "fail", reason, "-", observed, shape))
    assert told.observed == observed
    assert (told.at is not None and observed[told.at :]) == (pointed or False)


def test_nothing_observed_has_no_caret() -> None:
    assert quotation(Judgement("intact", "fail", "-", SAID, None)).at is None


def test_a_quotation_that_was_cut_is_not_blamed_for_its_end() -> None:
    long = f"{MARK} " + "x" * 400
    assert _pointed("intact", "-", quote(long), f"<ana> {long[:-1]}!".encode(), "changed") is None
    assert re.search(r"\(\d+ characters\)$", quote(long))
