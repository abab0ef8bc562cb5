"""The property catalogue: what a resilient chat server does, whatever the fault.

A property is a pure function from a scenario's history to a judgement; None says that the scenario never exercised it.
`judge` asks them all and folds what only follows: a server that died answers for its death, not for its silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.history import History, Opened, OpenFailed, Phase, Skipped
from harness.properties import availability, delivery, genuineness, hygiene, integrity, resources, sessions, wire
from harness.properties.scene import Scene
from harness.results import Judgement

Judge = Callable[[Scene], Judgement | None]


@dataclass(frozen=True, slots=True)
class Property:
    """One property: its public id, its group, what it is judged from, its judge."""

    id: str
    group: str
    judged_from: str
    judge: Judge

    @property
    def sentence(self) -> str:
        """What the server does: the judge's own first line."""
        return (self.judge.__doc__ or "").strip().splitlines()[0]


CATALOGUE: tuple[Property, ...] = (
    Property("accepts", "availability", "clients", availability.accepts),
    Property("refuses", "availability", "clients", availability.refuses),
    Property("survives", "availability", "process", availability.survives),
    Property("serves", "availability", "clients", availability.serves),
    Property("responsive", "availability", "clients", availability.responsive),
    Property("restarts", "availability", "process, clients", availability.restarts),
    Property("stops", "availability", "process, clients", availability.stops),
    Property("welcomes", "sessions", "clients", sessions.welcomes),
    Property("admits", "sessions", "clients", sessions.admits),
    Property("forgets", "sessions", "clients", sessions.forgets),
    Property("identity", "sessions", "clients", sessions.identity),
    Property("expires", "sessions", "clients", sessions.expires),
    Property("resumes", "sessions", "clients", sessions.resumes),
    Property("delivers", "delivery", "history", delivery.delivers),
    Property("once", "delivery", "history", delivery.once),
    Property("ordered", "delivery", "history", delivery.ordered),
    Property("intact", "delivery", "history", integrity.intact),
    Property("private", "delivery", "history", delivery.private),
    Property("genuine", "delivery", "history", genuineness.genuine),
    Property("threads", "resources", "process", resources.threads),
    Property("sockets", "resources", "process, kernel", resources.sockets),
    Property("memory", "resources", "process", resources.memory),
    Property("idles", "resources", "process", resources.idles),
    Property("handshake", "wire", "packet capture, else client sockets", wire.handshake),
    Property("closes", "wire", "client socket, packet capture", wire.closes),
    Property("handles", "hygiene", "server output", hygiene.handles),
    Property("discreet", "hygiene", "clients", hygiene.discreet),
)
IDS: tuple[str, ...] = tuple(p.id for p in CATALOGUE)

#: What cannot be asked any more once the first of these has failed; told as not reached, not as more failures.
FOLLOWS: dict[str, frozenset[str]] = {
    "survives": frozenset(IDS) - {"survives", "genuine", "private", "once", "ordered", "admits", "handles", "discreet"},
    "restarts": frozenset(
        {"accepts", "serves", "delivers", "responsive", "welcomes", "forgets", "handshake", "closes", "refuses"}
    ),
}


def judge(history: History) -> tuple[Judgement, ...]:
    """All judgements of one scenario run, in the catalogue's order.

    A property that does not apply or was never exercised is left out, unless the scenario was written for it, or the
    server is somebody else's: then it is a skip with the reason. A judge that cannot quote a witness is an `error` of the harness.
    """
    reason = next((r.reason for r in history.of(Skipped)), None)
    if reason is not None:
        return ()
    played = without_repetitions(history)
    whole = Scene(history)
    play = whole if played is history else Scene(played)
    judgements = [_ask(item, whole if item.group == "resources" else play) for item in CATALOGUE]
    found = [j for j in judgements if j is not None]
    return tuple(_fold(found))


def without_repetitions(history: History) -> History:
    """The history without the clients who came while the process was at rest.

    They repeat the fault in haste, to see whether a leak grows with each departure; nothing else is judged of them.
    """
    begin = end = float("inf")
    for part in history.of(Phase):
        if part.name == "rest":
            begin = part.at_s
        elif begin < float("inf"):
            end = min(end, part.at_s)
    hasty = {o.conn for o in history.of(Opened) if begin <= o.at_s < end}
    if not hasty and not any(begin <= failed.at_s < end for failed in history.of(OpenFailed)):
        return history
    return replace(
        history,
        records=tuple(
            record
            for record in history.records
            if getattr(record, "conn", None) not in hasty
            and not (isinstance(record, OpenFailed) and begin <= record.at_s < end)
        ),
    )


def _ask(item: Property, scene: Scene) -> Judgement | None:
    try:
        verdict = item.judge(scene)
    except Exception as error:  # a judge that breaks is the harness's fault, and says so
        return Judgement(item.id, "error", f"the harness could not judge this: {type(error).__name__}: {error}")
    aimed = item.id in scene.history.aims
    if verdict is not None and verdict.outcome == "skip" and not aimed and not scene.baseline.remote:
        return None
    if verdict is None and aimed:
        return Judgement(item.id, "skip", "this run did not come as far as exercising it")
    if verdict is not None and verdict.outcome == "fail" and not (verdict.expected and verdict.observed):
        return Judgement(item.id, "error", f"failed without a witness: {verdict.reason}")
    return verdict


def _fold(found: list[Judgement]) -> list[Judgement]:
    failing = {j.id for j in found if j.outcome == "fail"}
    for cause, consequences in FOLLOWS.items():
        if cause in failing:
            found = [
                replace(j, outcome="skip", reason=f"not reached: {cause}", expected=None, observed=None, shape=None)
                if j.id in consequences and j.outcome == "fail"
                else j
                for j in found
            ]
    return found
