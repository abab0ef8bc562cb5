"""Telling: what is known of one failure while its file is written, and what the looks have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.client.trace import Sent
from harness.dialect.profile import Profile
from harness.evidence.repro.acts import Script
from harness.evidence.repro.crossing import crossing, left_in_order
from harness.history import Record, Said
from harness.properties.scene import Scene
from harness.results import Judgement

#: After this time what must not come has come, or does not come, in seconds.
AWAITED_S = 0.5


#: A message is still on its way so long after it was said, in seconds.
STRUCK_S = 0.5


@dataclass
class Telling:
    """What is known of one failure while its file is written."""

    scene: Scene
    judgement: Judgement
    profile: Profile
    sent: tuple[Sent, ...]
    constants: dict[str, object] = field(default_factory=dict)
    story: str = ""  # what the file does, where that is not what the scenario did

    def script(self, *witnesses: int, until_s: float | None = None) -> Script:
        """The acts until the violation, for these and for whoever misbehaved."""
        until = until_s if until_s is not None else self.judgement.at_s
        return Script(self.scene, self.profile, self.sent, witnesses, self.scene.end_s if until is None else until)

    def struck(self, at_s: float) -> float:
        """Until when it is told of a message said then: where nobody had left, the first departure struck it on its way."""
        over = (*self.scene.left.values(), *self.scene.ended.values())
        in_fault = [one.at_s for one in over if self.scene.phase_at(one.at_s) == "fault"]
        first = min(in_fault, default=at_s)
        return max(at_s, first) if first - at_s < STRUCK_S else at_s

    def record(self, *kinds: type[Record]) -> Record | None:
        """The record at the moment of the violation."""
        at_s = self.judgement.at_s
        return next((r for r in self.scene.history.records if r.at_s == at_s and isinstance(r, kinds)), None)


Teller = Callable[[Telling], list[str]]


def seldom(telling: Telling, stay: int, look: Sequence[str]) -> list[str]:
    """The same where a FIN alone did it, which it does by chance."""
    return crossing(telling.profile, stay, look) if left_in_order(telling.scene) else []


def sent_by(telling: Telling, said: Said) -> float:
    """When the last piece of a message was sent."""
    following = [piece.at_s for piece in telling.sent if piece.conn == said.conn and piece.at_s >= said.at_s]
    return following[min(said.segments, len(following)) - 1] if following else said.at_s


def rounds(telling: Telling, script: Script, *people: str) -> list[str]:
    """These, and all bystanders who are in the room at the end, speak and hear; not one in whose mouth a message is stuck."""
    wanted = list(dict.fromkeys([*people, *people_here(telling, script)]))
    return [f"expect_a_working_room({', '.join(wanted)})"] if len(wanted) > 1 else []


def people_here(telling: Telling, script: Script) -> list[str]:
    """Who is in the room when the acts are over."""
    return list(
        dict.fromkeys(
            script.variables[c] for c in script.conns
            if telling.scene.well_behaved(c) and c in telling.scene.joined and telling.scene.gone_at(c) > script.until_s
        )
    )  # fmt: skip


def indented(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]
