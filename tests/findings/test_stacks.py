from __future__ import annotations

from harness.evidence.doing import doing
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


IDLE = """Thread 3 (idle): "Thread-1 (serve)"
    Event.wait (threading.py:629)
    serve (chat.py:40)
Thread 4 (idle): "ThreadPoolExecutor-0_0"
    _worker (concurrent/futures/thread.py:81)
Thread 5 (idle): "ThreadPoolExecutor-0_1"
    _worker (concurrent/futures/thread.py:81)
"""
LOCKED = (
    IDLE
    + """Thread 6 (idle): "Thread-2 (serve)"
    broadcast (chat.py:50)
    serve (chat.py:41)
Thread 7 (idle): "Thread-3 (serve)"
    broadcast (chat.py:50)
    serve (chat.py:41)
"""
)
SOURCE = {40: "stopped.wait()", 41: "broadcast(line)", 50: "with clients_lock:"}


def _python(tid: int, address: int, *, lock: bool = False) -> Thread:
    return Thread(1, tid, "python3", "S", "futex", address=address, lock=lock, python=True)


def test_idle_threads_of_python_are_not_blamed_for_a_lock() -> None:
    """Fifteen threads that slept in Event.wait() were once told as waiting for a lock; a pool's idle workers share an
    address up to Python 3.12."""
    threads = (_python(3, 64), _python(4, 80, lock=True), _python(5, 80, lock=True))
    assert blocked([_look(threads, "python", "py-spy", IDLE)], lambda file, line: SOURCE[line]) == ()


def test_who_takes_a_lock_is_told_by_its_line_wherever_it_sleeps() -> None:
    """From Python 3.13 on each waits at an address of its own for one lock."""
    threads = tuple(_python(tid, 16 * tid) for tid in (3, 4, 5, 6, 7))
    (clue,) = blocked([_look(threads, "python", "py-spy", LOCKED)], lambda file, line: SOURCE[line])
    assert (clue.what, clue.source) == ("2 threads wait for the same lock", "with clients_lock:")


def test_without_stacks_several_at_one_address_wait_for_a_lock_and_one_alone_does_not() -> None:
    assert blocked([_look((_python(3, 64), _python(4, 80)), "python")], lambda file, line: "") == ()
    shared = (_python(3, 64, lock=True), _python(4, 64, lock=True))
    (clue,) = blocked([_look(shared, "python")], lambda file, line: "")
    assert clue.what == "2 threads wait for the same lock"


def test_what_the_kernel_says_is_shown_where_nothing_else_is_known() -> None:
    assert doing(Thread(1, 3, "chat", "S", wchan="pipe_read"), {}) == "waits in the kernel, in pipe_read"
    assert doing(_python(3, 64), {}) == "waits for another thread"
