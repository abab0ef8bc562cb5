"""What nobody said: the rest of an older message, shown once more."""

from __future__ import annotations

from .histories import ordinary


def test_a_copy_without_its_front_is_a_remnant_and_no_second_delivery() -> None:
    story = ordinary().at(4.0)
    old = story.says("ana", "a message that is long enough")
    story.hears(story.conns["caio"], old, unit=b"[dora] hi" + old.text[9:], after=0.5)
    judged = story.judged()
    assert judged["genuine"].outcome == "fail"
    assert "the rest of an older message" in str(judged["genuine"].reason)
    assert judged["once"].outcome == "pass"


def test_a_whole_copy_is_a_second_delivery_and_no_remnant() -> None:
    story = ordinary().at(4.0)
    old = story.says("ana", "a message that is long enough")
    story.hears(story.conns["caio"], old, after=0.5)
    judged = story.judged()
    assert judged["once"].outcome == "fail"
    assert judged["genuine"].outcome == "pass"


def short_behind_long(times: int, *, tail: int | None = None) -> dict[str, str]:
    """A long message, then shorter ones; behind each of them stands the end of the long one."""
    story = ordinary(named=False, login=False).at(4.0)
    long = story.says("ana", "a message that is long enough").text
    for number in range(times):
        words = f"hi {number}"
        left = len(long) - len(words) - 12 if tail is None else tail
        story.says("ana", words, unit=lambda _, text, left=left: text + long[-left:])  # type: ignore[misc]
    return {key: judgement.outcome for key, judgement in story.judged().items()}


def test_the_end_of_an_older_message_behind_each_shorter_one_is_a_remnant() -> None:
    assert short_behind_long(4)["genuine"] == "fail"


def test_what_a_server_puts_behind_every_message_is_not_blamed() -> None:
    assert short_behind_long(4, tail=3)["genuine"] == "pass"
    assert short_behind_long(2)["genuine"] == "pass"
