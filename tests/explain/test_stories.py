from __future__ import annotations

from harness import registry
from harness.explain.stories import STORIES, story


def test_every_story_in_portuguese_is_that_of_a_scenario() -> None:
    scenarios = {name.partition("[")[0] for name in registry.load()}
    assert set(STORIES) <= scenarios
    assert len(scenarios - set(STORIES)) < len(scenarios) / 4


def test_a_story_without_a_translation_stays_english() -> None:
    assert story("mine/own[x]", "Somebody comes.", "pt-BR") == "Somebody comes."
    assert story("disconnect/all-vanish[fin]", "Six connections end.", "en") == "Six connections end."
    assert story("disconnect/all-vanish[fin]", "-", "pt-BR").startswith("Seis conexões")
