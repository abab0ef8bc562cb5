"""Are the judges awake? Each property is shown a history that violates it, and the same history made right.

The first must be judged `fail` (or `warn`, where that is the worst there is) for this property and no other; the
second `pass`. `python tests/mutation_check.py` prints the table and exits 1 when a row is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from properties.histories import RAW, Story, ordinary, waited

from harness.history import (
    Captured,
    Claimed,
    Ended,
    Flooded,
    Heard,
    Kernel,
    Knocked,
    Left,
    Leg,
    Listed,
    Noticed,
    Opened,
    OpenFailed,
    Output,
    Packet,
    Said,
    Sample,
    Sender,
    ServerEvent,
)
from harness.properties import IDS
from harness.results import Judgement, Outcome

#: Tells the history, violated (True) or made right (False).
Tell = Callable[[bool], Story]


@dataclass(frozen=True)
class Mutation:
    """One way to violate one property. `also`: what cannot but fail with it; `leaks`: seen in other scenarios."""

    prop: str
    way: str
    tell: Tell
    outcome: Outcome = "fail"
    shape: str | None = None
    also: frozenset[str] = frozenset()
    leaks: frozenset[str] = frozenset()

    def wrong(self) -> str | None:
        """What is not as it should be, or None."""
        broken, right = self.judged(True), self.judged(False)
        got = broken.get(self.prop)
        if got is None or got.outcome != self.outcome:
            return f"violated, it is {got.outcome if got else 'left out'} and not {self.outcome}: {_told(broken)}"
        if self.shape is not None and got.shape != self.shape:
            return f"violated, its shape is {got.shape} and not {self.shape}"
        others = _worse(broken, self.outcome) - {self.prop}
        if others != self.also:
            return f"violated, {', '.join(sorted(others ^ self.also))} should not differ: {_told(broken)}"
        if right.get(self.prop) is None or right[self.prop].outcome != "pass":
            return f"made right, it is not pass: {right.get(self.prop)}"
        if _worse(right, "warn"):
            return f"made right, something is still wrong: {_told(right)}"
        return None

    def judged(self, broken: bool) -> dict[str, Judgement]:
        """What the judges say of one of the two histories."""
        return self.tell(broken).judged(aims=(self.prop,), known_leaks=self.leaks)


def _worse(judged: dict[str, Judgement], outcome: Outcome) -> frozenset[str]:
    bad = ("fail", "error") if outcome == "fail" else ("fail", "error", "warn")
    return frozenset(j.id for j in judged.values() if j.outcome in bad)


def _told(judged: dict[str, Judgement]) -> str:
    return "; ".join(f"{j.id} {j.outcome}: {j.reason}" for j in judged.values() if j.outcome not in ("pass", "skip"))


MUTATIONS: list[Mutation] = []


def mutation(
    prop: str,
    way: str,
    *,
    shape: str | None = None,
    outcome: Outcome = "fail",
    also: Iterable[str] = (),
    leaks: Iterable[str] = (),
) -> Callable[[Tell], Tell]:
    """Register a way to violate a property."""

    def register(tell: Tell) -> Tell:
        MUTATIONS.append(Mutation(prop, way, tell, outcome, shape, frozenset(also), frozenset(leaks)))
        return tell

    return register


# -- availability ------------------------------------------------------------------------------------------------


@mutation("accepts", "a newcomer is never served", shape="not-let-in")
def _not_let_in(broken: bool) -> Story:
    story = ordinary().at(5.0)
    if broken:
        story.outside("dora", refused=False)
    else:
        story.leave(story.join("dora", counts=False))
    return story


@mutation("accepts", "a newcomer cannot connect", shape="no-connection")
def _no_connection(broken: bool) -> Story:
    story = ordinary().at(5.0)
    if broken:
        story.add(OpenFailed(at_s=5.0, who="dora", error="ECONNREFUSED", way="direct"))
    else:
        story.leave(story.join("dora", counts=False))
    return story


@mutation("accepts", "a newcomer hears nobody and is heard by nobody", shape="not-let-in")
def _mute(broken: bool) -> Story:
    story = ordinary(baseline=RAW).at(5.0)
    dora = story.join("dora", counts=False)
    story.says(dora, kind="fence", to=(), heard=() if broken else (story.conns["ana"],))
    waited(story, "hello", came=not broken, asked=5.0, until=6.0, conn=dora)
    story.at(6.5).leave(dora)
    return story


def _crowd(broken: bool, dropped: int = 0) -> Story:
    story = ordinary()
    for number in range(20):
        story.at(4.0 + number / 100)
        if broken and number % 2:
            story.outside(f"m{number}", refused=False, role="crowd")
        else:
            story.leave(story.join(f"m{number}", role="crowd", counts=False, told=False), told=False)
    story.at(8.0).add(Kernel(at_s=21.0, deltas={"ListenOverflows": dropped if broken else 0}))
    return story


mutation("accepts", "half of a crowd is never served", shape="crowd-outside")(_crowd)
mutation("accepts", "half of a crowd is dropped by the kernel", shape="backlog", outcome="warn")(
    partial(_crowd, dropped=31)
)


@mutation("refuses", "the stopped server still takes connections", shape="still-open")
def _still_open(broken: bool) -> Story:
    story = ordinary()
    story.change(story.find(Knocked)[0], outcome="accepted" if broken else "refused")
    return story


@mutation("refuses", "a knock at the stopped server's door hangs", shape="still-open")
def _hanging_knock(broken: bool) -> Story:
    story = ordinary()
    story.change(story.find(Knocked)[0], outcome="timeout" if broken else "refused")
    return story


@mutation("refuses", "one who was connected never sees the end", shape="left-hanging")
def _left_hanging(broken: bool) -> Story:
    story = ordinary()
    if broken:
        story.remove(story.find(Ended, conn=story.conns["zoe"]))
    return story


def _dies(broken: bool, status: str) -> Story:
    story = ordinary()
    if broken:
        story.cut(4.0)
        story.at(4.0).event("exited", asked=False, detail=status)
        for conn in (story.conns["ana"], story.conns["caio"]):
            story.add(Ended(at_s=4.01, conn=conn, how="fin"))
    return story


mutation("survives", "it exits", shape="died")(partial(_dies, status="1"))
mutation("survives", "it exits, status 0", shape="died")(partial(_dies, status="0"))
mutation("survives", "a signal ends it", shape="died")(partial(_dies, status="-11"))


def _no_login(broken: bool, who: str) -> Story:
    story = ordinary()
    if broken:
        conn = story.conns[who]
        since = story.opened[conn].at_s
        for said in story.find(Said, conn=conn):
            story.remove(story.find(Heard, token=said.token))
        story.remove([r for r in story.records if getattr(r, "conn", None) == conn])
        story.remove(story.find(Noticed, unit=f"* {who} joined".encode()))
        story.remove(story.find(Noticed, unit=f"* {who} left".encode()))
        for said in story.find(Said):
            story.change(said, expects=tuple(c for c in said.expects if c != conn))
        story.at(since).outside(who, refused=True, got=b"no room", role="newcomer")
    return story


mutation("serves", "a fresh client is refused while others are there", shape="no-login-newcomers")(
    partial(_no_login, who="otto")
)
mutation("serves", "a fresh client is refused in the empty room", shape="no-login-empty")(partial(_no_login, who="rui"))


def _no_exchange(broken: bool, deaf: str) -> Story:
    story = ordinary()
    if broken:
        story.remove(story.find(Heard, conn=story.conns[deaf]))
        for said in story.find(Said):  # it was never shown to be in, so that nothing must reach it
            story.change(said, expects=tuple(c for c in said.expects if c != story.conns[deaf]))
    return story


mutation("serves", "fresh clients do not hear each other", shape="no-exchange-newcomers")(
    partial(_no_exchange, deaf="otto")
)
mutation("serves", "fresh clients do not hear each other in the empty room", shape="no-exchange-empty")(
    partial(_no_exchange, deaf="rui")
)


@mutation("serves", "a fresh client cannot connect", shape="no-connection", also=["accepts"])
def _fresh_refused(broken: bool) -> Story:
    story = ordinary()
    if broken:
        story.add(OpenFailed(at_s=15.0, who="sara", error="ECONNREFUSED", way="direct", role="newcomer"))
    return story


@mutation("responsive", "bystanders hear each other too late", shape="late")
def _late(broken: bool) -> Story:
    story = ordinary()
    story.at(4.0).says("ana", to=[story.conns["caio"]], after=1.6 if broken else 0.002)
    if broken:
        waited(story, "delivery", came=False, asked=4.01, until=5.01)
    return story


@mutation("responsive", "nobody hears anybody during the fault", shape="stalled", also=["delivers"])
def _stalled(broken: bool) -> Story:
    story = ordinary()
    story.at(4.0).says("ana", to=[story.conns["caio"]], heard=not broken)
    story.at(4.005).says("caio", to=[story.conns["ana"]], heard=not broken)
    if broken:
        waited(story, "delivery", came=False, asked=4.01, until=5.01)
    return story


def _killed(broken: bool, story: Story) -> None:
    """The harness kills the server, starts it again, and everybody comes back."""
    story.event("killed")
    names = [story.opened[conn].who for conn in story.here]
    for conn in story.here:
        story.add(Ended(at_s=2.01, conn=conn, how="reset"))
    story.here = []
    if broken:
        story.at(2.5).event("start-failed", detail="OSError: [Errno 98] Address already in use")
        return
    story.at(2.5).event("ready")
    story.at(3.0)
    for name in names:
        story.join(name, visit=2, role="faulty" if name == "bia" else "bystander")


@mutation("restarts", "it does not start again on its port", shape="not-again")
def _not_again(broken: bool) -> Story:
    story = ordinary(partial(_killed, broken))
    if broken:
        story.cut(2.5)
    return story


def _stuck(broken: bool, signal: str) -> Story:
    story = ordinary()
    if not broken:
        return story
    if signal == "SIGINT":  # asked by SIGINT first, then by SIGTERM
        story.at(20.45).event("stuck", detail=signal)
        return story
    story.remove(story.find(ServerEvent, what="exited"))
    story.remove(story.find(Knocked))
    story.at(25.6).event("stuck", detail=signal)
    story.at(25.7).event("killed")
    return story


mutation("stops", "it runs on after SIGTERM", shape="stuck")(partial(_stuck, signal="SIGTERM"))
mutation("stops", "it runs on after SIGINT", shape="sigint", outcome="warn")(partial(_stuck, signal="SIGINT"))


# -- sessions ----------------------------------------------------------------------------------------------------


def _introduced(broken: bool, intro: bytes, visit: int = 1) -> Story:
    story = ordinary().at(4.0)
    if visit > 1:
        story.leave(story.join("dora", counts=False))
        story.at(5.5)
    story.leave(story.join("dora", intro=intro if broken else None, visit=visit, counts=False))
    return story


mutation("welcomes", "a newcomer is shown nothing", shape="silent-introduction")(partial(_introduced, intro=b""))
mutation("welcomes", "one who comes back is shown nothing", shape="silent-introduction")(
    partial(_introduced, intro=b"", visit=2)
)
mutation("welcomes", "one who comes back is shown a part", shape="partial-introduction")(
    partial(_introduced, intro=b"Welcome, dora!\n", visit=2)
)


@mutation("admits", "one who has not joined overhears the room", shape="overheard")
def _overheard(broken: bool) -> Story:
    story = ordinary().at(4.0)
    dora = story.open("dora", role="faulty")
    caio = story.conns["caio"]
    story.wait(0.1).says("ana", to=[caio], heard=[caio, dora] if broken else [caio])
    return story


@mutation("admits", "the room is told of one without a name", shape="announced")
def _announced(broken: bool) -> Story:
    story = ordinary().at(4.0)
    story.open("dora", role="faulty")
    if broken:
        story.notice("* {name} left", "None", to=[story.conns["ana"]])
    return story


@mutation("forgets", "one who left still stands in the list", shape="still-listed")
def _still_listed(broken: bool) -> Story:
    story = ordinary()
    look = story.find(Listed)[0]
    story.change(look, answer=b"online: ana, bia, caio" if broken else look.answer)
    return story


@mutation("forgets", "nobody is told that somebody left", shape="not-told")
def _not_told(broken: bool) -> Story:
    story = ordinary()
    if broken:
        story.remove(story.find(Noticed, unit=b"* bia left"))
    return story


@mutation("forgets", "one who left is refused its own name", shape="name-taken")
def _name_taken(broken: bool) -> Story:
    story = ordinary().at(4.0)
    if broken:
        story.outside("bia", refused=True, got=b"that name is taken", visit=2)
    else:
        story.leave(story.join("bia", visit=2, counts=False))
    return story


@mutation("identity", "words are shown under another's name", shape="misattributed")
def _misattributed(broken: bool) -> Story:
    story = ordinary().at(4.0)
    shown_as = "bia" if broken else "ana"
    story.says("ana", to=[story.conns["caio"]], unit=lambda conn, text: story.shown(conn, text, shown_as))
    return story


def _shared(broken: bool, duplicates: str) -> Story:
    story = ordinary(duplicates=duplicates).at(4.0)
    dora = story.join("dora", name="ana" if broken else "dora", counts=False)
    story.at(5.5)
    for speaker in ("ana", "dora"):
        story.says(speaker, to=[story.conns["caio"]])
    story.at(7.0).leave(dora)
    return story


mutation("identity", "two share a name where names are unique", shape="shared-name")(
    partial(_shared, duplicates="refused")
)
mutation("identity", "two share a name", shape="shared-name", outcome="warn")(partial(_shared, duplicates="accepted"))


@mutation("identity", "two came in at once under a name, are heard, and go", shape="shared-name")
def _shared_at_once(broken: bool) -> Story:
    story = ordinary(duplicates="refused").at(4.0)
    first = story.open("rita", role="faulty")
    twin = story.open("twin", role="faulty", name="rita" if broken else "twin")
    for newcomer in (first, twin):
        story.says(newcomer, to=[story.conns["caio"]])
    story.wait(0.01).leave(first, "reset")
    story.leave(twin, "reset")
    return story


@mutation("expires", "a silent connection stays open", shape="kept")
def _kept(broken: bool) -> Story:
    story = ordinary(idle_s=1.0)
    waited(story, "idle", came=not broken, asked=4.0, until=6.0 if broken else 5.1)
    return story


def _resumed(broken: bool, what: str) -> Story:
    story = ordinary(resumes=True).at(4.0)
    dora = story.join("dora", visit=2, counts=False)
    for one in ("resume-identity", "resume-missed"):
        waited(story, one, came=not (broken and one == what), asked=4.0, until=5.0, conn=dora)
    story.at(5.1).leave(dora)
    return story


mutation("resumes", "no identity comes back", shape="resume-identity")(partial(_resumed, what="resume-identity"))
mutation("resumes", "what was missed does not come back", shape="resume-missed")(
    partial(_resumed, what="resume-missed")
)


# -- delivery ----------------------------------------------------------------------------------------------------


def _lost(broken: bool, at_s: float, speaker: str, deaf: tuple[str, ...]) -> Story:
    story = ordinary().at(at_s)
    audience = [story.conns[who] for who in ("ana", "caio") if who != speaker]
    audience += [story.conns["otto"]] if at_s > 11 else []
    gone = {story.conns[who] for who in deaf} if broken else set()
    story.says(speaker, "lost words", to=audience, heard=[c for c in audience if c not in gone])
    return story


mutation("delivers", "nobody hears a message during the fault", shape="during-fault-nobody")(
    partial(_lost, at_s=5.0, speaker="ana", deaf=("caio",))
)
mutation("delivers", "nobody hears a message after a departure", shape="after-departure-nobody")(
    partial(_lost, at_s=8.7, speaker="caio", deaf=("ana",))
)
mutation("delivers", "one does not hear a message once newcomers are there", shape="newcomers-some")(
    partial(_lost, at_s=11.5, speaker="ana", deaf=("otto",))
)


@mutation("delivers", "one who did nothing is thrown out", shape="bystander-dropped")
def _bystander_dropped(broken: bool) -> Story:
    story = ordinary()
    dora = story.at(4.0).join("dora", counts=False)
    if broken:
        story.add(Ended(at_s=5.0, conn=dora, how="reset"))
        story.at(5.0).notice("* {name} left", "dora", to=[story.conns["ana"]])
    else:
        story.at(5.0).leave(dora)
    return story


@mutation("once", "a message comes twice", shape="twice")
def _twice(broken: bool) -> Story:
    story = ordinary()
    caio = story.conns["caio"]
    said = story.at(4.0).says("ana", to=[caio])
    if broken:
        story.hears(caio, said, after=0.004)
    return story


@mutation("ordered", "a message overtakes another", shape="overtaken")
def _overtaken(broken: bool) -> Story:
    story = ordinary()
    story.at(4.0).says("ana", "first", to=[story.conns["caio"]], after=0.05 if broken else 0.002)
    story.at(4.01).says("ana", "second", to=[story.conns["caio"]])
    return story


def _damaged(broken: bool, how: str) -> Story:
    story = ordinary()
    caio = story.conns["caio"]
    said = story.at(4.0).says("ana", "ração", to=[caio], heard=() if broken else (caio,), segments=2)
    token = said.token.encode()
    if broken and how == "changed":
        story.hears(caio, said, unit=b"[ana] ra??o " + token)
    elif broken and how == "joined":
        story.hears(caio, said, unit=b"[ana] more words " + said.text, alone=False)
    elif broken:
        story.add(Noticed(at_s=4.01, conn=caio, unit=b"[ana] " + said.text[:9]))
        story.add(Noticed(at_s=4.02, conn=caio, unit=b"[ana] " + said.text[9:]))
    return story


mutation("intact", "other words come", shape="changed")(partial(_damaged, how="changed"))
mutation("intact", "two messages come as one", shape="joined")(partial(_damaged, how="joined"))
mutation("intact", "one message comes as two", shape="cut")(partial(_damaged, how="cut"))


@mutation("private", "a bystander reads a whisper", shape="leaked")
def _leaked(broken: bool) -> Story:
    story = ordinary()
    dora = story.at(4.0).join("dora", counts=False)
    caio = story.conns["caio"]
    story.at(5.0).says("ana", "psst", kind="whisper", to=[dora], heard=[dora, caio] if broken else [dora])
    story.change(story.find(Said, kind="whisper")[0], to=dora)
    story.at(6.5).leave(dora)
    return story


@mutation("genuine", "a message comes that nobody sent", shape="unsaid")
def _unsaid(broken: bool) -> Story:
    story = ordinary()
    if broken:
        story.add(Heard(at_s=4.0, conn=story.conns["caio"], token="xq01zzz0000", unit=b"[ana] hi xq01zzz0000"))
    return story


def _forged(broken: bool, between: bytes) -> Story:
    story = ordinary()
    caio = story.conns["caio"]
    said = story.at(4.0).says("ana", "[caio] I quit", to=[], kind="forged", exact=False)
    story.hears(caio, said, unit=b"[ana] hello" + (between if broken else b" ") + said.text)
    return story


mutation("genuine", "a line break lets one write in another's name", shape="forged")(partial(_forged, between=b"\r"))
mutation("genuine", "a colour code lets one paint over a name", shape="forged")(
    partial(_forged, between=b"\x1b[2K\x1b[G")
)


@mutation("genuine", "the end of one's input becomes empty messages", shape="ghost")
def _ghost(broken: bool) -> Story:
    story = ordinary()
    for number in range(5 if broken else 0):
        story.add(Noticed(at_s=4.0 + number / 10, conn=story.conns["caio"], unit=b"[bia] "))
    return story


@mutation("genuine", "the end of each one's input becomes one empty message", shape="ghost")
def _ghost_of_each(broken: bool) -> Story:
    story = ordinary().at(4.0)
    for who in ("dora", "elis", "fred"):
        one = story.join(who, counts=False)
        story.leave(one, told=False)
        if broken:
            story.add(Noticed(at_s=story.now + 0.001, conn=story.conns["caio"], unit=f"[{who}] ".encode()))
        story.wait(0.1).notice(story.baseline.leave_notice, who)
    return story


# -- resources ---------------------------------------------------------------------------------------------------


def _grows(broken: bool, what: str) -> Story:
    story = ordinary()
    story.remove(story.find(Sample, label="after-1"))
    for number, (label, more) in enumerate((("after-1", 1), ("after-2", 4), ("after-3", 7), ("after-4", 10))):
        story.at(18.0 + number / 10).sample(label, **{what: 8 + (more if broken else 0)})
    before = story.find(Sample, label="before")[0]
    story.change(before, **{what: 8})
    return story


mutation("threads", "a thread stays for each that left", shape="grow-with-departures")(partial(_grows, what="threads"))
mutation("threads", "a dead child stays for each that left", shape="grow-with-departures")(
    partial(_grows, what="processes")
)
mutation("sockets", "a descriptor stays for each that left", shape="grow-with-departures")(
    partial(_grows, what="descriptors")
)


@mutation("threads", "a thread stays, and grew in other scenarios", shape="grow-with-departures", leaks=["threads"])
def _left_over(broken: bool) -> Story:
    story = ordinary()
    story.change(story.find(Sample, label="after-1")[0], threads=4 if broken else 3)
    return story


@mutation("sockets", "the server never closes its side", shape="close-wait")
def _close_wait(broken: bool) -> Story:
    story = ordinary()
    port = story.opened[story.conns["bia"]].local_port
    story.change(story.find(Sample, label="after-1")[0], peers=(("CLOSE_WAIT" if broken else "TIME_WAIT", port),))
    return story


@mutation("memory", "what one does not read is kept without a bound", shape="unbounded")
def _unbounded(broken: bool) -> Story:
    story = ordinary()
    for at_s, label, grown in ((4.0, "flood-begin", 0), (5.0, "flood", 40), (6.0, "flood-end", 70 if broken else 2)):
        story.at(at_s).sample(label, rss_bytes=(20 + (grown if broken else min(grown, 2))) << 20)
    story.add(Flooded(at_s=6.0, conn=story.conns["bia"], offered=64 << 20, taken=64 << 20, what="a line"))
    return story


@mutation("memory", "room is made for a message that never comes", shape="believes-a-length")
def _believes(broken: bool) -> Story:
    story = ordinary()
    for at_s, label in ((4.0, "claim-begin"), (5.0, "claim"), (6.0, "claim-end")):
        story.at(at_s).sample(label, rss_bytes=(280 if broken and label == "claim" else 20) << 20)
    story.add(Claimed(at_s=4.1, conn=story.conns["bia"], size=256 << 20))
    return story


@mutation("idles", "it spins with nobody connected", shape="busy")
def _busy(broken: bool) -> Story:
    story = ordinary()
    story.remove([r for r in story.find(Sample) if r.label.startswith("idle")])
    for number in range(3):
        story.at(18.1 + number / 2).sample("idle-begin", cpu_s=1.0 + number)
        story.at(18.5 + number / 2).sample("idle-end", cpu_s=1.0 + number + (0.39 if broken else 0.0))
    return story


@mutation("idles", "it spins while those who are in say nothing", shape="busy-together")
def _busy_together(broken: bool) -> Story:
    story = ordinary()
    for number in range(3):
        story.at(4.1 + number).sample("silence-begin", cpu_s=1.0 + number)
        story.at(4.9 + number).sample("silence-end", cpu_s=1.0 + number + (0.7 if broken else 0.0))
    return story


@mutation("idles", "it spins on a machine that is busy with something else", shape="busy-together")
def _busy_and_starved(broken: bool) -> Story:
    story = ordinary()
    for number in range(3):
        story.at(4.1 + number).sample("silence-begin", cpu_s=1.0, wait_s=2.0)
        story.at(4.9 + number).sample("silence-end", cpu_s=1.06 if broken else 1.0, wait_s=2.74)
    return story


# -- the wire and hygiene ----------------------------------------------------------------------------------------


def _ends_badly(broken: bool, how: str) -> Story:
    story = ordinary()
    ended = story.find(Ended, conn=story.conns["nina"])[0]
    if broken and how == "reset":
        story.change(ended, how="reset")
    elif broken:
        story.remove([ended])
    return story


def _on_the_wire(broken: bool, prop: str) -> Story:
    """Everything was captured: the handshakes, and how those who leave politely end, one of them behind a proxy."""
    story = ordinary()
    reset = prop == "closes" and broken
    for flow, opened in enumerate(list(story.find(Opened)), 1):
        if opened.who == "pia":
            story.change(opened, way="proxy")
        leg: Leg = "proxy-server" if opened.who == "pia" else "direct"
        ours: Sender = "proxy" if opened.who == "pia" else "client"
        told: list[tuple[float, Sender, str]] = [(0.0, ours, "SYN"), (0.001, "server", "SYN-ACK"), (0.002, ours, "ACK")]
        if prop == "handshake" and broken and opened.who == "nina":
            told.pop()
        for after, sender, flags in told:
            story.add(
                Packet(at_s=opened.at_s + after, flow=flow, leg=leg, conn=opened.conn, sender=sender, flags=flags)
            )
        for left in story.find(Left, conn=opened.conn, how="polite"):
            flags = "RST" if reset and opened.who == "pia" else "FIN-ACK"
            story.add(
                Packet(at_s=left.at_s + 0.004, flow=flow, leg=leg, conn=opened.conn, sender="server", flags=flags)
            )
    story.add(Captured(at_s=20.6, packets=900))
    return story


mutation("handshake", "the last ACK of one who was let in is missing", shape="incomplete")(
    partial(_on_the_wire, prop="handshake")
)
mutation("closes", "a polite leave through a proxy ends in a reset", shape="reset")(
    partial(_on_the_wire, prop="closes")
)
mutation("closes", "a polite leave ends in a reset", shape="reset")(partial(_ends_badly, how="reset"))
mutation("closes", "a polite leave does not end the connection", shape="never")(partial(_ends_badly, how="never"))

_TRACES = {
    "Python": 'Traceback (most recent call last):\n  File "s.py", line 3, in f\nConnectionResetError: [Errno 104]\n',
    "Java": 'Exception in thread "Thread-0" java.lang.NullPointerException\n\tat Server.run(Server.java:12)\n',
    "JavaScript": "node:events:497\n      throw er; // Unhandled 'error' event\nError: read ECONNRESET\n",
    "Go": "panic: runtime error: index out of range\n\ngoroutine 18 [running]:\n",
    "Rust": "thread '<unnamed>' panicked at src/main.rs:12:5:\ncalled `Result::unwrap()`\n",
    "C": "Segmentation fault (core dumped)\n",
}


def _prints(broken: bool, language: str) -> Story:
    story = ordinary()
    story.add(Output(at_s=4.0, text=_TRACES[language] if broken else "bia: connection reset, dropped\n"))
    return story


for _language in _TRACES:
    mutation("handles", f"an unhandled fault is printed ({_language})", shape="unhandled", outcome="warn")(
        partial(_prints, language=_language)
    )


@mutation("discreet", "a stack trace is shown to a client", shape="internals", outcome="warn")
def _indiscreet(broken: bool) -> Story:
    story = ordinary()
    unit = b"Traceback (most recent call last):" if broken else b"* your last message was not understood"
    story.add(Noticed(at_s=4.0, conn=story.conns["ana"], unit=unit))
    return story


@mutation("discreet", "a path is shown in a refusal", shape="internals", outcome="warn")
def _path(broken: bool) -> Story:
    story = ordinary().at(4.0)
    got = b"error in /home/student/chat/server.py" if broken else b"no such command"
    story.outside("dora", refused=True, got=got, role="faulty")
    return story


# -- the table ---------------------------------------------------------------------------------------------------


def main() -> int:
    """Print the table; 1 when a row is wrong, or a property has none."""
    wrong = 0
    out = sys.stdout
    for item in sorted(MUTATIONS, key=lambda m: IDS.index(m.prop)):
        broken, right = item.judged(True).get(item.prop), item.judged(False).get(item.prop)
        fault = item.wrong()
        wrong += fault is not None
        told = f"{broken.outcome if broken else 'left out':5} / {right.outcome if right else 'left out':5}"
        out.write(f"{item.prop:11} {item.way:62} {told} {'ok' if fault is None else 'WRONG: ' + fault}\n")
    missing = sorted(set(IDS) - {m.prop for m in MUTATIONS})
    if missing:
        out.write(f"never violated: {', '.join(missing)}\n")
    out.write(f"{len(MUTATIONS)} mutations of {len(IDS)} properties, {wrong + len(missing)} wrong\n")
    return 1 if wrong or missing else 0


if __name__ == "__main__":
    sys.exit(main())
