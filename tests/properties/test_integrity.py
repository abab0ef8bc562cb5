"""What TCP cut or joined, and the server did not put together again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.history import Ended, Flooded, Heard, Noticed, Sample, ServerEvent, Volume

from .histories import Story, ordinary


def thrown_out(*, stopped_s: float | None = None, segments: int = 2) -> Story:
    """Dora says something in two segments: the first is taken for all, and her connection is ended over the second."""
    story = ordinary().at(4.0)
    dora = story.join("dora", counts=False)
    said = story.at(4.1).says(dora, "a message that takes its time", to=story.here, heard=(), segments=segments)
    stump = story.shown(dora, said.text)[:-20]
    for conn in said.expects:
        story.add(Noticed(at_s=4.12, conn=conn, unit=stump))
    story.add(Ended(at_s=4.13, conn=dora, how="fin"))
    if stopped_s is not None:
        story.add(ServerEvent(at_s=stopped_s, what="signal", asked=True, detail="SIGTERM"))
    return story


def test_whoever_is_thrown_out_over_the_second_half_of_a_message_was_cut() -> None:
    failing = thrown_out().failing()
    assert {"intact", "delivers"} <= set(failing)
    assert "the connection was ended over the rest" in str(failing["intact"])


def test_that_a_quick_play_is_soon_over_excuses_no_dropped_client() -> None:
    assert {"intact", "delivers"} <= set(thrown_out(stopped_s=4.6).failing())


def test_one_who_was_ended_by_a_stop_is_not_blamed() -> None:
    assert not {"intact", "delivers"} & set(thrown_out(stopped_s=4.129).failing())


def test_a_kill_is_told_when_it_is_over_and_what_it_ended_is_not_blamed() -> None:
    story = thrown_out(segments=1)
    story.add(ServerEvent(at_s=4.3, what="killed", asked=True, detail="SIGKILL"))
    assert "delivers" not in story.failing()


def test_one_to_whom_a_flood_was_passed_on_as_messages_may_be_dropped_and_is_not_blamed() -> None:
    def flooded(received: int) -> set[str]:
        story = thrown_out(segments=1)
        before = story.find(Sample, label="before")[0]
        story.add(replace(before, at_s=4.05, label="flood-begin"))
        story.add(
            Flooded(at_s=4.5, conn=story.conns["caio"], offered=64 << 20, taken=64 << 20, what="a line without an end")
        )
        story.add(Volume(at_s=4.6, conn=story.conns["dora"], received=received, sent=100))
        return set(story.failing())

    assert "delivers" not in flooded(5 << 20)
    assert "delivers" in flooded(900)


def joined(*, heard: bool) -> Story:
    """Three messages in one segment, of which the last two arrive or do not."""
    story = ordinary().at(4.0)
    for number in range(3):
        story.says("caio", f"quick {number}", joined=3, heard=heard or number == 0)
    story.says("caio", "alone")
    return story


def test_what_is_lost_for_sharing_a_segment_did_not_arrive_as_it_was_sent() -> None:
    assert joined(heard=True).judged(aims=("intact",))["intact"].outcome == "pass"
    judged = joined(heard=False).judged(aims=("intact",))
    assert judged["intact"].outcome == judged["delivers"].outcome == "fail"
    assert "together with 2 others" in str(judged["intact"].reason)


def test_a_loss_in_a_scenario_about_something_else_is_not_blamed_on_the_segment() -> None:
    judged = joined(heard=False).judged(aims=("delivers",))
    assert judged["intact"].outcome == "pass"
    assert judged["delivers"].outcome == "fail"


FAMILY = "a family 👩‍👩‍👧 and a flag 🏳️‍🌈 here"


def shown_as(words: str) -> Story:
    """Somebody says FAMILY, and all the others are shown these words."""
    story = ordinary().at(4.0)
    speaker = story.here[0]
    said = story.says(speaker, FAMILY, to=story.here)
    for heard in story.find(Heard, token=said.token):
        story.change(heard, unit=heard.unit.replace(FAMILY.encode(), words.encode()))
    return story


@pytest.mark.parametrize("mark", ["", " ", "?", "\N{REPLACEMENT CHARACTER}"])
def test_one_that_lets_only_printable_characters_through_is_not_blamed(mark: str) -> None:
    story = shown_as(FAMILY.replace("\N{ZERO WIDTH JOINER}", mark))
    assert "intact" not in story.failing()
    assert story.judged()["intact"].outcome == "warn"


@pytest.mark.parametrize("words", ["a family and a flag here", "a family ??? and a flag ?? here"])
def test_emoji_that_are_taken_out_are_missed(words: str) -> None:
    assert "intact" in shown_as(words).failing()
