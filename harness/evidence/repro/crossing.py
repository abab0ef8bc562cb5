"""What goes wrong only now and then when people leave: tried until it does.

A FIN hurts a server that writes to one who has gone while it still hears another, and whom that strikes is a matter of
chance: where the acts of the failing play show nothing, words are made to cross with a leaving again and again. So is
what a reset does: the kernel tells the server of it once, whether it reads from that socket or writes to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.dialect.profile import Profile
from harness.history import Packet
from harness.properties.scene import Scene

#: How often people speak and go all together, which hurts a server that minds it nine times in ten.
CROSSINGS = 10
#: And how often words cross with a reset: what the first of them does to a server, further ones do not do better.
RESETS = 3
#: How much each has to say when one of them is reset: the server is still busy with it.
BURST = 20
_PEOPLE = ("ana", "bia", "caio", "dora", "elis")
#: Who of them stays, in the order in which they came: the first name is that of the last one.
_STAY = ("here", "there")


def orderly(scene: Scene) -> bool:
    """Whether nobody left in the fault but by FIN: a reset breaks each time what it breaks."""
    return all(how in ("fin", "polite", "half-close") for how in _ways(scene))


def left_in_order(scene: Scene) -> bool:
    """Whether somebody left in the fault, and nobody but by FIN."""
    return orderly(scene) and bool(_ways(scene))


def end_seen(scene: Scene, conn: int) -> str | None:
    """FIN or RST, whichever came first to the server from this client, or from the Toxiproxy in its name, as captured."""
    packets = (
        p for p in scene.history.of(Packet) if p.conn == conn and p.leg != "client-proxy" and p.sender != "server"
    )
    return next((end for p in packets for end in ("FIN", "RST") if end in p.flags), None)


def perhaps_reset(scene: Scene, conn: int) -> bool:
    """Whether a client that left in order may have been reset for the server: something was still on its way to it.

    So closes what is cut or closed at the Toxiproxy, and one of a crowd, to whom the others' leaving is told meanwhile.
    """
    seen = end_seen(scene, conn)
    return seen == "RST" or (seen is None and (scene.opened[conn].way == "proxy" or scene.role(conn) == "crowd"))


def _ways(scene: Scene) -> set[str]:
    """How people left, and how a line of the Toxiproxy ended connections in their name."""
    left = {one.how for one in scene.left.values() if scene.phase_at(one.at_s) == "fault"}
    over = [one for one in scene.ended.values() if scene.opened[one.conn].way == "proxy"]
    return left | {one.how for one in over if scene.phase_at(one.at_s) == "fault"}


def crossing(profile: Profile, stay: int, look: Sequence[str]) -> list[str]:
    """Lines in which five speak, all but `stay` of them close, and it is looked; none where the server takes no five.

    Those who stay are called `here` and `there` in `look`, those who go `gone`.
    """
    if not _has_room(profile, "dora9", 2 * len(_PEOPLE)):
        return []
    who = f"*gone, {', '.join(_STAY[:stay])}" if stay else "gone"
    told = ", ".join(f'"{name}"' for name in _PEOPLE)
    return [
        f"for turn in range({CROSSINGS}):  # it does not go wrong each time: words must cross with a leaving",
        f'    {who} = [enter(f"{{name}}{{turn}}") for name in ({told})]',
        "    for one in gone:",
        '        one.say("and now I am gone")',
        "    for one in gone:",
        "        one.close()",
        *(f'    {one}.say("who is left?")' for one in _STAY[:stay]),
        "    time.sleep(0.2)",
        *(f"    {line}" for line in look),
        *(f"    {one}.close()" for one in _STAY[:stay]),
    ]


def crossing_a_reset(profile: Profile, look: Sequence[str]) -> list[str]:
    """Lines in which two speak and one of them, `gone`, is reset in the midst of it, and it is looked.

    The other one, who speaks on, is called `here` in `look`.
    """
    if not _has_room(profile, "gone9", 4):
        return []
    return [
        f"for turn in range({RESETS}):  # it does not go wrong each time: words must cross with the reset",
        '    gone, here = log_in(connect(f"gone{turn}")), log_in(connect(f"here{turn}"))',
        "    time.sleep(0.1)  # both are in",
        f"    for number in range({BURST}):",
        '        gone.blurt(f"{number} things to say")',
        '        here.blurt(f"{number} answers")',
        "    gone.reset()",
        f"    for number in range({BURST}):",
        '        here.blurt(f"{number} further answers")',
        "    time.sleep(0.2)",
        *(f"    {line}" for line in look),
        "    here.close()",
    ]


def _has_room(profile: Profile, name: str, people: int) -> bool:
    """Whether the server takes names as long as this, and so many people."""
    names, places = profile.names.max, profile.max_clients
    return (names is None or names >= len(name)) and (places is None or places >= people)
