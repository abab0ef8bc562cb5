"""The repair holds for those who leave properly, and the room still stops after a reset, every time."""

from __future__ import annotations

import sys

import pytest
from running_server import Server, eventually

from harness.target import threads

SILENCE_S = 0.5
"""Nothing passes a room that has stopped, not even a fence: so silence has to be waited for, once."""


def test_a_proper_close_leaves_nothing_behind(patched: Server) -> None:
    bia, caio = patched.client("bia"), patched.client("caio")
    before = patched.threads()
    for _ in range(10):
        ana = patched.client("ana")
        assert ana.introduction[0].startswith("Bem-vindo")
        bia.hears(ana, "oi")
        ana.close()
        caio.until("* ana saiu do chat")
    assert caio.hears(bia, "tudo bem")
    eventually(lambda: patched.threads() == before and len(patched.sockets()) == 2, "nothing is left behind")


def waits_for_a_lock(server: Server) -> bool:
    """Whether a thread waits for a lock without a limit; for the interpreter's own they wait with one."""
    found, _ = threads.threads([server.process.pid])
    return any(one.call == "futex" and not one.timed for one in found)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what threads wait in")
@pytest.mark.parametrize("position", [0, 1, 2])
def test_after_a_reset_the_room_stops(patched: Server, position: int) -> None:
    room = [patched.client(name) for name in ("ana", "bia", "caio")]
    room.pop(position).reset()
    speaker, listener = room
    eventually(
        lambda: waits_for_a_lock(patched), "its own thread notices, before a broadcast that has passed others does"
    )
    back = patched.stranger()
    assert back.line() == "Bem-vindo ao chat, user4!"  # it is accepted and greeted all the same
    back.send("voltei")
    speaker.send("alguem ai?", "/nick")
    while not speaker.hears_nothing_for(SILENCE_S):  # what it was told before the reset
        assert not speaker.line().startswith("* Uso"), "its thread still reads"  # type: ignore[union-attr]
    listener.send("/nick")
    heard = listener.until("* Uso")  # the listener's own thread is free: it would have heard
    assert not any(line.startswith(("<", "* user4", "* ana saiu")) for line in heard)
    assert patched.printed("Traceback") == 0
    assert patched.process.poll() is None


def test_the_stopped_room_keeps_the_threads_of_all_who_leave_later(patched: Server) -> None:
    ana, bia = patched.client("ana"), patched.client("bia")
    ana.reset()
    before = patched.threads()  # ana's waits for itself
    for _ in range(5):
        guest = patched.stranger()
        guest.until("Comandos:")
        guest.send("/quit")
        guest.close()
    bia.close()
    eventually(lambda: patched.sockets().count("CLOSE_WAIT") == 6, "all six have closed their side")
    assert patched.threads() == before + 5
