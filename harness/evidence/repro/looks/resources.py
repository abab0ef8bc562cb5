"""What is looked at where something stays behind of those who left: threads, sockets, memory, processor time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.evidence.repro.acts import Untellable
from harness.evidence.repro.crossing import perhaps_reset
from harness.evidence.repro.looks.availability import floods
from harness.evidence.repro.looks.telling import STRUCK_S, Teller, Telling, indented
from harness.history import Claimed, Ended, Flooded, Left
from harness.properties.scene import Scene

#: So often the same is done when it is looked whether something grows.
ROUNDS = 3
#: So many of the odd messages that were sent in the fault are sent again in each of them.
MOST_ODD = 3


def growing(what: str, people: str) -> Teller:
    """Threads, descriptors: what grows with every departure. The acts, and some who come and go, are done again and again."""

    def teller(telling: Telling) -> list[str]:
        if telling.judgement.shape == "close-wait":
            return _close_wait(telling)
        counted, counts = what, people
        if (telling.judgement.reason or "").startswith("processes"):
            counted = counts = "processes"  # the zombies too
        telling.story = (
            "Four people come and go, three times over: each time something of them stays behind in the server."
        )
        return [
            'log_in(connect("first")).close()  # a server may keep something for the first one',
            "time.sleep(0.3)",
            f"before = count_of({counted!a})",
            "now_it_counts()",
            *_each_way(_ways(telling), lambda ways, turn, manners: [
                "counts = []",
                f"for number in range({ROUNDS}):",
                *indented(_departures(telling, ways, turn, manners)),
                f"    counts.append(count_at_rest({counted!a}, before))",
                "grows = before < counts[0] < counts[1] < counts[2]",
                f'expect(not grows, f"{counts} fall back to {{before}} when everybody has left", f"{{counts}}, round by round")',
            ]),
        ]  # fmt: skip

    return teller


def _each_way(ways: Sequence[str], rounds: Callable[[Sequence[str], str, str], list[str]]) -> list[str]:
    """The rounds for each manner of leaving alone, then for all of them: one who was reset may spoil what comes after."""
    if len(ways) == 1:
        return rounds(ways, "number", "")
    alone = ", ".join(f"[Client.{_MANNER[way]}]" for way in ways)
    together = ", ".join(f"Client.{_MANNER[way]}" for way in ways)
    return [
        f"for way, manners in enumerate(({alone}, [{together}])):",
        *indented(rounds(ways, "way}x{number", "manners")),
    ]


_MANNER = {"polite": "leave", "fin": "close", "half-close": "half_close", "killed": "abandon", "reset": "reset"}


_NAMES = ("ana", "bia", "caio", "dora")


def _ways(telling: Telling) -> list[str]:
    """The manners in which people left in the failing scenario."""
    scene = telling.scene
    ways = {left.how for left in scene.left.values() if scene.phase_at(left.at_s) in ("fault", "rest")}
    if _cut(scene):
        ways.add("reset")
    if telling.profile.leave is None:
        ways.discard("polite")
    return [way for way in _MANNER if way in ways | {"fin"}]


def _cut(scene: Scene) -> bool:
    """Whether somebody may have been reset for the server in the fault, who left in order, or was cut off."""
    over: list[Left | Ended] = [*scene.left.values(), *scene.ended.values()]
    return any(perhaps_reset(scene, one.conn) for one in over if scene.phase_at(one.at_s) == "fault")


def _departures(telling: Telling, ways: Sequence[str], turn: str = "", manners: str = "") -> list[str]:
    """Some come, one speaks, and all go in these manners. `turn`: a variable that makes their names new each time;
    `manners`: one that holds the manners of this time."""
    scene = telling.scene
    told = ", ".join(f'"{name}"' for name in _NAMES)
    who = f'f"{{name}}{{{turn}}}"' if turn else "name"
    lines = [
        f"people = [log_in(connect({who})) for name in ({told})]",
        'people[0].say("hello")',
        "time.sleep(0.2)  # the others are told",
    ]
    if len(ways) == 1:
        lines += ["for one in people:", f"    one.{_MANNER[ways[0]]}()"]
    else:
        manners = manners or f"({', '.join(f'Client.{_MANNER[way]}' for way in ways)})"
        lines += [f"for one, goes in zip(people, {manners} * {len(_NAMES)}):", "    goes(one)"]
    if "half-close" in ways:
        lines += ["for one in people:", "    one.socket.close()"]
    if any(conn not in scene.joined for conn in scene.left):
        stranger = f'f"stranger{{{turn}}}"' if turn else '"stranger"'
        lines.append(f"connect({stranger}).close()  # one who never logs in")
    return [*lines, *_odd(telling, turn)]


def _odd(telling: Telling, turn: str) -> list[str]:
    """One who closes after such bytes as were sent in the fault: a server may wait for ever for what belongs to them."""
    scene = telling.scene
    script = telling.script(until_s=scene.end_s)
    odd = [c for c in scene.left if not scene.well_behaved(c) and scene.phase_at(scene.opened[c].at_s) == "fault"]
    try:
        acts = [act for conn in odd if conn in scene.joined and conn in script.conns for act in script.raw(conn)]
    except Untellable:  # too many bytes: then those who leave have to do
        return []
    if not acts:
        return []
    name = f'f"odd{{{turn}}}"' if turn else '"odd"'
    sends = [f"odd.{act.code.partition('.')[2]}" for act in acts[-MOST_ODD:]]
    return [f"odd = log_in(connect({name}))", *sends, "odd.close()  # perhaps in the midst of a message"]


def _close_wait(telling: Telling) -> list[str]:
    """One goes as in the fault, the others speak, and close: one after the other, as what the server still writes to one
    that has gone is answered with an RST, which ends the connection after all."""
    first, scene = _NAMES[1], telling.scene
    ways = {left.how for left in scene.left.values() if scene.phase_at(left.at_s) == "fault"}
    if _cut(scene):
        ways.add("reset")
    fault = next((way for way in ("reset", "killed") if way in ways), None)
    others = f"({', '.join(name for name in _NAMES if name != first or fault is None)})"
    telling.story = "Four people come; they speak, and one after the other closes its socket."
    lines = [f"{', '.join(_NAMES)} = [log_in(connect(name)) for name in ({', '.join(map(ascii, _NAMES))})]"]
    if fault is not None:
        telling.story = (
            "Four people come, and one goes abruptly; the others speak, and one after the other closes its socket."
        )
        lines += [f"{first}.{_MANNER[fault]}()", "time.sleep(0.2)  # the server has the time to notice"]
    return [
        *lines,
        f"for one in {others}:",
        '    one.say("hello")',
        "    time.sleep(0.2)",
        f"for one in {others}:",
        "    one.close()",
        "    time.sleep(0.2)",
        "now_it_counts()",
        "end = time.monotonic() + REST_S",
        "while close_waits() and time.monotonic() < end:",
        "    time.sleep(0.1)",
        'expect(close_waits() == 0, "no connection in CLOSE_WAIT when everybody has left", f"{close_waits()} of them")',
    ]


def idles(telling: Telling) -> list[str]:
    if telling.judgement.shape == "busy-together":
        telling.story, when = "Three people come and say nothing: the server has nothing to do.", "while all are silent"
        lines = [f"people = [log_in(connect(name)) for name in ({', '.join(map(ascii, _NAMES[:3]))})]"]
    else:
        telling.story = "Four people come and go; then, with nobody connected, the server has nothing to do."
        lines, when = _departures(telling, _ways(telling)), "with nobody connected"
    return [
        *lines,
        "now_it_counts()",
        "time.sleep(1.0)",
        "used = processor_s()",
        "time.sleep(2.0)",
        "used = (processor_s() - used) / 2.0",
        f'expect(used < 0.25, "{when} it has nothing to do", f"it uses {{used:.0%}} of a processor")',
    ]


def memory(telling: Telling) -> list[str]:
    shape = telling.judgement.shape
    if shape == "grows-with-departures":
        telling.story = "Sixty people come and go, four times over: the memory of those who left is to be used again."
        return [
            "now_it_counts()",
            "sizes = []",
            "for turn in range(4):",
            "    for number in range(15):",
            *indented(indented(_departures(telling, _ways(telling), "turn}x{number"))),
            "    time.sleep(0.5)",
            "    sizes.append(memory_mib())",
            "steps = [later - earlier for earlier, later in zip(sizes, sizes[1:])]",
            'expect(min(steps) < 6, "the memory of those who left is used again", f"{[round(s) for s in sizes]} MiB, round by round")',
        ]
    if shape == "believes-a-length":
        return _claimed(telling)
    flood = next((f for f in telling.scene.history.of(Flooded)), None)
    if flood is None:
        raise Untellable("what was pushed at it is not known")
    if flood.what == "a line without an end":
        return _endless(telling)
    return _unread(telling)


def _claimed(telling: Telling) -> list[str]:
    """A message is announced that does not come."""
    claimed = next(iter(telling.scene.history.of(Claimed)), None)
    if claimed is None:
        raise Untellable("what was announced is not known")
    lines = telling.script(claimed.conn, until_s=claimed.at_s + STRUCK_S).lines()
    if not any(".send(" in line for line in lines):
        raise Untellable("how it was announced is not known")
    place, size = lines.index("now_it_counts()"), claimed.size >> 20
    return [
        *lines[:place],
        "before = memory_mib()",
        *lines[place:],
        "time.sleep(0.5)",
        "grown = memory_mib() - before",
        f'expect(grown < {size // 2}, "no room for a message of {size} MiB of which next to nothing has come",'
        ' f"{grown:.0f} MiB more")',
    ]


def _endless(telling: Telling) -> list[str]:
    return [
        'bia = log_in(connect("bia"))',
        "before = memory_mib()",
        "now_it_counts()",
        "bia.socket.settimeout(2)",
        "sent = 0",
        "try:",
        "    while sent < 64:  # MiB of a line that never ends",
        '        bia.socket.sendall(b"x" * (1 << 20))',
        "        sent += 1",
        "except OSError:",
        "    pass  # the server has had enough, as it should",
        "time.sleep(0.5)",
        "grown = memory_mib() - before",
        'expect(grown < max(24, 0.6 * sent) + 64 * (before > 30), "a bound on what is kept of one line",'
        ' f"{grown:.0f} MiB more after {sent} MiB")',
    ]


def _unread(telling: Telling) -> list[str]:
    lines = floods(telling)[0]
    place = lines.index("now_it_counts()")
    loop = next(n for n, line in enumerate(lines) if line.startswith("for turn"))
    lines[loop] = "for turn in range(1024):  # 64 KiB each"
    lines[place:place] = ["before = memory_mib()"]
    lines = [
        line.replace("    expect(bia.hears(words), ", "    if not bia.hears(words):\n        break  #")
        if "expect(" in line
        else line
        for line in lines
    ]
    return [
        *lines,
        "grown, poured = memory_mib() - before, turn / 16",
        'expect(grown < max(24, 0.6 * poured) + 64 * (before > 30), "a bound on what waits for one who does not read",'
        ' f"{grown:.0f} MiB more after {poured:.0f} MiB")',
    ]  # fmt: skip
