from __future__ import annotations

import re
from importlib import resources

import pytest

from harness.explain import ids, page, remedy, sentence
from harness.explain.remedies import REMEDIES
from harness.findings.shapes import BROKEN
from harness.properties import CATALOGUE

from .pages import FENCE, headings, sections

LANGUAGES = {"Python": "python", "Java": "java", "C": "c", "JavaScript": "js", "Go": "go", "Rust": "rust"}
HEADINGS = [
    "## Means",
    "## Why it fails",
    "## See it yourself",
    "## Mend it",
    *(f"### {language}" for language in LANGUAGES),
    "## Em português",
]
#: A few letters that tell Portuguese from English.
PORTUGUESE = re.compile(r"\b(o|a|e|que|quem|não|uma?|de|d[ao]s?|n[ao]s?|em|com|se|por|para)\b")

every_page = pytest.mark.parametrize("id", ids())


def test_every_property_of_the_catalogue_has_a_page_and_in_its_order() -> None:
    judged = [p.id for p in CATALOGUE]
    assert [id for id in ids() if id in judged] == judged
    assert set(ids()) == set(BROKEN)


def test_every_page_that_is_packaged_is_listed() -> None:
    folder = resources.files("harness.explain").joinpath("pages")
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(f"{id}.md" for id in ids())


def test_an_unknown_id_is_a_key_error_and_opens_no_file() -> None:
    for ask in (page, sentence, remedy):
        with pytest.raises(KeyError):
            ask("../remedies")


@every_page
def test_a_page_has_every_heading_in_order(id: str) -> None:
    title, *others = headings(page(id))
    assert re.fullmatch(rf"# {id} — the server [^.]+", title)
    assert re.search(r"\*[a-z]+\*", title), "the verb stands out"
    assert others == HEADINGS


@every_page
def test_no_section_of_a_page_is_empty(id: str) -> None:
    told = sections(page(id))
    assert all(told[heading].strip() for heading in HEADINGS if heading != "## Mend it")
    assert not told["## Mend it"].strip()


@every_page
def test_the_meaning_is_told_in_two_to_five_sentences(id: str) -> None:
    meaning = sections(page(id))["## Means"]
    assert 2 <= len(re.findall(r"[.!?](?=\s|$)", meaning)) <= 5


@every_page
def test_one_to_four_mechanisms_are_named(id: str) -> None:
    paragraphs = sections(page(id))["## Why it fails"].strip().split("\n\n")
    assert 1 <= len(paragraphs) <= 5
    assert all(paragraph.startswith("**") for paragraph in paragraphs)


@every_page
def test_it_can_be_seen_by_hand_on_loopback(id: str) -> None:
    how = sections(page(id))["## See it yourself"]
    assert [language for language, _ in FENCE.findall(how)] == ["sh"]
    assert "5000" in how or "server.log" in how
    assert not re.search(r"\b(?!127\.0\.0\.1)\d+\.\d+\.\d+\.\d+\b", how)


@every_page
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_one_short_snippet_and_at_most_one_sentence(id: str, language: str) -> None:
    told = sections(page(id))[f"### {language}"]
    ((fence, code),) = FENCE.findall(told)
    assert fence == LANGUAGES[language]
    assert 3 <= len([line for line in code.splitlines() if line.strip()]) <= 12
    words = re.sub(r"`[^`]*`", "`", FENCE.sub("", told)).strip()
    assert len(words.split("\n\n")) <= 1
    assert max(map(len, code.splitlines())) <= 120


@every_page
def test_the_portuguese_part_is_short_and_portuguese(id: str) -> None:
    paragraphs = sections(page(id))["## Em português"].strip().split("\n\n")
    assert 2 <= len(paragraphs) <= 4
    assert paragraphs[0].startswith("O servidor ")
    assert paragraphs[0].count("*") == 2
    assert len(PORTUGUESE.findall(" ".join(paragraphs))) >= 20


@every_page
def test_the_sentence_is_one_plain_line_in_both_languages(id: str) -> None:
    english, portuguese = sentence(id), sentence(id, "pt-BR")
    assert english.startswith("the server ")
    assert portuguese.startswith("o servidor ")
    for told in (english, portuguese):
        assert not re.search(r"[*`\n]|\.$", told)
        assert len(told) <= 160


@every_page
def test_the_remedy_is_one_or_two_sentences_on_one_line_in_both_languages(id: str) -> None:
    english, portuguese = remedy(id, "en"), remedy(id, "pt-BR")
    assert english != portuguese
    for told in (english, portuguese):
        assert "\n" not in told
        assert told.endswith(".")
        assert 1 <= len(re.findall(r"\.(?=\s|$)", told)) <= 2
        assert len(told) <= 300


def test_a_language_that_is_not_spoken_gets_english() -> None:
    assert remedy("once", "de") == remedy("once")
    assert sentence("once", "de") == sentence("once")


def test_there_is_no_remedy_for_a_property_that_does_not_exist() -> None:
    assert list(REMEDIES) != []
    assert set(REMEDIES) == set(ids())
