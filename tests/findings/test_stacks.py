from __future__ import annotations

from harness.findings.blocked import blocked
from harness.findings.exceptions import Frame
from harness.findings.stacks import stacks
from harness.target.threads import Look, Thread

SPY = """Process 10978: python3 chat.py
Python v3.11.7 (/usr/bin/python3.11)

Thread 10978 (idle): "MainThread"
    socket.accept (socket.py:294)
    <module> (chat.py:31)
Thread 11147 (idle): "Thread-1 (handle)"
    broadcast (chat.py:5)
    handle (chat.py:27)
    Thread.run (threading.py:982)
Thread 11148 (active): "Thread-2 (handle)"
    send (chat.py:9)
"""
JSTACK = """2026-11-24 02:00:00
Full thread dump OpenJDK 64-Bit Server VM (17.0.9 mixed mode):

"main" #1 prio=5 os_prio=0 cpu=60ms elapsed=9s tid=0x00007f nid=0x1234 runnable  [0x00007f]
   java.lang.Thread.State: RUNNABLE
	at sun.nio.ch.Net.accept(java.base@17.0.9/Native Method)
	at Chat.main(Chat.java:14)

"Thread-0" #12 prio=5 os_prio=0 cpu=1ms elapsed=9s tid=0x00007f nid=0x1240 waiting for monitor entry  [0x00007f]
   java.lang.Thread.State: BLOCKED (on object monitor)
	at Chat.broadcast(Chat.java:30)
	- waiting to lock <0x000000062a1> (a java.lang.Object)
	at Chat$Client.run(Chat.java:52)

"pool-1" #13 prio=5 os_prio=0 cpu=1ms elapsed=9s tid=0x00007f nid=0x1241 waiting on condition  [0x00007f]
   java.lang.Thread.State: WAITING (parking)
	at jdk.internal.misc.Unsafe.park(java.base@17.0.9/Native Method)
	- parking to wait for  <0x000000062b2> (a java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject)
	at Chat.take(Chat.java:70)
"""


def _look(threads: tuple[Thread, ...], runtime: str = "", tool: str = "", told: str = "") -> Look:
    return Look(1.0, "-", threads, threads, runtime=runtime, first=1, tool=tool, stacks=told, names={4000: "ana"})


def test_stacks_of_python_hold_the_servers_own_frames() -> None:
    main, first, second = stacks("py-spy", SPY)
    assert main.own == (Frame("chat.py", 31, "<module>"),)
    assert (first.tid, first.own) == (11147, (Frame("chat.py", 5, "broadcast"), Frame("chat.py", 27, "handle")))
    assert second.name == "Thread-2 (handle)"


def test_stacks_of_java_tell_the_lock_that_is_waited_for_and_no_condition() -> None:
    main, blocked_one, waiting = stacks("jstack", JSTACK)
    assert (main.tid, main.lock) == (0x1234, "")
    assert (blocked_one.lock, blocked_one.own[0]) == ("0x000000062a1", Frame("Chat.java", 30, "Chat.broadcast"))
    assert waiting.lock == ""


def test_a_thread_that_sends_stands_before_those_that_wait_for_its_lock() -> None:
    sends = Thread(1, 2, "chat", "S", "send", peer_port=4000)
    waits = tuple(Thread(1, tid, "chat", "S", "futex", address=64, lock=True) for tid in (3, 4))
    (clue,) = blocked([_look((sends, *waits))], lambda file, line: "")
    assert (clue.kind, clue.what) == ("blocked-send", "a thread is stuck in sending to ana")


def test_who_waits_for_different_locks_is_in_no_deadlock() -> None:
    waits = tuple(Thread(1, tid, "chat", "S", "futex", address=tid, lock=True) for tid in (3, 4))
    assert blocked([_look(waits)], lambda file, line: "") == ()


def test_one_thread_alone_that_reads_one_client_serves_nobody_else() -> None:
    reads = Thread(1, 1, "chat", "S", "recv", peer_port=4000)
    (clue,) = blocked([_look((reads,))], lambda file, line: "")
    assert (clue.kind, clue.what) == ("blocked-read", "its only thread waits for bytes of ana")
    assert blocked([_look((reads, Thread(1, 2, "chat", "S", "accept")))], lambda file, line: "") == ()


def test_a_deadlock_of_java_is_read_from_its_stacks() -> None:
    (clue,) = blocked([_look((), "java", "jstack", JSTACK)], lambda file, line: "synchronized (clients) {")
    assert (clue.kind, clue.where) == ("lock", "Chat.java:30 (Chat.broadcast) ← Chat.java:52 (Chat$Client.run)")
