"""What a server may do, and is never failed for: each line of the list, shown to the judges."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import properties
from harness.history import (
    Answered,
    Carried,
    Claimed,
    Ended,
    FirstByte,
    Flooded,
    Heard,
    Introduced,
    Kernel,
    Knocked,
    Left,
    Noticed,
    OpenFailed,
    Output,
    Said,
    Sample,
    ServerEvent,
    Skipped,
    Stream,
    Toxic,
    Volume,
)
from harness.properties import Property, judge
from harness.properties.quoting import failed
from harness.properties.scene import Scene
from harness.results import Judgement

from .histories import RAW, TALKATIVE, Story, ordinary, waited


def none_fails(story: Story, *exercised: str) -> None:
    """Nothing fails, and these were really looked at."""
    judged = story.judged()
    assert story.failing() == {}
    for prop in exercised:
        assert judged[prop].outcome == "pass", judged.get(prop)


# -- echo, decorations, TCP's cuts ---------------------------------------------------------------------------------


TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/chat.py", line 9, in serve\n    x()\n'
NO_ROOM = "socket.accept() out of system resource\nsocket: <asyncio.TransportSocket fd=6>\n"


@pytest.mark.parametrize(
    "printed",
    [
        TRACEBACK + "KeyboardInterrupt\n",
        TRACEBACK
        + "asyncio.exceptions.CancelledError\n\nDuring handling of the above exception, another exception occurred:\n\n"
        + TRACEBACK
        + "KeyboardInterrupt\n",
        (NO_ROOM + TRACEBACK + "OSError: [Errno 24] Too many open files\n") * 2,
    ],
    ids=["ctrl-c", "ctrl-c in asyncio", "asyncio accepts again later"],
)
def test_a_server_that_prints_how_it_was_told_to_end_or_what_its_runtime_handled_is_not_blamed(printed: str) -> None:
    story = ordinary()
    story.add(Output(at_s=3.0, text=printed))
    assert story.judged()["handles"].outcome == "pass"
    story.add(Output(at_s=4.0, text=TRACEBACK + "OSError: [Errno 24] Too many open files\n"))
    assert story.judged()["handles"].outcome == "warn"


def test_an_echo_to_the_sender_is_not_blamed() -> None:
    story = ordinary(echo=True)
    for said in story.find(Said):
        story.hears(said.conn, said)
    none_fails(story, "delivers", "once", "ordered", "identity")


def test_no_echo_is_not_blamed() -> None:
    none_fails(ordinary(echo=False), "delivers", "once")


@pytest.mark.parametrize(
    ("attribution", "shown"),
    [
        ("[{name}] ", b"\x1b[1;32m[ana]\x1b[0m "),
        ("[#] {name}: ", b"[17:04:59] ana: "),
        ("{name} (# PM) > ", b"ana (09:04 PM) > "),
        ("> {name}: ", b"> ana: "),
        ("(#) <{name}> ", b"(12h30) <ana> "),
    ],
)
def test_names_times_and_colours_in_front_are_not_blamed(attribution: str, shown: bytes) -> None:
    story = ordinary(attribution=attribution).at(4.0)
    story.says("ana", to=[story.conns["caio"]], unit=lambda _, text: shown + text)
    none_fails(story, "delivers", "intact", "identity")
    assert Scene(story.history()).attributed_to(shown + b"hello") == "ana"


def test_a_prompt_before_and_a_time_behind_a_message_are_not_blamed() -> None:
    story = ordinary().at(4.0)
    story.says("ana", to=[story.conns["caio"]], unit=lambda _, text: b"> [ana] " + text + b" (12:01)")
    none_fails(story, "delivers", "intact")


def test_blanks_stripped_from_the_ends_of_a_message_are_not_blamed() -> None:
    story = ordinary().at(4.0)
    caio = story.conns["caio"]
    said = story.says("ana", "  two blanks", to=[caio], heard=())
    story.hears(caio, said, unit=b"[ana] " + said.text.strip())
    none_fails(story, "delivers", "intact")


def test_control_bytes_shown_as_something_harmless_are_not_blamed() -> None:
    story = ordinary().at(4.0)
    caio = story.conns["caio"]
    said = story.says("ana", "a\tb\x07", to=[caio], heard=(), exact=False)
    story.hears(caio, said, unit=b"[ana] a b? " + said.token.encode())
    none_fails(story, "intact", "genuine")


def test_two_messages_in_one_read_of_a_server_without_borders_are_not_blamed() -> None:
    story = ordinary(lines=False)
    for heard in story.find(Heard, conn=story.conns["caio"])[:4]:
        story.change(heard, alone=False)
    none_fails(story, "delivers", "once", "intact")


def test_a_message_cut_by_a_server_without_borders_is_only_a_warning() -> None:
    story = ordinary(lines=False).at(4.0)
    caio = story.conns["caio"]
    said = story.says("ana", "in two halves", to=[caio], heard=(), segments=2)
    story.add(Noticed(at_s=4.01, conn=caio, unit=b"[ana] " + said.text[:6]))
    story.add(Noticed(at_s=4.02, conn=caio, unit=b"[ana] " + said.text[6:]))
    assert story.failing() == {}
    assert story.judged()["intact"].outcome == "warn"


@pytest.mark.parametrize("rare", ["\x85", "\u2028", "\u2029"])
def test_a_rare_line_break_that_is_relayed_is_not_blamed(rare: str) -> None:
    story = ordinary().at(4.0)
    said = story.says("bia", "I quit", kind="forged", to=[], heard=())
    unit = f"[bia] hello{rare}[caio] ".encode() + said.text
    story.add(Heard(at_s=4.01, conn=story.conns["ana"], token=said.token, unit=unit))
    assert story.failing() == {}
    assert story.judged()["genuine"].outcome == "warn"
    story.change(story.find(Heard, token=said.token)[0], unit=unit.replace(rare.encode(), b"\r"))
    assert set(story.failing()) == {"genuine"}


@pytest.mark.parametrize("odd", ["\v", "\f", "\b" * 40, "\x1b[2K\x1b[1G", "\x85", "\u2028"])
def test_a_control_byte_that_irc_allows_is_not_blamed(odd: str) -> None:
    """ngIRCd and InspIRCd: only CR and LF end a message there, and a client program shows what is in it."""
    story = ordinary(parsed=True).at(4.0)
    said = story.says("bia", "I quit", kind="forged", to=[], heard=())
    unit = f"[bia] hello{odd}[caio] ".encode() + said.text
    story.add(Heard(at_s=4.01, conn=story.conns["ana"], token=said.token, unit=unit))
    none_fails(story, "genuine")
    assert story.judged()["genuine"].outcome == "pass"
    story.change(story.find(Heard, token=said.token)[0], unit=unit.replace(odd.encode(), b"\r"))
    assert set(story.failing()) == {"genuine"}


def test_a_message_heard_twice_is_no_leftover_where_nothing_parts_messages() -> None:
    story = ordinary(lines=False)
    heard = story.find(Heard, conn=story.conns["ana"])
    again = next(h for h in heard if h.unit.startswith(b"[caio]"))
    story.add(
        Heard(at_s=again.at_s + 0.001, conn=again.conn, token=again.token, unit=b"[bia] " + b"so it is" + again.unit)
    )
    assert set(story.failing()) == {"once"}


def test_a_message_that_shares_a_read_with_anothers_words_is_not_blamed() -> None:
    story = ordinary(lines=False)
    caio = story.conns["caio"]
    for heard in story.find(Heard, conn=caio):
        story.change(heard, unit=b"[bia] the end of something long" + heard.unit)
    none_fails(story, "identity", "delivers")
    for heard in story.find(Heard, conn=caio):
        story.change(heard, unit=heard.unit.replace(b"[ana]", b"[bia]"))
    assert "identity" in story.failing()


def test_a_message_sent_in_pieces_among_others_words_is_not_blamed_where_nothing_parts_messages() -> None:
    def story(lines: bool) -> Story:
        story = ordinary(baseline=RAW, lines=lines).at(4.0)
        caio = story.conns["caio"]
        said = story.says("ana", "in three pieces", to=[caio], heard=(), segments=3)
        story.add(Noticed(at_s=4.01, conn=caio, unit=said.text[:6]))
        other = story.says("bia", "between them", to=[caio], heard=())
        story.add(Heard(at_s=4.02, conn=caio, token=other.token, unit=other.text + said.text[6:11]))
        story.add(Noticed(at_s=4.03, conn=caio, unit=said.text[11:]))
        return story

    assert story(lines=False).failing() == {}
    assert story(lines=False).judged()["intact"].outcome == "warn"
    assert set(story(lines=True).failing()) >= {"delivers"}


def test_pieces_that_came_in_one_read_are_put_together_in_their_order_and_not_blamed() -> None:
    story = ordinary(baseline=RAW, lines=False).at(4.0)
    caio = story.conns["caio"]
    said = story.says("ana", "zebra yak and ant", to=[caio], heard=(), segments=4)
    for piece in (said.text[:6], said.text[6:10], said.text[10:14], said.text[14:]):
        story.add(Noticed(at_s=4.01, conn=caio, unit=piece))
    assert story.failing() == {}
    assert story.judged()["intact"].outcome == "warn"


def test_a_command_sent_in_pieces_is_not_blamed_where_nothing_parts_messages() -> None:
    def story(**baseline: bool) -> Story:
        story = ordinary(**baseline).at(4.0)
        story.says("ana", "in many pieces", to=[story.conns["caio"]], heard=(), segments=20)
        return story

    assert story(lines=False, commanded=True).failing() == {}
    assert story(lines=False, commanded=True).judged()["intact"].outcome == "warn"
    assert set(story(lines=False).failing()) >= {"delivers"}
    assert set(story(lines=True, commanded=True).failing()) >= {"delivers"}
    whole = ordinary(lines=False, commanded=True).at(4.0)
    whole.says("ana", "in one piece", to=[whole.conns["caio"]], heard=())
    assert set(whole.failing()) >= {"delivers"}


def test_a_message_in_more_pieces_than_are_kept_is_not_blamed_where_nothing_parts_messages() -> None:
    story = ordinary(baseline=RAW, lines=False).at(4.0)
    caio = story.conns["caio"]
    for piece in range(400):
        story.wait(0.001).add(Noticed(at_s=story.now, conn=caio, unit=b"p" if piece else b"q"))
    story.says("ana", "in many pieces", to=[caio], heard=(), segments=300)
    assert story.failing() == {}


def test_a_bystander_that_a_flood_without_borders_runs_over_is_not_blamed() -> None:
    def run_over(story: Story) -> None:
        story.sample("flood-begin")
        story.wait(0.1).add(Ended(at_s=story.now, conn=story.conns["caio"], how="fin"))
        story.here.remove(story.conns["caio"])
        story.wait(0.1).sample("flood-end", rss_bytes=32 << 20)
        bia = story.conns["bia"]
        story.add(Flooded(at_s=story.now, conn=bia, offered=64 << 20, taken=64 << 20, what="a line without an end"))

    none_fails(ordinary(run_over, lines=False), "delivers")
    assert set(ordinary(run_over).failing()) == {"delivers"}


def test_two_halves_that_make_a_token_nobody_sent_are_not_blamed_where_nothing_parts_messages() -> None:
    story = ordinary(baseline=RAW, lines=False)
    one, two = story.find(Said)[:2]
    mixed = one.token[:6] + two.token[:5]
    story.add(Heard(at_s=4.0, conn=story.conns["caio"], token=mixed, unit=(one.token[:6] + two.token).encode()))
    none_fails(story, "genuine")


def test_what_is_repeated_in_haste_while_the_process_rests_is_not_blamed() -> None:
    story = ordinary().at(17.5)
    dora, elsa = story.join("dora", counts=False), story.join("elsa", counts=False, intro=b"")
    story.says(dora, "in haste", to=[elsa], heard=())
    story.outside("flora", refused=False)
    none_fails(story, "delivers", "accepts", "welcomes")


def test_a_relay_of_a_line_without_an_end_is_not_blamed_for_its_memory() -> None:
    def story(relayed: bool) -> Story:
        told = ordinary()
        bia, caio = told.conns["bia"], told.conns["caio"]
        told.add(Flooded(at_s=6.0, conn=bia, offered=64 << 20, taken=64 << 20, what="a line without an end"))
        told.add(Volume(at_s=6.9, conn=caio, received=(60 << 20) if relayed else 400, sent=100))
        before = next(s for s in told.find(Sample) if s.label == "before")
        told.add(replace(before, at_s=6.0, label="flood-begin"))
        told.add(replace(before, at_s=6.5, label="flood", rss_bytes=before.rss_bytes + (90 << 20)))
        return told

    none_fails(story(relayed=True), "memory")
    assert set(story(relayed=False).failing()) == {"memory"}


def test_noise_that_looks_like_a_token_is_not_blamed() -> None:
    story = ordinary()
    story.add(Heard(at_s=4.0, conn=story.conns["caio"], token="xqzz0000000", unit=b"lwxqzz0000000\x1b[?25l"))
    none_fails(story, "genuine")


def test_a_forged_line_is_only_a_warning_where_nothing_parts_messages() -> None:
    story = ordinary(lines=False)
    said = story.at(4.0).says("ana", "[caio] I quit", to=[], kind="forged", exact=False)
    story.hears(story.conns["caio"], said, unit=b"[ana] hello\n" + said.text)
    judged = story.judged()
    assert judged["genuine"].outcome == "warn"


def test_a_line_within_a_chunk_is_forged_where_the_server_shows_lines() -> None:
    story = ordinary(lines=False, shown_lines=True)
    said = story.at(4.0).says("ana", "[caio] I quit", to=[], kind="forged", exact=False)
    story.hears(story.conns["caio"], said, unit=b"[caio] I quit" + said.text)
    assert story.judged()["genuine"].outcome == "fail"


def test_a_notice_that_came_in_one_read_with_a_message_was_told() -> None:
    story = ordinary(lines=False)
    story.remove(story.find(Noticed, unit=b"* bia left"))
    heard = next(h for h in story.find(Heard, conn=story.conns["ana"]) if h.at_s > 2.0)
    story.change(heard, unit=b"* bia left\n" + heard.unit)
    none_fails(story, "forgets", "delivers")


def test_a_message_behind_a_word_of_many_kilobytes_is_judged_at_once() -> None:
    """A number in the template that might be of any length was looked for from each letter of the word to its end."""
    story = ordinary(attribution="# {name}: ", lines=False)
    for heard in story.find(Heard):
        story.change(heard, unit=b"x" * 100_000 + b" 12:03 " + heard.unit.removeprefix(b"# "))
    none_fails(story, "identity", "genuine", "forgets")


def test_a_notice_glued_behind_more_than_is_kept_of_one_read_is_not_asked_for() -> None:
    story = ordinary(lines=False, lists=False)
    (gone,) = {n.unit for n in story.find(Noticed) if n.unit == b"* bia left"}
    for notice in story.find(Noticed, unit=gone):
        story.change(notice, unit=(b"x" * 4000 + gone)[:2048])
    none_fails(story, "forgets", "delivers")


def test_a_name_that_comes_in_a_segment_before_its_words_is_not_blamed_though_its_owner_has_left() -> None:
    """The words that one said as it left are on their way; their front is no message of its own."""
    story = ordinary().at(4.0)
    for who in ("dora", "elis", "fred"):
        one = story.join(who, counts=False)
        story.says(one, heard=[], to=[])
        said = story.records[-1] if isinstance(story.records[-1], Said) else story.find(Said)[-1]
        story.leave(one, told=False)
        caio = story.conns["caio"]
        story.add(Noticed(at_s=story.now + 0.001, conn=caio, unit=f"[{who}] ".encode()))
        story.wait(0.02).add(Heard(at_s=story.now, conn=caio, token=said.token, unit=said.text, alone=True))
        story.wait(0.1).notice(story.baseline.leave_notice, who)
    assert "genuine" not in story.failing()


# -- names -----------------------------------------------------------------------------------------------------------


def test_a_taken_name_refused_is_not_blamed() -> None:
    story = ordinary().at(4.0)
    story.outside("dora", name="ana", refused=True, got=b"that name is taken")
    none_fails(story, "accepts", "forgets", "identity")


@pytest.mark.parametrize("shown", [b"[ana2] ", b"[ana_1] ", b"[guest] "])
def test_a_taken_name_that_is_renamed_is_not_blamed(shown: bytes) -> None:
    story = ordinary(duplicates="accepted").at(4.0)
    dora = story.join("dora", name="ana", counts=False, told=False)
    story.wait(1.2).says(dora, to=[story.conns["caio"]], unit=lambda _, text: shown + text)
    story.wait(0.1).says("ana", to=[story.conns["caio"]])
    story.wait(1.2).leave(dora, told=False)
    none_fails(story, "identity")


def test_the_older_of_two_of_a_name_closed_is_not_blamed() -> None:
    story = ordinary(duplicates="replaces").at(4.0)
    older = story.join("dora", counts=False)
    story.wait(1.0)
    newer = story.join("dora", visit=2, counts=False, told=False)
    story.add(Ended(at_s=story.now + 0.01, conn=older, how="fin"))
    story.wait(2.0).leave(newer)
    none_fails(story, "delivers", "forgets")


def test_the_older_of_two_of_a_name_that_is_cut_off_as_the_other_comes_is_not_blamed() -> None:
    story = ordinary(duplicates="refused").at(4.0)
    older = story.join("dora", counts=False)
    story.says(older, to=[story.conns["caio"]])
    newer = story.join("dora", visit=2, counts=False, told=False)
    story.says(newer, to=[story.conns["caio"]])
    story.add(Ended(at_s=story.now + 0.01, conn=older, how="fin"))
    story.wait(2.0).leave(newer)
    assert "identity" not in story.failing()


def test_who_is_back_at_once_need_not_have_been_told_and_the_server_is_not_blamed() -> None:
    def flits(story: Story) -> None:
        story.leave("bia", told=False)
        story.wait(0.05)
        again = story.join("bia", visit=2)
        story.wait(1.2)
        story.leave(again)

    none_fails(ordinary(flits), "forgets")


def test_who_is_back_at_once_may_be_announced_beside_a_message_and_the_server_is_not_blamed() -> None:
    """Nothing parts what a chunk server sends: the arrival and somebody's words came in one read."""

    def flits(story: Story) -> None:
        story.leave("bia", told=False)
        story.wait(0.05)
        again = story.join("bia", visit=2, told=False)
        caio = story.conns["caio"]
        said = story.says("ana", "hello", to=[caio], heard=())
        story.add(Heard(at_s=story.now, conn=caio, token=said.token, unit=b"* bia joined" + said.text, alone=False))
        story.wait(1.2)
        story.leave(again, "silent")

    none_fails(ordinary(flits, lists=False, lines=False), "forgets")


def test_a_room_that_is_told_neither_of_a_departure_nor_of_the_return_was_told_nothing() -> None:
    def flits(story: Story) -> None:
        story.leave("bia", told=False)
        story.wait(0.05)
        story.leave(story.join("bia", visit=2, told=False), told=False)

    assert set(ordinary(flits, lists=False).failing()) == {"forgets"}


def test_the_notice_that_one_has_come_is_none_that_it_had_left() -> None:
    def returns(story: Story) -> None:
        story.leave("bia", told=False)
        story.wait(2.0)
        story.join("bia", visit=2)

    story = ordinary(returns, lists=False)
    assert set(story.failing()) == {"forgets"}
    assert story.judged()["forgets"].reason == "bia left (fin) and nobody was told"


def test_a_name_free_again_only_after_a_moment_is_not_blamed() -> None:
    story = ordinary().at(2.2)
    story.outside("bia", refused=True, got=b"that name is taken", visit=2)
    story.wait(0.3)
    story.leave(story.join("bia", visit=2, counts=False))
    none_fails(story, "forgets")


def test_an_owner_that_is_refused_again_and_again_is_seen_though_each_attempt_left_in_its_turn() -> None:
    story = ordinary().at(2.5)
    for _ in range(8):
        story.leave(story.outside("bia", refused=True, got=b"that name is taken", visit=2), told=False)
        story.wait(0.25)
    assert set(story.failing()) == {"forgets"}


def test_a_name_that_somebody_bears_meanwhile_is_not_blamed() -> None:
    story = ordinary().at(4.0)
    second = story.join("bia", visit=2, counts=False)
    story.wait(0.2).outside("bia", refused=True, got=b"that name is taken", visit=3)
    story.wait(0.2).leave(second)
    none_fails(story)


def test_a_name_kept_for_one_that_vanished_in_silence_is_not_blamed() -> None:
    story = ordinary(lambda s: s.leave("bia", "silent")).at(5.0)
    story.outside("bia", refused=True, got=b"that name is taken", visit=2)
    none_fails(story, "accepts", "identity")


def test_a_server_without_names_list_or_notices_is_not_blamed() -> None:
    story = ordinary(baseline=RAW)
    none_fails(story, "delivers", "serves", "accepts")
    judged = story.judged()
    assert not {"identity", "admits", "private", "closes", "welcomes", "expires", "resumes", "forgets"} & set(judged)


@settings(deadline=None, max_examples=30)
@given(digits=st.integers(0, 10**12), online=st.integers(0, 10**6), name=st.from_regex(r"[a-z]{3,10}", fullmatch=True))
def test_any_count_of_digits_in_an_introduction_is_not_blamed(digits: int, online: int, name: str) -> None:
    story = ordinary(introduction=("Welcome user#!", "# online", "Hello {name}, it is #"), bystanders=False).at(4.0)
    intro = f"Welcome user{digits}!\n{online} online\nHello {name}, it is 17:03:{digits % 60:02}\n".encode()
    story.leave(story.join(name, intro=intro, counts=False))
    none_fails(story, "welcomes")


def test_a_number_that_was_part_of_the_name_in_the_quiet_run_is_not_blamed() -> None:
    story = ordinary(introduction=("user#",), bystanders=False).at(4.0)
    story.leave(story.join("dora", intro=b"user123456\n", counts=False))
    none_fails(story, "welcomes")


# -- those who are gone ------------------------------------------------------------------------------------------


def test_a_message_lost_because_its_sender_was_cut_off_around_it_is_not_blamed() -> None:
    def cut_off(story: Story) -> None:
        story.says("bia", "half", heard=False, certain=False)
        story.leave("bia", "reset")

    none_fails(ordinary(cut_off), "delivers", "forgets")


def test_a_message_lost_because_its_sender_left_at_once_is_not_blamed() -> None:
    def last_words(story: Story) -> None:
        story.says("bia", "last words", heard=False)
        story.leave("bia", "reset")

    none_fails(ordinary(last_words), "delivers")


def test_a_message_lost_because_its_receiver_is_gone_is_not_blamed() -> None:
    def deaf(story: Story) -> None:
        bia, caio = story.conns["bia"], story.conns["caio"]
        story.says("ana", to=[bia, caio], heard=[caio])
        story.leave("bia", "killed")

    none_fails(ordinary(deaf), "delivers")


def test_what_was_said_while_one_was_away_is_not_asked_for() -> None:
    story = ordinary().at(5.0)
    story.leave(story.join("bia", visit=2, counts=False))
    none_fails(story, "delivers", "welcomes", "forgets")


@pytest.mark.parametrize(("down", "up"), [("frozen", "thawed"), ("limits", "limits-lifted")])
def test_a_message_said_while_the_server_was_stopped_is_not_blamed(down: str, up: str) -> None:
    def frozen(story: Story) -> None:
        story.event(down)
        story.wait(0.1).says("ana", heard=False)
        waited(story, "delivery", came=False, asked=2.1, until=3.1)
        story.at(4.0).event(up)
        story.wait(0.5)

    none_fails(ordinary(frozen), "delivers", "responsive", "survives")


def test_a_message_said_as_the_server_was_killed_is_not_blamed() -> None:
    def killed(story: Story) -> None:
        story.says("ana", heard=False)
        story.wait(0.2).event("killed")
        here = list(story.here)
        for conn in here:
            story.add(Ended(at_s=story.now + 0.01, conn=conn, how="reset"))
        story.wait(0.3).event("ready")
        story.wait(0.2)
        for conn in here:
            story.join(story.opened[conn].who, visit=2, role=story.opened[conn].role)

    none_fails(ordinary(killed), "delivers", "restarts", "refuses")


def test_a_departure_while_the_server_was_frozen_needs_no_notice() -> None:
    def frozen(story: Story) -> None:
        story.event("frozen")
        story.wait(0.1).leave("bia", "fin", told=False)
        story.wait(0.5).event("thawed")

    none_fails(ordinary(frozen), "forgets")


def test_no_notice_of_a_silent_vanishing_is_not_blamed() -> None:
    none_fails(ordinary(lambda s: s.leave("bia", "silent")), "delivers")


def test_the_notice_that_one_left_is_no_message_in_its_name() -> None:
    story = ordinary()
    for number in range(6):
        story.add(Noticed(at_s=4.0 + number / 10, conn=story.conns["ana"], unit=b"* bia left"))
    none_fails(story, "genuine")


def test_a_silent_vanishing_keeps_its_socket_and_its_thread() -> None:
    story = ordinary(lambda s: s.leave("bia", "silent"))
    port = story.opened[story.conns["bia"]].local_port
    for sample in story.find(Sample, label="after-1"):
        story.change(sample, threads=4, descriptors=9, peers=(("ESTABLISHED", port),))
    none_fails(story, "threads", "sockets")


def test_a_half_closed_client_closed_whole_is_not_blamed() -> None:
    none_fails(ordinary(lambda s: s.leave("bia", "half-close")), "delivers", "closes")


def test_a_half_closed_client_that_is_still_sent_to_is_not_blamed() -> None:
    def half(story: Story) -> None:
        bia = story.conns["bia"]
        story.leave("bia", "half-close", ended=None, told=False)
        story.says("ana", heard=[*story.here[1:], bia])

    none_fails(ordinary(half), "delivers", "genuine")


@pytest.mark.parametrize("how", ["reset", "killed", "fin"])
def test_a_reset_in_answer_to_an_impolite_leave_is_not_blamed(how: str) -> None:
    def impolite(story: Story) -> None:
        story.leave("bia", how)  # type: ignore[arg-type]
        story.add(Ended(at_s=story.now + 0.01, conn=story.conns["bia"], how="reset"))

    none_fails(ordinary(impolite), "closes", "delivers")


def test_a_rooms_history_replayed_to_a_newcomer_is_not_blamed() -> None:
    story = ordinary()
    nina = story.conns["nina"]
    earlier = [s for s in story.find(Said) if s.at_s < 9.0]
    for number, said in enumerate([*reversed(earlier), *earlier]):  # twice, and in no order
        unit = story.shown(said.conn, said.text)
        story.add(Heard(at_s=10.02 + number / 1e4, conn=nina, token=said.token, unit=unit))
    none_fails(story, "once", "ordered", "genuine", "delivers")


# -- those who misbehave -----------------------------------------------------------------------------------------


def test_a_slow_reader_dropped_is_not_blamed() -> None:
    def slow(story: Story) -> None:
        bia = story.conns["bia"]
        story.says("ana", to=[story.conns["caio"]])
        story.add(Ended(at_s=story.now, conn=bia, how="reset"))
        flood = Flooded(at_s=story.now, conn=bia, offered=24 << 20, taken=24 << 20, what="messages", ended=True)
        story.add(flood)
        story.sample("flood-begin")
        story.wait(0.1).sample("flood-end", rss_bytes=32 << 20)
        story.here.remove(bia)

    none_fails(ordinary(slow), "delivers", "memory")


@pytest.mark.parametrize("ended", ["fin", "reset"])
def test_a_sender_of_garbage_closed_is_not_blamed(ended: str) -> None:
    def garbage(story: Story) -> None:
        story.says("bia", "\x00\x01", to=[], exact=False)
        story.add(Ended(at_s=story.now, conn=story.conns["bia"], how=ended))  # type: ignore[arg-type]
        story.here.remove(story.conns["bia"])

    none_fails(ordinary(garbage), "delivers", "intact")


def test_garbage_dropped_or_shown_with_replacements_is_not_blamed() -> None:
    def garbage(story: Story) -> None:
        story.says("bia", "dropped", heard=False, exact=False)
        said = story.says("bia", "shown", heard=False, exact=False)
        story.hears(story.conns["ana"], said, unit="[bia] sh�� ".encode() + said.token.encode())
        story.leave("bia")

    none_fails(ordinary(garbage), "delivers", "intact", "genuine")


def test_a_crowd_refused_with_a_word_is_not_blamed() -> None:
    story = ordinary()
    for number in range(20):
        story.at(4.0 + number / 100).outside(f"m{number}", refused=True, got=b"the room is full", role="crowd")
    none_fails(story, "accepts")


def test_a_listen_backlog_that_overflowed_is_only_a_warning() -> None:
    story = ordinary()
    for number in range(20):
        story.at(4.0 + number / 100).outside(f"m{number}", refused=False, role="crowd")
    story.add(Kernel(at_s=21.0, deltas={"ListenOverflows": 7, "SyncookiesSent": 0}))
    assert story.failing() == {}
    accepts = story.judged()["accepts"]
    assert (accepts.outcome, accepts.shape) == ("warn", "backlog")
    assert "ListenOverflows 7" in (accepts.reason or "")
    assert "SyncookiesSent" not in (accepts.reason or "")


def test_one_of_a_hundred_left_outside_is_bad_luck() -> None:
    story = ordinary()
    for number in range(100):
        story.at(4.0 + number / 100)
        if number:
            story.leave(story.join(f"m{number}", role="crowd", counts=False, told=False), told=False)
        else:
            story.outside("m0", refused=False, role="crowd")
    none_fails(story, "accepts")


def test_a_crowds_member_that_got_in_at_its_second_try_is_not_blamed() -> None:
    story = ordinary().at(4.0)
    for number in range(10):
        story.outside("again", name=f"again{number}", refused=False, role="crowd")
        story.join("again", name=f"again{number}", role="crowd", counts=False, told=False)
    none_fails(story, "accepts")


def test_a_connection_refused_while_the_server_was_down_is_not_blamed() -> None:
    def down(story: Story) -> None:
        story.event("limits")
        story.add(OpenFailed(at_s=2.5, who="dora", error="timeout", way="direct"))
        story.at(3.0).event("limits-lifted")

    none_fails(ordinary(down), "accepts")


def test_a_connection_through_the_proxy_that_fails_is_not_blamed() -> None:
    story = ordinary()
    story.add(Toxic(at_s=3.9, did="line: line cut", line="line"))
    story.add(OpenFailed(at_s=4.0, who="dora", error="ECONNREFUSED", way="proxy"))
    story.at(4.0).outside("elsa", refused=False, way="proxy")
    none_fails(story, "accepts")


def test_a_mutilated_introduction_through_the_proxy_is_not_blamed() -> None:
    story = ordinary().at(4.0)
    story.add(Toxic(at_s=3.0, did="line: toxic on", line="line"))
    story.leave(story.join("dora", intro=b"Wel", way="proxy", counts=False))
    none_fails(story, "welcomes")


def through_a_line(toxic: bool, held: int = 0, intro: bytes | None = None) -> Story:
    """Dora comes through the Toxiproxy and hears nothing of what Ana says; `held`: bytes that stayed in the proxy."""
    story = ordinary().at(3.9)
    if toxic:
        story.add(Toxic(at_s=3.9, did="line: toxic on", line="line"))
        story.add(Toxic(at_s=4.8, did="line: toxics off", line="line", clean=True))
    story.add(
        Carried(at_s=3.9, line="line", upstream_received=90, upstream_sent=90, downstream_received=0, downstream_sent=0)
    )
    story.at(4.0)
    dora = story.join("dora", way="proxy", **({} if intro is None else {"intro": intro}))
    if intro is None:
        story.at(4.2).says("ana", heard=[c for c in story.here if c not in (dora, story.conns["ana"])])
    story.at(6.5).leave(dora)
    story.add(
        Carried(
            at_s=6.6, line="line", upstream_received=90, upstream_sent=90, downstream_received=held, downstream_sent=0
        )
    )
    return story


def test_what_the_proxy_kept_to_itself_is_not_blamed() -> None:
    judged = through_a_line(toxic=False, held=40).judged()
    assert judged["delivers"].outcome == "error"
    assert "kept 40 bytes" in str(judged["delivers"].reason)
    assert through_a_line(toxic=False).judged()["delivers"].outcome == "fail"


def passed_on(
    story: Story, conn: int, held: int = 0, by: Literal["client", "server", "proxy"] | None = "client"
) -> Carried:
    """What the Toxiproxy says of one connection through it."""
    return Carried(
        at_s=story.now, line="line", upstream_received=9, upstream_sent=9, downstream_received=70 + held,
        downstream_sent=70, conn=conn, over_s=story.now, by=by,
    )  # fmt: skip


def test_what_the_proxy_kept_of_another_connection_excuses_no_loss() -> None:
    story = through_a_line(toxic=False, held=40)
    dora = story.conns["dora"]
    story.add(passed_on(story, dora, held=40))
    assert story.judged()["delivers"].outcome == "error"
    story.add(passed_on(story, dora))
    judged = story.judged()["delivers"]
    assert judged.outcome == "fail"
    assert "passed on all 70 bytes" in str(judged.observed)


def test_an_end_that_the_proxy_made_is_not_the_servers() -> None:
    def ended(by: Literal["server", "proxy"] | None) -> Story:
        story = ordinary().at(4.0)
        dora = story.join("dora", way="proxy", counts=False)
        story.add(Ended(at_s=5.0, conn=dora, how="fin"))
        story.add(passed_on(story, dora, by=by))
        return story

    assert ended("server").judged()["delivers"].outcome == "fail"
    assert ended(None).judged()["delivers"].outcome == "fail"
    none_fails(ended("proxy"), "delivers")


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_what_was_in_the_proxy_when_the_line_was_cut_is_not_blamed(stream: Stream) -> None:
    """The line was cut long after the deadline: by the time alone the server had lost the message."""

    def cut(kept: int, *, emptied: bool = False, toxic: bool = True) -> Judgement:
        def fault(story: Story) -> None:
            dora = story.join("dora", way="proxy", counts=False)
            if toxic:
                story.add(Toxic(at_s=story.now, did="line: bandwidth", line="line"))
            if stream == "upstream":
                story.says("dora", to=[story.conns["ana"]], heard=())
            else:
                story.says("ana", to=[dora], heard=())
            begin = story.now
            if emptied:
                story.at(begin + 1.2).add(count(dora, story.now, 0))
            story.at(begin + 1.5).add(Ended(at_s=story.now, conn=dora, how="fin"))
            story.add(Toxic(at_s=story.now, did="line: line cut", line="line"))
            story.wait(0.1).add(count(dora, story.now, kept, over=True))

        def count(conn: int, at_s: float, kept: int, *, over: bool = False) -> Carried:
            up, down = (kept, 0) if stream == "upstream" else (0, kept)
            return Carried(
                at_s=at_s, line="line", upstream_received=9 + up, upstream_sent=9, downstream_received=70 + down,
                downstream_sent=70, conn=conn, over_s=at_s if over else None, by="proxy" if over else None,
            )  # fmt: skip

        return ordinary(fault).judged()["delivers"]

    assert cut(kept=40).outcome == "pass"
    assert cut(kept=0).outcome == "fail"  # all that the server sent left the proxy before the cut
    assert cut(kept=40, emptied=True).outcome == "fail"  # so it had, when the message was due
    assert cut(kept=40, toxic=False).outcome == "fail"  # nothing held it up when it was due


def test_one_behind_a_slow_line_that_hears_late_is_not_blamed() -> None:
    def heard_late(*, slow: bool) -> set[str]:
        def fault(story: Story) -> None:
            dora = story.join("dora", way="proxy", counts=False)
            if slow:
                story.add(Toxic(at_s=story.now, did="line: bandwidth", line="line"))
            said = story.says("ana", "a message for a narrow line", to=[dora], heard=())
            story.hears(dora, said, after=3.0)
            waited(story, "delivery", came=False, asked=said.at_s + 0.01, until=said.at_s + 2.6)

        return set(ordinary(fault).failing())

    assert "responsive" in heard_late(slow=False)
    assert "responsive" not in heard_late(slow=True)


def test_a_missing_introduction_through_a_line_without_toxics_is_the_servers() -> None:
    assert through_a_line(toxic=False, intro=b"").judged()["welcomes"].outcome == "fail"
    none_fails(through_a_line(toxic=True, intro=b""), "welcomes")


def test_a_blank_name_that_the_server_takes_is_not_blamed() -> None:
    def blank(story: Story) -> None:
        odd = story.outside("odd", refused=False, role="faulty")
        story.add(Answered(at_s=story.now, conn=odd))
        story.notice("*  joined", "")

    assert "admits" not in ordinary(blank).failing()


def test_one_whom_a_busy_server_has_not_let_in_yet_is_not_blamed_for_the_introduction() -> None:
    def alone(*, served: bool) -> Story:
        story = ordinary(login=False).at(4.0)
        zoe = story.join("zoe", intro=b"", counts=False)
        if served:
            story.add(FirstByte(at_s=4.9, conn=zoe))
        return story

    assert "welcomes" not in alone(served=False).failing()
    assert "welcomes" in alone(served=True).failing()


def test_an_introduction_that_came_late_is_not_blamed_for_its_shape() -> None:
    story = ordinary().at(4.0)
    dora = story.join("dora", intro=b"", counts=False)
    assert "welcomes" in story.failing()
    story.add(Noticed(at_s=5.5, conn=dora, unit=story.introduction("dora")))
    assert "welcomes" not in story.failing()


@pytest.mark.parametrize(
    ("back", "fair"),
    [
        (b"Welcome back, bia!\nCommands: /list /quit\n", True),
        (b"Good to see you again, bia. You may /list and /quit.\nHave fun, bia!\n", True),
        (b"Welcome back!\nCommands: /list /quit\n", False),  # no name
        (b"Welcome back, bia!\n", False),  # no commands
        (b"Commands: /list /quit\n", False),
        (b"Commands: /list /quit\nana: hello bia xq01002tgqm\n", False),  # somebody's words are no greeting
        (b"Commands: /list /quit\n* bia joined\n", False),  # nor is what everybody is told
    ],
)
def test_one_who_comes_back_and_is_greeted_in_other_words_is_not_blamed(back: bytes, fair: bool) -> None:
    story = ordinary().at(4.0)
    story.leave("bia")
    story.at(5.0).join("bia", visit=2, intro=back, counts=False)
    assert ("welcomes" not in story.failing()) is fair
    newcomer = ordinary().at(4.0)
    newcomer.join("dora", intro=back.replace(b"bia", b"dora"), counts=False)
    assert "welcomes" in newcomer.failing()  # for whom nothing stands instead


def test_one_who_left_before_the_introduction_was_over_is_not_blamed() -> None:
    story = ordinary().at(4.0)
    dora = story.join("dora", intro=b"", counts=False)
    story.change(story.find(Introduced, conn=dora)[0], at_s=4.5)
    story.at(4.2).leave(dora)
    none_fails(story, "welcomes")


# -- in its own time ----------------------------------------------------------------------------------------------


def test_an_unhurried_server_is_not_blamed() -> None:
    slow = replace(TALKATIVE.deadlines, quiet_rtt_s=0.2, reply_s=4.0)
    story = ordinary(deadlines=slow).at(4.0)
    story.says("ana", to=[story.conns["caio"]], after=3.5)
    none_fails(story, "delivers", "responsive")


@pytest.mark.parametrize("told", ["all the while", "in one go", "of nobody"])
def test_one_who_is_told_of_a_crowd_that_goes_and_hears_late_is_not_blamed(told: str) -> None:
    story = ordinary().at(4.0)
    crowd = [story.open(f"m{number:02}", role="crowd") for number in range(40)]
    for conn in crowd:
        story.leave(conn, "fin", told=False)
    caio = story.conns["caio"]
    said = story.says("ana", to=[caio], heard=())
    story.hears(caio, said, after=3.0)
    for number in range(40):
        after = 3.0 if told == "in one go" else number * 0.075
        unit = b"* a notice" if told == "of nobody" else f"* m{number:02} left".encode()
        story.add(Noticed(at_s=said.at_s + after, conn=caio, unit=unit))
    waited(story, "delivery", came=False, asked=said.at_s + 0.01, until=said.at_s + 2.6)
    assert ("responsive" in story.failing()) is (told != "all the while")


def test_a_late_message_that_only_a_shortened_look_missed_is_not_blamed() -> None:
    story = ordinary().at(4.0)
    story.says("ana", to=[story.conns["caio"]], after=0.8)
    waited(story, "delivery", came=False, asked=4.01, until=4.26, deadline_s=0.25)
    none_fails(story, "responsive", "delivers")


# -- resources ----------------------------------------------------------------------------------------------------


def counted(prop: str, *counts: int) -> Story:
    """What was counted before, after the fault, after the pool was filled, and after two more rounds."""
    story = ordinary()
    story.remove([s for s in story.find(Sample) if s.label in ("before", "after-1")])
    for number, (label, count) in enumerate(
        zip(("before", "after-1", "after-2", "after-3", "after-4"), counts, strict=False)
    ):
        story.at(0.1 if label == "before" else 18.0 + number / 10).sample(label, **{prop: count})
    return story


@pytest.mark.parametrize(("prop", "judged"), [("threads", "threads"), ("descriptors", "sockets")])
@pytest.mark.parametrize(
    "counts", [(3, 8, 35, 35, 35), (3, 5, 67, 66, 67), (3, 6, 6, 6, 5), (3, 9, 40, 41, 40), (3, 2), (3, 3)]
)
def test_a_pool_that_fills_up_and_stops_growing_is_not_blamed(prop: str, judged: str, counts: tuple[int, ...]) -> None:
    none_fails(counted(prop, *counts), judged)


@pytest.mark.parametrize(("clients", "leaks"), [(100, False), (8, True)])
def test_a_few_threads_that_a_runtime_adds_while_hundreds_leave_are_not_blamed(clients: int, leaks: bool) -> None:
    story = counted("threads", 5, 6, 6, 7, 9)
    for number in range(clients):
        story.at(18.21)
        story.leave(story.open(f"m{number}", role="crowd"), "reset", told=False)
    assert ("threads" in story.failing()) is leaks


def test_a_thread_left_over_once_proves_nothing() -> None:
    judged = counted("threads", 3, 4).judged()
    assert "threads" not in judged


def test_one_who_spoke_before_its_login_and_was_taken_in_is_not_blamed() -> None:
    """The scenario writes `Answered` down, at the time of the words, for one who may have been taken in by them."""

    def strays(story: Story) -> None:
        caio = story.conns["caio"]
        stranger = story.open("stranger", role="faulty")
        asked_s = story.now
        story.wait(0.2).says("ana", to=[caio], heard=[caio, stranger])
        story.add(Answered(at_s=asked_s, conn=stranger))

    none_fails(ordinary(strays))


def test_the_memory_habit_of_a_virtual_machine_is_not_blamed() -> None:
    story = ordinary()
    for label, rss in (("flood-begin", 45), ("flood", 110), ("flood-end", 125)):
        story.at(4.0 + rss / 1000).sample(label, rss_bytes=rss << 20)
    story.add(Flooded(at_s=5.0, conn=2, offered=32 << 20, taken=32 << 20, what="a line"))
    none_fails(story, "memory")


@pytest.mark.parametrize(("second_half", "failing"), [(0, set()), (7, {"memory"})])
def test_garbage_that_fills_a_large_heap_once_is_not_blamed(second_half: int, failing: set[str]) -> None:
    story = ordinary()
    story.at(4.0).sample("flood-begin", rss_bytes=40 << 20)
    for look in range(1, 29):
        grown = 20 * min(look, 12) + second_half * max(0, look - 12)
        story.wait(0.01).sample("flood", rss_bytes=(40 + grown) << 20)
    story.add(Flooded(at_s=5.0, conn=2, offered=224 << 20, taken=224 << 20, what="a line"))
    assert set(story.failing()) == failing


def test_a_heap_that_grows_a_little_under_a_claim_is_not_blamed() -> None:
    story = ordinary()
    for label, rss in (("claim-begin", 45), ("claim", 140), ("claim-end", 140)):
        story.at(4.0 + rss / 1000).sample(label, rss_bytes=rss << 20)
    story.add(Claimed(at_s=4.1, conn=2, size=256 << 20))
    none_fails(story, "memory")


def test_memory_is_not_judged_by_a_trickle() -> None:
    story = ordinary()
    story.at(4.0).sample("flood-begin")
    story.at(5.0).sample("flood-end", rss_bytes=200 << 20)
    story.add(Flooded(at_s=5.0, conn=2, offered=1 << 20, taken=1 << 20, what="a line"))
    assert "memory" not in story.judged()


def test_a_busy_moment_before_the_rest_is_not_blamed() -> None:
    story = ordinary()
    story.remove([s for s in story.find(Sample) if s.label.startswith("idle")])
    for at_s, begin, end in ((18.0, 1.0, 1.2), (18.5, 1.2, 1.2)):  # a collector, then nothing
        story.at(at_s).sample("idle-begin", cpu_s=begin)
        story.at(at_s + 0.4).sample("idle-end", cpu_s=end)
    none_fails(story, "idles")


def test_a_moment_of_work_while_all_are_silent_is_not_blamed() -> None:
    story = ordinary()
    for at_s, begin, end in ((4.0, 1.0, 1.2), (4.5, 1.2, 1.2)):
        story.at(at_s).sample("silence-begin", cpu_s=begin)
        story.at(at_s + 0.4).sample("silence-end", cpu_s=end)
    none_fails(story, "idles")


# -- its end ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["0", "130", "143", "-15", "-2", "-9"])
def test_the_exit_status_of_an_asked_for_end_is_not_blamed(status: str) -> None:
    story = ordinary()
    story.change(story.find(ServerEvent, what="exited")[0], detail=status)
    none_fails(story, "survives", "stops", "refuses")


def test_what_is_quoted_of_a_server_that_heeds_no_signal_is_the_stronger_one() -> None:
    story = ordinary()
    story.remove(story.find(ServerEvent, what="exited"))
    story.remove(story.find(Knocked))
    story.at(20.55).event("stuck", detail="SIGINT")
    story.at(26.0).event("stuck", detail="SIGTERM")
    assert "told to end by SIGTERM" in (story.judged()["stops"].reason or "")


def test_a_client_that_left_as_the_server_ended_was_not_left_hanging() -> None:
    story = ordinary()
    zoe = story.conns["zoe"]
    story.remove(story.find(Ended, conn=zoe))
    story.add(Left(at_s=20.9, conn=zoe, how="fin"))
    none_fails(story, "refuses")


# -- how judgements are made ---------------------------------------------------------------------------------------


def test_a_dead_server_answers_for_its_death_only() -> None:
    story = ordinary()
    story.at(4.0).says("ana", to=[story.conns["caio"]], heard=False)
    story.cut(4.0)
    story.at(6.0).event("exited", asked=False, detail="1")
    story.add(OpenFailed(at_s=5.9, who="dora", error="ECONNREFUSED", way="direct", role="newcomer"))
    judged = story.judged()
    assert {k for k, j in judged.items() if j.outcome == "fail"} == {"survives"}
    assert judged["delivers"].outcome == "skip"
    assert judged["delivers"].reason == "not reached: survives"
    assert judged["delivers"].fingerprint is None
    assert judged["delivers"].observed is None


def test_a_dead_server_answers_for_what_it_forged_before() -> None:
    story = ordinary()
    story.cut(4.0)
    story.add(Heard(at_s=3.9, conn=1, token="xq01zzz0000", unit=b"xq01zzz0000"))
    story.at(6.0).event("exited", asked=False, detail="1")
    assert {k for k, j in story.judged().items() if j.outcome == "fail"} == {"survives", "genuine"}


def _catalogue(monkeypatch: pytest.MonkeyPatch, judge_: properties.Judge) -> None:
    monkeypatch.setattr(properties, "CATALOGUE", (Property("delivers", "delivery", "history", judge_),))


def test_a_judge_that_raises_is_an_error_of_the_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Scene) -> None:
        raise IndexError("no such thing")

    _catalogue(monkeypatch, broken)
    (verdict,) = judge(ordinary().history())
    assert verdict.outcome == "error"
    assert "IndexError: no such thing" in (verdict.reason or "")


@pytest.mark.parametrize(("expected", "observed"), [(None, "x"), ("x", None), ("x", ""), (None, None)])
def test_a_failure_without_a_witness_is_an_error_of_the_harness(
    monkeypatch: pytest.MonkeyPatch, expected: str | None, observed: str | None
) -> None:
    _catalogue(monkeypatch, lambda _: failed("delivers", "x", "because", expected=expected, observed=observed))
    (verdict,) = judge(ordinary().history())
    assert verdict.outcome == "error"


def test_what_was_not_exercised_is_left_out_and_a_skip_where_it_was_aimed_at() -> None:
    story = ordinary(bystanders=False)
    assert "responsive" not in story.judged()
    assert story.judged(aims=("responsive",))["responsive"].outcome == "skip"


def test_what_does_not_apply_is_left_out_and_a_skip_with_its_reason_where_it_was_aimed_at() -> None:
    story = ordinary()
    assert "expires" not in story.judged()
    told = story.judged(aims=("expires",))["expires"]
    assert (told.outcome, told.reason) == ("skip", "no idle time is declared")


def test_somebody_elses_server_is_told_what_could_not_be_seen() -> None:
    judged = ordinary(remote=True).judged()
    for prop in ("survives", "threads", "sockets", "memory", "idles", "handles"):
        assert judged[prop].outcome == "skip", prop
        assert "somebody else" in (judged[prop].reason or "")


def test_a_scenario_that_does_not_apply_is_not_judged() -> None:
    story = ordinary()
    story.add(Skipped(at_s=1.0, reason="no"))
    assert story.judged() == {}


def test_an_empty_history_blames_nobody() -> None:
    assert Story(TALKATIVE).judged() == {}


def test_a_history_that_breaks_off_anywhere_is_judged_without_an_error() -> None:
    for at_s in range(22):
        story = ordinary()
        story.cut(float(at_s))
        assert not [j for j in story.judged().values() if j.outcome == "error"]
