"""What stands in front of messages in a quiet run: the speaker's name, somebody else's, a listener's prompt."""

from __future__ import annotations

from harness.engine.attribution import template_in_front
from harness.history import Heard, Record, Said

NAMES = {1: "ana", 2: "bia", 3: "caio"}


def told(*messages: tuple[int, dict[int, str]]) -> list[Record]:
    """Messages: the speaker, and what each listener was shown in front of the words."""
    records: list[Record] = []
    for number, (speaker, fronts) in enumerate(messages):
        text = f"message {number}"
        records.append(Said(at_s=number, op=number, conn=speaker, token=f"t{number}", text=text.encode()))
        records += [
            Heard(at_s=number + 0.1, conn=conn, token=f"t{number}", unit=f"{front}{text}".encode())
            for conn, front in fronts.items()
        ]
    return records


def test_the_speakers_name_is_masked() -> None:
    records = told((1, {2: "[10:31] <ana> ", 3: "[10:31] <ana> "}), (2, {1: "[10:32] <bia> "}))
    assert template_in_front(records, NAMES, [1, 2]) == "[#] <{name}> "


def test_what_is_different_for_each_is_no_template() -> None:
    assert template_in_front(told((1, {2: "ana: "}), (2, {1: "(bia) "})), NAMES, [1, 2]) is None
    assert template_in_front(told((1, {2: ""}), (2, {1: ""})), NAMES, [1, 2]) is None


def test_a_server_that_speaks_in_the_name_of_whoever_came_last_does_put_a_name_in_front() -> None:
    records = told((2, {1: "bia: "}), (1, {2: "bia: "}), (3, {1: "caio: "}), (1, {2: "caio: ", 3: "caio: "}))
    assert template_in_front(records, NAMES, [1, 2]) == "{name}: "


def test_a_prompt_with_the_listeners_own_name_is_not_blamed() -> None:
    records = told((1, {2: "bia> ", 3: "caio> "}), (2, {1: "ana> ", 3: "caio> "}))
    assert template_in_front(records, NAMES, [1, 2]) is None


def test_a_prompt_of_each_listener_before_the_speakers_name_is_not_blamed() -> None:
    records = told((1, {2: "bia> ana: ", 3: "caio> ana: "}), (2, {1: "ana> bia: ", 3: "caio> bia: "}))
    assert template_in_front(records, NAMES, [1, 2]) is None
