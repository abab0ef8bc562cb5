from __future__ import annotations

import random
import time

import pytest

from findings import printed
from harness.findings.clues import clue_of
from harness.findings.exceptions import MOST, thrown


@pytest.mark.parametrize(
    ("output", "told", "place", "kind"),
    [
        (printed.PYTHON_RESET, "ConnectionResetError: [Errno 104] Connection reset by peer", "chat.py:40 (listen)", "read-reset"),
        (printed.PYTHON_BROKEN_PIPE, "BrokenPipeError: [Errno 32] Broken pipe", "chat.py:22 (broadcast)", "dead-receiver"),
        (printed.PYTHON_SET, "RuntimeError: Set changed size during iteration", "chat.py:20 (broadcast)", "iteration"),
        (printed.PYTHON_DECODE, "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte", "chat.py:33 (handle)", "decode"),
        (printed.PYTHON_CHAIN, "ValueError: list.remove(x): x not in list", "chat.py:36 (handle)", "cleanup"),
        (printed.PYTHON_EMFILE, "OSError: [Errno 24] Too many open files", "chat.py:60 (main)", "descriptors"),
        (printed.PYTHON_WORDS, "IndexError: list index out of range", "chat.py:12 (obey)", "argument"),
        (printed.ASYNCIO, "ConnectionResetError: [Errno 104] Connection reset by peer", "chat.py:14 (handle)", "read-reset"),
        (printed.JAVA_RESET, "java.net.SocketException: Connection reset", "Chat.java:41 (Chat$Client.run)", "read-reset"),
        (printed.JAVA_CONCURRENT, "java.util.ConcurrentModificationException", "Chat.java:22 (Chat.broadcast)", "iteration"),
        (printed.NODE_RESET, "Error: read ECONNRESET", "", "read-reset"),
        (printed.NODE_UNDEFINED, "TypeError: Cannot read properties of undefined (reading 'write')", "chat.js:12 (Socket.<anonymous>)", "null"),
        (printed.GO_INDEX, "panic: runtime error: index out of range [1] with length 1", "main.go:42 (main.obey)", "argument"),
        (printed.GO_MAP, "fatal error: concurrent map iteration and map write", "main.go:23 (main.broadcast)", "iteration"),
        (printed.RUST_UTF8, None, "main.rs:31", "decode"),
        (printed.ASAN, "AddressSanitizer: heap-use-after-free", "chat.c:57 (broadcast)", "memory-fault"),
        (printed.TERMINATE, None, "", "aborted"),
    ],
)  # fmt: skip
def test_what_was_thrown_and_where_in_the_servers_own_code(
    output: str, told: str | None, place: str, kind: str
) -> None:
    (one,) = thrown(output)
    clue = clue_of(one, 0.0)
    assert (clue.where, clue.kind) == (place, kind)
    assert told is None or one.told == told


def test_the_order_to_end_is_no_exception() -> None:
    assert thrown(printed.PYTHON_INTERRUPTED) == ()


def test_several_are_told_in_their_order_between_other_lines() -> None:
    output = f"hello\n{printed.PYTHON_RESET}a client left\n{printed.PYTHON_BROKEN_PIPE}{printed.GO_MAP}"
    found = thrown(output)
    assert [one.name for one in found] == ["ConnectionResetError", "BrokenPipeError", "fatal error"]
    assert output[found[0].at :].startswith("Traceback (most recent call last):")


def stack(thread: int, *places: tuple[int, str, str], end: str) -> list[str]:
    """What a thread prints when it ends by an exception, line by line."""
    lines = [
        f"Exception in thread Thread-{thread}:",
        "Traceback (most recent call last):",
        '  File "/usr/lib/python3.11/threading.py", line 1045, in _bootstrap_inner',
        "    self.run()",
    ]
    for number, function, source in places:
        lines += [f'  File "/home/ana/chat.py", line {number}, in {function}', f"    {source}"]
    return [*lines, end]


READ = ((33, "listen", "self.obey(line)"), (40, "read", "data = self.sock.recv(1024)"))
WRITE = ((33, "listen", "self.obey(line)"), (22, "broadcast", "client.send(text)"))
RESET, PIPE = "ConnectionResetError: [Errno 104] Connection reset by peer", "BrokenPipeError: [Errno 32] Broken pipe"


def woven(first: list[str], second: list[str], order: str) -> str:
    """Lines of both in this order: `a` one of the first, `b` one of the second; then what is left of each."""
    sources = {"a": iter(first), "b": iter(second)}
    lines = [next(sources[letter]) for letter in order]
    return "\n".join([*lines, *sources["a"], *sources["b"]]) + "\n"


def seen(output: str) -> list[tuple[str, str, str]]:
    return [(one.name, (clue := clue_of(one, 0.0)).where, clue.kind) for one in thrown(output)]


def test_of_tracebacks_printed_into_one_another_the_place_is_told_where_it_is_certain() -> None:
    reads, writes = stack(1, *READ, end=RESET), stack(2, *WRITE, end=PIPE)
    # nobody knows whose the last line before the first end is, and after it no more places come
    assert seen(woven(reads, writes, "aaaaaa" + "b" * 8)) == [
        ("ConnectionResetError", "", "connection-error"),
        ("BrokenPipeError", "", "dead-receiver"),
    ]
    # one has ended, and what comes then is the other's alone
    assert seen(woven(writes, reads, "aaaaaa" + "bbbbbb" + "aaa" + "bbb")) == [
        ("BrokenPipeError", "", "dead-receiver"),
        ("ConnectionResetError", "chat.py:40 (read)", "read-reset"),
    ]
    # both have said that they begin, and then each tells all in one go
    assert seen(woven(reads, writes, "aabb" + "a" * 7 + "b" * 7)) == [
        ("ConnectionResetError", "chat.py:40 (read)", "read-reset"),
        ("BrokenPipeError", "chat.py:22 (broadcast)", "dead-receiver"),
    ]


@pytest.mark.parametrize("order", ["ab" * 9, "aaaabbbbbb" + "ab" * 3, "aaabbbaabb" + "aabb" * 2])
def test_stacks_that_are_all_the_same_are_told_however_they_are_woven(order: str) -> None:
    output = woven(stack(1, *READ, end=RESET), stack(2, *READ, end=RESET), order)
    assert seen(output) == [("ConnectionResetError", "chat.py:40 (read)", "read-reset")]


def test_whatever_way_they_are_woven_no_place_and_no_kind_is_wrong() -> None:
    draw = random.Random(7)
    right = {("ConnectionResetError", "chat.py:40 (read)", "read-reset"), ("BrokenPipeError", "chat.py:22 (broadcast)", "dead-receiver"),
             ("ConnectionResetError", "", "connection-error"), ("BrokenPipeError", "", "dead-receiver")}  # fmt: skip
    placed = 0
    for _ in range(300):
        reads, writes = stack(1, *READ, end=RESET), stack(2, *WRITE, end=PIPE)
        order = [*"a" * len(reads), *"b" * len(writes)]
        draw.shuffle(order)
        told = seen(woven(reads, writes, "".join(order)))
        assert {name for name, _, _ in told} == {"ConnectionResetError", "BrokenPipeError"}
        assert set(told) <= right
        placed += sum(bool(where) for _, where, _ in told)
    assert placed > 50


def test_the_parts_of_an_exception_group_are_no_tangle() -> None:
    assert [one.name for one in thrown(printed.PYTHON_GROUP)] == [
        "ExceptionGroup",
        "ConnectionResetError",
        "BrokenPipeError",
    ]


def test_what_others_print_in_a_tangle_is_no_exception() -> None:
    reads, writes = stack(1, *READ, end=RESET), stack(2, *WRITE, end=PIPE)
    output = woven([*reads[:5], "INFO: caio has joined", "bye", *reads[5:]], writes, "aaa" + "bbb" + "aaaaa")
    assert {name for name, _, _ in seen(output)} == {"ConnectionResetError", "BrokenPipeError"}


def test_what_a_tangle_hides_is_not_told_beside_the_same_with_its_place() -> None:
    reads, writes = stack(1, *READ, end=RESET), stack(2, *WRITE, end=PIPE)
    output = woven(reads, writes, "ab" * 9) + "\n".join(reads) + "\n"
    assert [where for name, where, _ in seen(output) if name == "ConnectionResetError"] == ["chat.py:40 (read)"]


def test_the_source_line_is_printed_or_looked_up() -> None:
    asked: list[tuple[str, int]] = []

    def source(file: str, line: int) -> str:
        asked.append((file, line))
        return "name := words[1]"

    assert clue_of(thrown(printed.PYTHON_RESET)[0], 0.0, source).source == "data = client.recv(1024)"
    assert clue_of(thrown(printed.GO_INDEX)[0], 0.0, source).source == "name := words[1]"
    assert asked == [("/home/ana/main.go", 42)]


@pytest.mark.parametrize(
    "flood",
    ["Traceback (most recent call last):\n" * 4000, "x" * 120_000, '  File "a", line 1\n' * 6000, "panic: x\n" * 9000,
     "A: Assertion `" * 9000, "a.b.C: d\n\tat a.b(c.java:1)\n" * 4000, " at a (" * 15000],
)  # fmt: skip
def test_a_flood_is_read_in_bounded_time(flood: str) -> None:
    began = time.process_time()
    assert len(thrown(flood)) <= MOST
    assert time.process_time() - began < 5


def test_a_strangers_bytes_are_made_visible() -> None:
    output = 'Traceback (most recent call last):\n  File "a\x1b[31m.py", line 3, in \u202eevil\n    x\x07()\nValueError: \x1b]0;owned\x07\n'
    clue = clue_of(thrown(output)[0], 0.0)
    assert all(text.isprintable() for text in (clue.what, clue.where, clue.source))
