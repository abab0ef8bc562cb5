"""Resources: what departed clients cost the server afterwards. A leak is what grows with every departure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from harness.history import Claimed, Flooded, Sample, Volume
from harness.properties.quoting import failed, passed, skipped
from harness.properties.scene import Scene
from harness.results import Judgement

#: More than this part of one processor, at rest, is a busy loop.
BUSY = 0.25
#: Of a busy machine a server that spins gets no more than this, and waits for the rest; one that rests wants nothing.
SERVED = 0.03
#: Threads that a runtime adds to its own while this many times as many clients leave are no leak.
FEW = 20
#: Below this an unbounded buffer cannot be told from ordinary growth, in bytes.
SMALLEST_LEAK = 24 << 20
#: A virtual machine's heap grows before its first collection: so much is its own habit (initial heap of a JVM).
RUNTIME_HABIT = 64 << 20
#: This part of what was pushed at the server stays in its memory when it bounds nothing.
KEPT_PART = 0.6
#: Fewer pushed bytes than this prove nothing about memory.
LEAST_PUSHED = 8 << 20

REMOTE = "the server is run by somebody else: its process cannot be seen"


def _labelled(scene: Scene, label: str) -> Sample | None:
    return next((s for s in reversed(scene.samples) if s.label == label), None)


def _ghost_ports(scene: Scene) -> set[int]:
    return {scene.opened[c].local_port for c, left in scene.left.items() if left.how == "silent" and c in scene.opened}


def threads(scene: Scene) -> Judgement | None:
    """Returns to its number of threads (and child processes) once the clients have left."""
    if scene.baseline.remote:
        return skipped("threads", REMOTE)
    judged = _grows(scene, "threads", lambda s: s.threads, "threads")
    if judged is None or judged.outcome == "fail":
        return judged
    processes = _grows(scene, "threads", lambda s: s.processes, "processes")
    return processes if processes is not None and processes.outcome == "fail" else judged


def sockets(scene: Scene) -> Judgement | None:
    """Returns to its number of open files and TCP connections; leaves none in CLOSE_WAIT."""
    if scene.baseline.remote:
        return skipped("sockets", REMOTE)
    after = _labelled(scene, "after-1")
    if after is None or not after.alive:
        return None
    ghosts = _ghost_ports(scene)
    waiting = [port for state, port in after.peers if state == "CLOSE_WAIT" and port not in ghosts]
    if waiting:
        whose = sorted({o.who for o in scene.opened.values() if o.local_port in waiting})
        stay = "connection stays" if len(waiting) == 1 else "connections stay"
        return failed(
            "sockets", "close-wait",
            f"{len(waiting)} {stay} in CLOSE_WAIT: the clients have closed, "
            f"the server never does ({', '.join(whose[:6]) or 'clients'})",
            expected="none, once everybody has left", observed=f"{len(waiting)} in CLOSE_WAIT", at_s=after.at_s,
        )  # fmt: skip
    return _grows(scene, "sockets", lambda s: s.descriptors, "open files and sockets")


def _grows(scene: Scene, prop: str, measure: object, unit: str) -> Judgement | None:
    of = measure if callable(measure) else None
    before, after = _labelled(scene, "before"), _labelled(scene, "after-1")
    if before is None or after is None or not after.alive or of is None:
        return None
    spare = len(_ghost_ports(scene))
    if of(after) <= of(before) + spare:
        return passed(prop, f"{of(before)} before, {of(after)} after")
    later = [s for label in ("after-2", "after-3", "after-4") if (s := _labelled(scene, label)) is not None and s.alive]
    if len(later) < 3:
        return _as_elsewhere(scene, prop, of(before), of(after), unit, after.at_s)
    counts = [of(s) for s in later]
    told = f"{of(before)} before, {of(after)} after the fault, then {counts[0]}, {counts[1]}, {counts[2]} as it was done again"
    silent = spare > 0
    if counts[0] < counts[1] < counts[2] and not silent and not _is_a_pool(scene, unit, later, counts[2] - counts[0]):
        return failed(
            prop, "grow-with-departures", f"{unit} grow with every client that left: {told}",
            expected=f"{_counted(of(before), unit)} at rest", observed=_counted(counts[2], unit), at_s=later[-1].at_s,
        )  # fmt: skip
    return passed(prop, f"it does not grow with departures: {told}")


def _is_a_pool(scene: Scene, unit: str, rounds: Sequence[Sample], more: int) -> bool:
    """Whether hundreds left meanwhile, and a thread or two came: a runtime's own, which has as many as were ever busy."""
    gone = sum(rounds[0].at_s < left.at_s <= rounds[-1].at_s for left in scene.left.values())
    return unit == "threads" and more * FEW < gone


def _as_elsewhere(scene: Scene, prop: str, before: int, after: int, unit: str, at_s: float) -> Judgement | None:
    """Left over once, and in other scenarios of this run seen to grow with every departure."""
    if prop not in scene.history.known_leaks or unit == "processes":
        return None
    return failed(
        prop, "grow-with-departures",
        f"{_counted(before, unit)} before, {after} after; in other scenarios of this run they were seen to grow with every client "
        "that left", expected=f"{_counted(before, unit)} at rest", observed=_counted(after, unit), at_s=at_s,
    )  # fmt: skip


def _counted(count: int, unit: str) -> str:
    """`1 thread`, `2 threads`."""
    return f"1 {_ONE.get(unit, unit)}" if count == 1 else f"{count} {unit}"


_ONE = {"threads": "thread", "processes": "process", "open files and sockets": "open file or socket"}

#: What `harness.flood` calls a line that never ends, and the part of it that others must get to say that it is not kept.
ENDLESS = "a line without an end"
PASSED_ON = 0.5


def memory(scene: Scene) -> Judgement | None:
    """Keeps its memory bounded: a slow reader, an endless line, churn."""
    if scene.baseline.remote:
        return skipped("memory", REMOTE)
    return _flooded(scene) or _claimed(scene) or _churned(scene)


def _flooded(scene: Scene) -> Judgement | None:
    """What was pushed at or through the server: it may keep a bounded part of it, or end who pushes."""
    floods = [f for f in scene.history.of(Flooded) if f.taken >= LEAST_PUSHED or f.ended]
    before = _labelled(scene, "before")
    if not floods or before is None:
        return None
    pushed = max(f.taken for f in floods)
    if all(f.what == ENDLESS for f in floods) and _passed_on(scene, floods) > pushed * PASSED_ON:
        return passed("memory", f"{pushed >> 20} MiB without a newline were passed on as they came, and not kept")
    first = min(f.at_s for f in floods)
    start = next((s for s in scene.samples if s.label == "flood-begin"), before)
    during = [s for s in scene.samples if s.at_s >= start.at_s and s.label.startswith("flood") and s.alive]
    if not during:
        return None
    grown = max(s.rss_bytes for s in during) - start.rss_bytes
    habit = RUNTIME_HABIT if start.rss_bytes > 30 << 20 else 0
    told = f"{pushed >> 20} MiB were pushed at it, its memory grew by {grown >> 20} MiB"
    if grown > max(SMALLEST_LEAK, int(KEPT_PART * pushed)) + habit and not (habit and _has_settled(during, pushed)):
        return failed(
            "memory", "unbounded", f"{told}: it keeps what it should drop or refuse",
            expected="a bound", observed=f"{grown >> 20} MiB more", at_s=first,
        )  # fmt: skip
    return passed("memory", told)


#: This part of what one message was claimed to hold, taken before it has come, was taken for the word alone.
BELIEVED = 0.5


def _claimed(scene: Scene) -> Judgement | None:
    """A message was announced to be huge, and did not come: what it was believed to need is seen in the memory."""
    claims = [c for c in scene.history.of(Claimed) if c.size >= 2 * RUNTIME_HABIT]
    begin = next((s for s in scene.samples if s.label == "claim-begin"), None)
    during = [s for s in scene.samples if s.label in ("claim", "claim-end") and s.alive]
    if not claims or begin is None or not during:
        return None
    size = max(c.size for c in claims)
    grown = max(s.rss_bytes for s in during) - begin.rss_bytes
    told = f"{size >> 20} MiB were announced and did not come, its memory grew by {max(0, grown) >> 20} MiB"
    if grown > BELIEVED * size:
        return failed(
            "memory", "believes-a-length", f"{told}: it makes room for whatever a length says",
            expected="a bound", observed=f"{grown >> 20} MiB more", at_s=claims[0].at_s,
        )  # fmt: skip
    return passed("memory", told)


def _has_settled(during: list[Sample], pushed: int) -> bool:
    """Whether the second half of a flood cost next to nothing more: a virtual machine with a large heap collects its
    garbage only when that is full, and stays so large; what is kept grows to the end. Too short a flood cannot tell."""
    sizes = [s.rss_bytes for s in during]
    half = len(sizes) // 2
    return half < 4 or max(sizes) - max(sizes[:half]) < KEPT_PART / 2 * pushed / 2


def _passed_on(scene: Scene, floods: Sequence[Flooded]) -> int:
    """How many bytes the one got who got the most, of those who sent none of the flood."""
    senders = {f.conn for f in floods}
    return max((v.received for v in scene.history.of(Volume) if v.conn not in senders), default=0)


def _churned(scene: Scene) -> Judgement | None:
    """What those who left cost: as many leave in each round, and the first round is the server's own warming up."""
    after = [s for s in scene.samples if s.label.startswith("departures-") and s.alive]
    if len(after) < 3:
        return None
    steps = [later.rss_bytes - earlier.rss_bytes for earlier, later in itertools.pairwise(after)]
    told = "its memory grew by " + ", then ".join(f"{max(0, step) >> 10} KiB" for step in steps)
    if min(steps) > SMALLEST_LEAK // 4 and sum(steps) > SMALLEST_LEAK:
        return failed(
            "memory", "grows-with-departures", f"as many clients came and went in each round, and {told}",
            expected="the memory of those who left is used again", observed=f"{sum(steps) >> 20} MiB more",
            at_s=after[-1].at_s,
        )  # fmt: skip
    return passed("memory", told)


def idles(scene: Scene) -> Judgement | None:
    """Uses no processor time once nothing happens: with nobody connected, and while those who are in say nothing."""
    if scene.baseline.remote:
        return skipped("idles", REMOTE)
    alone = _at_rest(
        scene, "idle", "busy", "with nobody connected it used {used} of a processor over {wall} s: a busy loop"
    )
    if alone is not None and alone.outcome == "fail":
        return alone
    together = _at_rest(
        scene, "silence", "busy-together",
        "while everybody was silent it used {used} of a processor over {wall} s: a busy loop",
    )  # fmt: skip
    return together if together is not None and together.outcome == "fail" else alone


def _at_rest(scene: Scene, label: str, shape: str, reason: str) -> Judgement | None:
    """The processor time between the samples of this label, the last look counts."""
    begins = [s for s in scene.samples if s.label == f"{label}-begin"]
    ends = [s for s in scene.samples if s.label == f"{label}-end" and s.alive]
    if not ends or len(begins) < len(ends):
        return None
    first, last = begins[len(ends) - 1], ends[-1]
    wall = last.at_s - first.at_s
    used = (last.cpu_s - first.cpu_s) / wall
    wanted = used + max(0.0, last.wait_s - first.wait_s) / wall
    if len(ends) >= 3 and (used > BUSY or (wanted > 3 * BUSY and used > SERVED)):
        return failed(
            "idles", shape, reason.format(used=f"{used:.0%}", wall=f"{wall:.1f}"),
            expected="nothing to do, nothing done", observed=f"{used:.0%} of a processor", at_s=last.at_s,
        )  # fmt: skip
    return passed("idles", f"{used:.1%} of a processor")
