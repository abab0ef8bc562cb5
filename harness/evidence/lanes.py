"""Who gets a lane in a sequence diagram: those who play a part one each, all others folded together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.evidence.words import Say
from harness.history import Opened, OpenFailed, Toxic
from harness.properties.scene import Scene
from harness.results import Judgement

LaneKind = Literal["person", "folded", "proxy", "server"]

#: Lanes of single people.
MOST_PEOPLE = 5
#: A person of this rank or above is never shown alone.
_NEVER = 5
_FOLDS = ("others", "crowd", "newcomers")


@dataclass(frozen=True, slots=True)
class Lane:
    """A vertical line of the diagram."""

    key: str
    title: str
    about: str
    kind: LaneKind


class Lanes:
    """The lanes from the left to the right. `server` and `proxy` are the numbers of theirs.

    `unseen` says at which moments nothing is shown: who came only then has no lane of its own.
    """

    def __init__(self, scene: Scene, failing: Sequence[Judgement], say: Say, unseen: Callable[[float], bool]) -> None:
        self._scene, self._say = scene, say
        self._named = set(re.findall(r"\w+", " ".join(f"{j.reason} {j.observed}" for j in failing)))
        people: dict[str, list[Opened]] = {}
        for opened in scene.opened.values():
            if not unseen(opened.at_s):
                people.setdefault(opened.who, []).append(opened)
        chosen = self._chosen(people)
        self.lanes = [Lane(who, who, self._about(people[who]), "person") for who in people if who in chosen]
        folds: dict[str, set[str]] = {}
        for who in set(people) - chosen:
            folds.setdefault(_fold(people[who][0]), set()).add(who)
        for who in {r.who for r in scene.history.of(OpenFailed) if not unseen(r.at_s)} - set(people):
            folds.setdefault("others", set()).add(who)
        for fold in (name for name in _FOLDS if name in folds):
            names = sorted(folds[fold])
            about = say("{count} clients", count=len(names)) if len(names) > 4 else ", ".join(names)
            self.lanes.append(Lane(fold, say(fold), about, "folded"))
        numbers = {(lane.kind, lane.key): number for number, lane in enumerate(self.lanes)}
        self._of_who = {who: numbers["folded", fold] for fold, names_ in folds.items() for who in names_}
        self._of_who |= {who: numbers["person", who] for who in chosen}
        self.proxy: int | None = None
        if any(True for _ in scene.history.of(Toxic)) or any(o.way == "proxy" for o in scene.opened.values()):
            self.proxy = len(self.lanes)
            self.lanes.append(Lane("toxiproxy", "Toxiproxy", "", "proxy"))
        self.server = len(self.lanes)
        self.lanes.append(Lane("server", say("server"), "", "server"))

    def of(self, conn: int) -> int:
        """The lane of a connection."""
        return self.of_who(self._scene.who(conn))

    def of_who(self, who: str) -> int:
        """The lane of a person; the first where there is none."""
        return self._of_who.get(who, 0)

    def _about(self, visits: Sequence[Opened]) -> str:
        told = [self._say("via proxy")] if any(o.way == "proxy" for o in visits) else []
        return ", ".join([*told, self._say("{count} visits", count=len(visits))] if len(visits) > 1 else told)

    def _chosen(self, people: dict[str, list[Opened]]) -> set[str]:
        ranks = {who: self._rank(who, visits) for who, visits in people.items()}
        return set(sorted((who for who in ranks if ranks[who] < _NEVER), key=lambda who: ranks[who])[:MOST_PEOPLE])

    def _rank(self, who: str, visits: Sequence[Opened]) -> int:
        """Who gets a lane first: the faulty and those whom a violation names, then bystanders; crowds never."""
        role, named = visits[0].role, who in self._named
        if role == "crowd":
            return _NEVER
        if role == "faulty" or any(o.way == "proxy" for o in visits) or len(visits) > 1:
            return 0
        left = [self._scene.left[o.conn].how for o in visits if o.conn in self._scene.left]
        if any(how in ("reset", "silent", "killed", "half-close") for how in left):
            return 0
        if role == "newcomer":
            return 3 if named else _NEVER
        return 1 if named else 2


def _fold(opened: Opened) -> str:
    return {"newcomer": "newcomers", "crowd": "crowd"}.get(opened.role, "others")
