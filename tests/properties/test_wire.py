"""What is judged from packets, what from sockets where there are none, and what cannot be judged at all."""

from __future__ import annotations

import pytest
from mutation_check import _on_the_wire as on_the_wire

from harness.history import Captured, Ended, Left, Opened, Packet, Record, ServerEvent
from harness.results import Judgement
from properties.histories import Story

WIRE = ("closes", "handshake")


def without(story: Story, kind: type[Record]) -> Story:
    """The story without these records."""
    story.remove(story.find(kind))
    return story


def captured(story: Story, **fields: object) -> Story:
    story.remove(story.find(Captured))
    story.add(Captured(at_s=20.6, **fields))  # type: ignore[arg-type]
    return story


def judged(story: Story, prop: str) -> Judgement | None:
    return story.judged(aims=WIRE).get(prop)


def polite(story: Story) -> list[Left]:
    return story.find(Left, how="polite")


def test_an_end_is_judged_from_the_wire_where_there_is_one() -> None:
    """The socket saw a FIN, the wire the server's RST: the wire has the word."""
    story = on_the_wire(False, "closes")
    whole = judged(story, "closes")
    assert (whole and whole.outcome, whole and whole.reason) == ("pass", f"{len(polite(story))} polite leaves")
    direct = next(left for left in polite(story) if story.opened[left.conn].who == "nina")
    for packet in story.find(Packet, conn=direct.conn, sender="server", flags="FIN-ACK"):
        story.change(packet, flags="RST")
    verdict = judged(story, "closes")
    assert (verdict and verdict.outcome, verdict and verdict.shape) == ("fail", "reset")
    assert "RST (server)" in ((verdict and verdict.observed) or "")


def test_without_a_capture_the_sockets_tell_and_what_they_cannot_tell_is_no_pass() -> None:
    story = captured(without(on_the_wire(False, "closes"), Packet), why="no capture here")
    verdict = judged(story, "closes")
    assert (verdict and verdict.outcome) == "pass"
    assert "as the client's socket tells" in ((verdict and verdict.reason) or "")
    for left in polite(story):  # now everybody who was polite came through the proxy
        story.change(next(o for o in story.find(Opened) if o.conn == left.conn), way="proxy")
    verdict = judged(story, "closes")
    assert (verdict and verdict.outcome) == "skip"
    assert ((verdict and verdict.reason) or "").endswith("no capture here")


def test_an_answer_stamped_before_the_record_of_the_word_is_not_blamed() -> None:
    story = on_the_wire(False, "closes")
    for left in polite(story):
        for packet in story.find(Packet, conn=left.conn, sender="server", flags="FIN-ACK"):
            story.change(packet, at_s=left.at_s - 0.001)
        story.remove(story.find(Ended, conn=left.conn))
    assert (judged(story, "closes") or Judgement("closes", "error")).outcome == "pass"


@pytest.mark.parametrize("flags", ["FIN-ACK", "RST-ACK"])
@pytest.mark.parametrize("who", ["nina", "pia"])
def test_what_ends_a_connection_when_the_server_is_told_to_end_is_no_answer_to_a_goodbye(flags: str, who: str) -> None:
    """The server never closed: with its process its kernel ends what was left over, by FIN or by RST."""
    story = on_the_wire(False, "closes")
    told_s = next(e.at_s for e in story.find(ServerEvent) if e.what == "signal")
    left = next(one for one in polite(story) if story.opened[one.conn].who == who)
    for packet in story.find(Packet, conn=left.conn, sender="server", flags="FIN-ACK"):
        story.change(packet, flags=flags, at_s=told_s + 0.004)
    story.remove(story.find(Ended, conn=left.conn))
    verdict = judged(story, "closes")
    assert (verdict and verdict.outcome, verdict and verdict.shape) == ("fail", "never")
    assert (verdict and verdict.at_s) == left.at_s


def test_a_server_that_answered_and_was_then_killed_is_not_blamed() -> None:
    story = on_the_wire(False, "closes")
    for left in polite(story):
        answer = next(iter(story.find(Packet, conn=left.conn, sender="server", flags="FIN-ACK")))
        story.add(ServerEvent(at_s=answer.at_s + 0.9, what="killed", detail="SIGKILL"))
    assert (judged(story, "closes") or Judgement("closes", "skip")).outcome != "fail"


def test_a_handshake_of_which_a_part_was_lost_is_not_blamed_and_not_passed() -> None:
    story = on_the_wire(True, "handshake")
    assert (judged(story, "handshake") or Judgement("handshake", "error")).outcome == "fail"
    captured(story, packets=900, missed=40)
    verdict = judged(story, "handshake")
    assert (verdict and verdict.outcome) == "pass"
    assert "of 1 more only a part was seen (40 packets were not kept)" in ((verdict and verdict.reason) or "")
    for packet in story.find(Packet, flags="ACK"):
        story.remove([packet])
    verdict = judged(story, "handshake")
    assert (verdict and verdict.outcome) == "skip"
    assert "40 packets came when there was no more room" in ((verdict and verdict.reason) or "")


def test_a_missing_capture_changes_no_other_verdict() -> None:
    with_it = on_the_wire(False, "closes").judged()
    story = captured(without(on_the_wire(False, "closes"), Packet), why="no capture here")
    without_it = story.judged()
    assert {k: j.outcome for k, j in with_it.items() if k not in WIRE} == {
        k: j.outcome for k, j in without_it.items() if k not in WIRE
    }
