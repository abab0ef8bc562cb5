"""repro.py: a failure as one file that needs nothing but Python and the server.

The history of a failing play says who did what on its socket; the judgement says what was violated. From both comes a
program that does the same on bare sockets, in fewer steps, and whose exit status says whether the fault is still there.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.client.trace import Sent
from harness.dialect.profile import Profile
from harness.evidence.repro.acts import Untellable
from harness.evidence.repro.crossing import orderly
from harness.evidence.repro.looks import told
from harness.evidence.repro.looks.telling import Telling
from harness.evidence.repro.writing import write
from harness.history import History
from harness.properties.scene import Scene
from harness.report.safe import visible
from harness.results import Judgement
from harness.target import ServerSpec

#: The file of a scenario's first failure; those of its further ones have the property in their name.
FILE = "repro.py"
#: A short play is played again, so often at most, and for so long: where all left in order, and where chance has a part in
#: what is seen (a reset, an abrupt leave). Seconds.
PLAYS, ORDERLY_S, CHANCE_S = 40, 6.0, 20.0
#: Why there is no file where the harness has a fault of its own.
BROKEN = "the harness could not write it, which is a fault of its own"


@dataclass(frozen=True, slots=True)
class Aim:
    """The server as the file will meet it: how it is started, and where it listened."""

    spec: ServerSpec
    address: str | None = None
    again: str = ""  # the command that plays the scenario again, with the same seed


@dataclass(frozen=True, slots=True)
class Repros:
    """The files (name, text); which property's failure each shows, and why others have none; the harness's own trouble."""

    files: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    trouble: str | None = None

    def told(self, judgements: Sequence[Judgement]) -> tuple[Judgement, ...]:
        """The judgements, with what shows them."""
        return tuple(
            replace(one, repro=self.shown.get(one.id), no_repro=self.reasons.get(one.id))
            if one.outcome == "fail"
            else one
            for one in judgements
        )


def repros(
    history: History, judgements: Sequence[Judgement], sent: Sequence[Sent], profile: Profile, aim: Aim, story: str = ""
) -> Repros:
    """A file for each failure that a bare socket can show; one that cannot be written costs no other."""
    files, shown, reasons, trouble = dict[str, str](), dict[str, str](), dict[str, str](), None
    scene = Scene(history)
    for judgement in judgements:
        if judgement.outcome != "fail":
            continue
        name = f"repro-{judgement.id}.py" if FILE in files else FILE
        try:
            files[name] = repro(scene, judgement, sent, profile, aim, story, name)
        except Untellable as why:
            reasons[judgement.id] = str(why)
            continue
        except Exception as error:
            trouble = f"no file to show {judgement.id} could be made: {type(error).__name__}: {error}"
            reasons[judgement.id] = BROKEN
            continue
        shown[judgement.id] = name
    return Repros(files, shown, reasons, trouble)


def repro(
    scene: Scene,
    judgement: Judgement,
    sent: Sequence[Sent],
    profile: Profile,
    aim: Aim,
    story: str = "",
    name: str = FILE,
) -> str:
    """The file of one failure, which will be called `name`. Raises Untellable where a bare socket cannot show it."""
    telling = Telling(scene, judgement, profile, tuple(sent))
    lines = told(telling)
    constants = {**_constants(scene, profile, aim), **telling.constants}
    text = write(
        _head(scene, judgement, aim, name), lines, telling.story or story or judgement.reason or "", profile, constants
    )
    compile(text, FILE, "exec")
    return text


def _head(scene: Scene, judgement: Judgement, aim: Aim, name: str) -> str:
    command = aim.spec.command_text
    started = _wrapped("        " + visible(command or ""))
    lines = [
        f"{scene.history.scenario}: the server violates `{judgement.id}`.",
        "",
        *_wrapped("What was seen: " + visible(judgement.reason or "")),
        *_wrapped("Expected: " + visible(judgement.expected or "")),
        *_wrapped("Observed: " + visible(judgement.observed or "")),
        "",
    ]
    if command is not None:
        lines += [f"    python3 {name}               # starts the server, as the harness did, and looks", *started]
        lines += [f"    python3 {name} HOST PORT     # the server is running already", ""]
    else:
        lines += [f"    python3 {name} HOST PORT     # the server must be running", ""]
    lines.append("Exit status: 1 while the fault is there, 0 when it is mended, 2 when it cannot tell.")
    if aim.again:
        lines += ["", "The whole scenario again, with the harness:", "", f"    {visible(aim.again)}"]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 110, subsequent_indent="    ", break_long_words=True)


def _constants(scene: Scene, profile: Profile, aim: Aim) -> dict[str, object]:
    deadlines, spec = scene.deadlines, aim.spec
    host, _, port = (aim.address or "127.0.0.1:5000").rpartition(":")
    bare = profile.framing_name("send") == "chunk"
    return {
        "HOST": host, "PORT": int(port), "CONNECT_S": 5.0, "JOIN_S": round(max(2.0, deadlines.join_s), 1),
        "REPLY_S": round(max(2.0, deadlines.reply_s), 1), "PAUSE_S": max(0.1 if bare else 0.02, profile.pause),
        "STOP_S": round(max(3.0, deadlines.stop_s), 1), "REST_S": round(max(3.0, deadlines.rest_s), 1), "SAY": profile.say, "LEAVE_WORD": profile.leave or "",
        "LIST_WORD": profile.list or "", "INTRODUCTION": [], "TRIES": PLAYS, "AGAIN_S": ORDERLY_S if orderly(scene) else CHANCE_S, "START": list(spec.argv),
        "START_IN": str(spec.cwd.resolve()), "START_STDIN": spec.stdin or "", "START_ENV": dict(spec.env),
    }  # fmt: skip
