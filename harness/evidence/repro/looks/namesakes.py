"""Two who give one name: neither goes on with its login before the other has given it, too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.dialect.profile import LoginStep
from harness.evidence.repro.acts import Untellable
from harness.evidence.repro.dialects import steps
from harness.evidence.repro.looks.telling import Telling, indented
from harness.history import Said

#: A time or a number stands where the template of a name in front of words has this.
_VARIES = re.escape("#")


def two_of_one_name(telling: Telling) -> list[str]:
    """Both are in the room under it, and nobody was told. Raises Untellable."""
    said, template = telling.record(Said), telling.scene.baseline.attribution
    if not isinstance(said, Said) or template is None:
        raise Untellable("who spoke under whose name is not known")
    login, name = telling.profile.login, telling.scene.name(said.conn)
    given = next((place for place, step in enumerate(login) if "{name}" in (step.send or "")), None)
    if given is None or sum(opened.name == name for opened in telling.scene.opened.values()) < 2:
        raise Untellable("how two came to have one name is not known")
    telling.story = f"Two give the name {name} before either has answered what is asked behind it."
    listener = "ana" if name != "ana" else "caio"
    in_front = re.escape(template.replace("{name}", name).strip()).replace(_VARIES, r"\S*")
    return [
        f"{listener} = enter({listener!a})",
        f"twins = [connect({name!a}), connect({name!a})]",
        "for client in twins:",
        *indented(steps(login[: given + 1])),
        "now_it_counts()",
        *_the_rest(login[given + 1 :]),
        f"{listener}.read_until(lambda: False, {QUIET_S})",
        "heard = []",
        "for number, client in enumerate(twins):",
        '    words = f"twin {number} speaks"',
        "    client.say(words)",
        f"    if {listener}.hears(words):",
        f'        in_front = {in_front.encode()!r} + rb"\\s*" + words.encode()',
        f"        heard += re.findall(in_front, {listener}.received)",
        f'expect(len(heard) < 2, "the second {name} is refused, asked again, renamed or cut off", repr(heard))',
    ]


#: What the server tells of those who have come is over, in seconds.
QUIET_S = 0.5


def _the_rest(login: Sequence[LoginStep]) -> Iterator[str]:
    """What is asked behind the name, which one of them is not asked where names are unique."""
    if not login:
        return
    yield "for client in twins:"
    yield from indented(["try:", *indented(steps(login)), "except Broken:", "    pass  # not let in, as it has to be"])
