"""Looks: what a repro.py looks at when the acts are over, for each property; and whom it needs for that."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.client.trace import Sent
from harness.dialect.profile import Profile
from harness.evidence.repro.acts import AGAIN, MOST_LINES, NOTICE, SURELY_NOTICED, Script, Untellable
from harness.evidence.repro.crossing import crossing, crossing_a_reset, left_in_order, orderly, perhaps_reset
from harness.evidence.repro.folding import folded
from harness.history import (
    Ended,
    Heard,
    Introduced,
    JoinFailed,
    Left,
    Listed,
    Noticed,
    Packet,
    Record,
    Said,
)
from harness.properties.scene import Scene
from harness.results import Judgement

#: After this time what must not come has come, or does not come, in seconds.
AWAITED_S = 0.5
#: How often something that happens now and then is tried.
TRIES = 20
#: A message is still on its way so long after it was said, in seconds.
STRUCK_S = 0.5
#: So often the same is done when it is looked whether something grows.
ROUNDS = 3


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


def told(telling: Telling) -> list[str]:
    """The lines of `play`. Raises Untellable."""
    teller = _TELLERS.get(telling.judgement.id)
    if teller is None:
        raise Untellable("this property cannot be seen from a bare socket")
    lines = folded(teller(telling))
    size = "\n".join(lines).count("\n") + 1
    if size > MOST_LINES:
        raise Untellable(f"it takes {size} steps: too many for a file that is read")
    return lines


# -- delivery


def _delivers(telling: Telling) -> list[str]:
    scene = telling.scene
    dropped = telling.record(Ended)
    if telling.judgement.shape == "bystander-dropped" and isinstance(dropped, Ended):
        script = telling.script(dropped.conn)
        who = script.variables[dropped.conn]
        return [*script.lines(), f'expect(not {who}.sees_the_end(1.0), "the connection of {who} stays", {who}.ended)']
    said = telling.record(Said)
    if not isinstance(said, Said):
        raise Untellable("the lost message is not known")
    conn = next((c for s, c in scene.lost if s is said), None)
    if conn is None:
        raise Untellable("who missed the message is not known")
    return _missed(telling, said, conn)


def _missed(telling: Telling, said: Said, conn: int) -> list[str]:
    """A message that did not come: it is said again as it was, then the room is tried in rounds."""
    script = telling.script(said.conn, conn, until_s=telling.struck(_sent_by(telling, said)))
    speaker, listener = script.variables[said.conn], script.variables[conn]
    special = said.joined > 1 or said.segments > 1  # then it stands among the acts, byte by byte
    words = script.words(said) if special else script.short(said)
    lines, say = script.lines(), f"{speaker}.say({words!a})"
    if not special:
        lines = [*(line for line in lines if line != say), say]
    return [
        *lines,
        f'expect({listener}.hears({words!a}), "{listener} hears what {speaker} said", {listener}.last_words())',
        *_rounds(telling, script, speaker, listener),
        *_seldom(telling, 2, ["expect_a_working_room(here, there)"]),
    ]


def _seldom(telling: Telling, stay: int, look: Sequence[str]) -> list[str]:
    """The same where a FIN alone did it, which it does by chance."""
    return crossing(telling.profile, stay, look) if left_in_order(telling.scene) else []


def _sent_by(telling: Telling, said: Said) -> float:
    """When the last piece of a message was sent."""
    following = [piece.at_s for piece in telling.sent if piece.conn == said.conn and piece.at_s >= said.at_s]
    return following[min(said.segments, len(following)) - 1] if following else said.at_s


def _rounds(telling: Telling, script: Script, *people: str) -> list[str]:
    """Everybody who is in the room at the end speaks and hears."""
    here = [
        script.variables[conn]
        for conn in script.conns
        if telling.scene.role(conn) != "crowd"
        and conn in telling.scene.joined
        and telling.scene.gone_at(conn) > script.until_s
        and not any("." in word for word in (script.variables[conn],))
    ]
    wanted = list(dict.fromkeys([*people, *here]))
    return [f"expect_a_working_room({', '.join(wanted)})"] if len(wanted) > 1 else []


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(names)})" if len(names) > 1 else f"({names[0]},)"


def _once(telling: Telling) -> list[str]:
    heard = telling.record(Heard)
    if not isinstance(heard, Heard):
        raise Untellable("the repeated message is not known")
    said = telling.scene.by_token[heard.token]
    script = telling.script(said.conn, heard.conn, until_s=said.at_s - 1e-6)
    speaker, listener = script.variables[said.conn], script.variables[heard.conn]
    return [
        *script.lines(),
        "for number in range(3):",
        '    words = f"only once, number {number}"',
        f"    {speaker}.say(words)",
        f"    {listener}.hears(words)",
        f"    {listener}.read_until(lambda: False, {AWAITED_S})  # a second copy would come now",
        f"    count = {listener}.received.count(words.encode())",
        f'    expect(count == 1, f"{listener} hears {{words!r}} once", f"{{count}} times: {{{listener}.last_words()}}")',
    ]


def _ordered(telling: Telling) -> list[str]:
    heard = telling.record(Heard)
    if not isinstance(heard, Heard):
        raise Untellable("the overtaken message is not known")
    said = telling.scene.by_token[heard.token]
    script = telling.script(said.conn, heard.conn, until_s=_joined_s(telling, said.conn, heard.conn))
    speaker, listener = script.variables[said.conn], script.variables[heard.conn]
    joined = telling.profile.bordered
    send = (
        f'{speaker}.send(b"".join(framed(SAY.replace("{{name}}", {speaker}.name).replace("{{text}}", one).encode()) for one in words))'
        if joined else f"for one in words:\n        {speaker}.say(one)"
    )  # fmt: skip
    return [
        *script.lines(),
        f"for turn in range({TRIES}):  # it does not go wrong each time",
        '    words = [f"turn {turn}, message {number}." for number in range(20)]',
        f"    {send}" + ("  # one segment holds them all" if joined else ""),
        f"    heard_all = all([{listener}.hears(one) for one in words])",
        f"    places = [{listener}.received.find(one.encode()) for one in words]",
        f'    expect(heard_all and places == sorted(places), "{listener} hears them in the order in which they were said",'
        f" {listener}.last_words())",
    ]


def _joined_s(telling: Telling, *conns: int) -> float:
    """When all of these were in."""
    return max(telling.scene.joined[conn].at_s for conn in conns) + 1e-6


def _intact(telling: Telling) -> list[str]:
    said = telling.record(Said)
    if not isinstance(said, Said):
        raise Untellable("the damaged message is not known")
    scene = telling.scene
    hearers = [c for c in said.expects if c in scene.opened] or [c for c in scene.hearers(said) if c != said.conn]
    if not hearers:
        raise Untellable("nobody is known who heard it")
    conn = next(
        (h.conn for h in scene.hearers(said).values() if not h.alone or said.text.strip() not in h.unit), hearers[0]
    )
    script = telling.script(said.conn, conn, until_s=_sent_by(telling, said))
    speaker, listener = script.variables[said.conn], script.variables[conn]
    words = script.words(said).strip()
    say, lines = f"{speaker}.say({words!a})", script.lines()
    plain = {say, f"{speaker}.say({script.short(said)!a})"} & set(lines)
    if plain:  # else it was sent in pieces, or with others, and stands among the acts
        lines = [*(line for line in lines if line not in plain), say]
    lines.append(f"{listener}.hears({words[-30:]!a})  # its end")
    if telling.judgement.shape == "joined":
        others = [
            s.text.decode("utf-8", "replace").strip() for s in scene.said if s.conn == said.conn and s is not said
        ]
        near = [s for s in others if s.encode() in b"".join(h.unit for h in scene.hearers(said).values())][:1]
        if not near:
            raise Untellable("the message that it was joined with is not known")
        telling.constants["RECEIVED"] = True
        return [
            *lines,
            f"one, other = {near[0]!a}, {words!a}",
            f"together = [unit for unit in units({listener}.received) if one.encode() in unit and other.encode() in unit]",
            'expect(not together, "two messages come as two", f"they come as one: {together[:1]}")',
        ]
    return [
        *lines,
        f'expect({listener}.hears({words!a}), "{listener} hears this, whole: " + {words!a}, {listener}.last_words())',
    ]


def _private(telling: Telling) -> list[str]:
    heard = telling.record(Heard)
    if not isinstance(heard, Heard):
        raise Untellable("the whisper is not known")
    said = telling.scene.by_token[heard.token]
    script = telling.script(said.conn, heard.conn, until_s=_sent_by(telling, said))
    listener = script.variables[heard.conn]
    words = said.text.decode("utf-8", "replace")
    return [
        *script.lines(),
        f'expect(not {listener}.hears({words!a}, 1.5), "{listener} is shown nothing of a whisper to somebody else",'
        f" {listener}.last_words())",
    ]


def _genuine(telling: Telling) -> list[str]:
    shape = telling.judgement.shape
    heard = telling.record(Heard)
    if shape == "ghost":
        return _ghost(telling)
    if not isinstance(heard, Heard):
        raise Untellable("what nobody said is not known")
    said = telling.scene.by_token.get(heard.token)
    if shape == "forged" and said is not None:
        return _forged(telling, said, heard)
    if shape == "leftover" and said is not None:
        return _leftover(telling, said, heard)
    raise Untellable("what nobody sent cannot be asked for again")


def _forged(telling: Telling, said: Said, heard: Heard) -> list[str]:
    scene = telling.scene
    template = scene.baseline.attribution
    victim = next(
        (n for n in sorted(scene.names, key=len, reverse=True)
         if template and template.replace("{name}", n).encode() in said.text), None
    )  # fmt: skip
    if template is None or victim is None:
        raise Untellable("in whose name it was shown is not known")
    script = telling.script(said.conn, heard.conn, until_s=_sent_by(telling, said))
    listener = script.variables[heard.conn]
    pattern = (
        rb"(?:^|[\r\n\v\f\b]|\x1b\[[0-9;?]*[A-Za-z])"
        + re.escape(template.replace("{name}", victim) + "I quit").encode()
    )
    return [
        *script.lines(),
        f"{listener}.hears({said.token!a})",
        "# what takes a reader to the beginning of a line, and then what looks like another person's words",
        f"forged = re.search({pattern!r}, {listener}.received)",
        f'expect(not forged, "no line that seems to be written by {victim}, who said nothing", {listener}.last_words())',
    ]


def _leftover(telling: Telling, said: Said, heard: Heard) -> list[str]:
    script = telling.script(said.conn, heard.conn, until_s=heard.at_s)
    listener = script.variables[heard.conn]
    speaker, words = script.variables[said.conn], script.short(said)
    first = f"{speaker}.say({words!a})"
    lines = script.lines()
    if first not in lines:
        place = lines.index("now_it_counts()")
        lines[place:place] = [first, f"{listener}.hears({words!a})"]
    return [
        *lines,
        f"{listener}.read_until(lambda: False, {AWAITED_S * 2})",
        f"count = {listener}.received.count({words.encode()!r})",
        f'expect(count <= 1, "{listener} is shown this once: " + {words!a}, f"{{count}} times: {{{listener}.last_words()}}")',
    ]


def _ghost(telling: Telling) -> list[str]:
    scene = telling.scene
    gone = {scene.name(conn): conn for conn, left in scene.left.items() if left.how != "silent"}
    for record in scene.noticed:
        author = scene.attributed_to(record.unit)
        if author in gone and scene.left[gone[author]].at_s < record.at_s:
            script = telling.script(record.conn, gone[author], until_s=scene.left[gone[author]].at_s)
            listener = script.variables[record.conn]
            return [
                *script.lines(),
                f"before = {listener}.received.count({record.unit!r})",
                f"{listener}.read_until(lambda: False, 2.0)",
                f"count = {listener}.received.count({record.unit!r}) - before",
                f'expect(count < 3, "{author} has left and says nothing", f"{{count}} empty messages: {{{listener}.last_words()}}")',
            ]
    raise Untellable("whose ghost it is is not known")


# -- availability


def _accepts(telling: Telling) -> list[str]:
    if telling.judgement.shape == "crowd-outside":
        raise Untellable("it takes a crowd: `harness replay` brings it")
    script = telling.script()
    lines = script.lines()
    variable, name = "newcomer", "dora"
    return [*lines, f"{variable} = enter({name!a})", *_heard_or_greeted(telling, script)]


def _heard_or_greeted(telling: Telling, script: Script) -> list[str]:
    """Where the login shows nothing, a newcomer is in when it hears somebody, or is heard."""
    here = _here(telling, script)
    if any(step.expect for step in telling.profile.login) and telling.scene.baseline.greeted:
        return []
    if not here:
        raise Untellable("nobody is there to hear the newcomer")
    return [f"expect_a_working_room({here[0]}, newcomer)"]


def _here(telling: Telling, script: Script) -> list[str]:
    """Who is in the room when the acts are over."""
    return list(
        dict.fromkeys(
            script.variables[c] for c in script.conns
            if telling.scene.well_behaved(c) and c in telling.scene.joined and telling.scene.gone_at(c) > script.until_s
        )
    )  # fmt: skip


def _survives(telling: Telling) -> list[str]:
    scene = telling.scene
    stay = [
        conn for conn in scene.joined
        if scene.well_behaved(conn) and (conn not in scene.left or scene.left[conn].at_s > scene.end_s)
    ]  # fmt: skip
    script = telling.script(*stay[:2])
    here = list(dict.fromkeys(script.variables[conn] for conn in stay if conn in script.variables))
    talk = []
    if here:
        talk = [
            "for number in range(3):  # the first write to a connection that is gone succeeds, the next ones fail",
            f"    for speaker in {_tuple(here)}:",
            '        speaker.say(f"after that, number {number}")',
        ]
    runs = "expect_that_it_runs()"
    return [*script.lines(), *talk, runs, *_seldom(telling, 0, [runs])]


def _serves(telling: Telling) -> list[str]:
    scene = telling.scene
    begin = next((at for at, name in scene.phases if name in ("calm", "rounds")), None)
    shape = telling.judgement.shape or ""
    witnesses = [conn for conn in scene.opened if scene.well_behaved(conn) and conn in scene.joined][:2]
    script = telling.script(*witnesses, until_s=begin)
    lines, here = script.lines(), _here(telling, script)
    if here:
        lines += [f"for speaker in {_tuple(here)}:", '    speaker.say("is anybody there?")']
    if shape.endswith("empty"):
        lines += [f"{who}.close()" for who in here]
    lines += ["time.sleep(0.2)", 'nina, otto = enter("nina"), enter("otto")', "expect_a_working_room(nina, otto)"]
    if not orderly(scene) or not (shape.endswith("empty") or left_in_order(scene)):
        return lines
    again = [lines[-2].replace('"nina"', 'f"nina{turn}"').replace('"otto"', 'f"otto{turn}"'), lines[-1]]
    go = ["nina.close()", "otto.close()"]
    return [*lines, *go, *crossing(telling.profile, 0, [*again, *go])]


def _responsive(telling: Telling) -> list[str]:
    scene = telling.scene
    flood = next(iter(_floods(telling)), None)
    if flood is not None:
        return flood
    said = telling.record(Said)
    if not isinstance(said, Said):
        raise Untellable("the message that was late is not known")
    until_s = telling.struck(said.at_s - 1e-6)
    conn = next((c for c in said.expects if scene.well_behaved(c) and scene.gone_at(c) > until_s), None)
    if conn is None:
        raise Untellable("who waited for it is not known")
    script = telling.script(said.conn, conn, until_s=until_s)
    return [*script.lines(), *_rounds(telling, script, script.variables[said.conn], script.variables[conn])]


def _floods(telling: Telling) -> list[list[str]]:
    """One who does not read, and others who talk: written for that, as millions of bytes are no example."""
    from harness.history import Flooded

    floods = [f for f in telling.scene.history.of(Flooded) if f.what != "a line without an end"]
    if not floods:
        return []
    size = min(telling.profile.max_message or 900, 4000)
    return [[
        'ana = enter("ana")',
        'zoe = log_in(Client("zoe", receive_buffer=4096))',
        'bia = enter("bia")',
        "now_it_counts()",
        "# zoe never reads: first its own buffer fills, then the server's, and then the server's send has to wait",
        f"filler = framed(SAY.replace('{{name}}', 'ana').replace('{{text}}', 'x' * {size}).encode())",
        "filler *= max(1, 65536 // len(filler))  # many messages at once",
        f"for turn in range({(24 << 20) // (1 << 16)}):",
        "    ana.send(filler)",
        '    words = f"turn {turn}"',
        "    ana.say(words)",
        '    expect(bia.hears(words), f"bia hears {words!r} of ana, although zoe reads nothing", bia.last_words())',
        "    bia.received = bia.received[-1000:]",
        "    ana.read_until(lambda: False, 0)",
        "    ana.received = b''",
    ]]  # fmt: skip


# -- sessions


def _welcomes(telling: Telling) -> list[str]:
    record = telling.record(Introduced)
    if not isinstance(record, Introduced):
        raise Untellable("who was not welcomed is not known")
    scene, opened = telling.scene, telling.scene.opened[record.conn]
    telling.constants["INTRODUCTION"] = list(scene.baseline.introduction)
    script = telling.script(record.conn, until_s=opened.at_s - 1e-6)
    lines = script.lines()
    entering = next((place for place, line in enumerate(lines) if " = enter(" in line), None)
    if entering is None:
        raise Untellable("who was welcomed is not known")
    first = lines[entering].partition(" = ")[0]
    lines[entering + 1 : entering + 1] = [
        f"missing = missing_words({first})",
        "wanted = [part for part in INTRODUCTION if part not in missing]  # what the first one is shown",
        f'expect(bool(wanted), "an introduction like that of the server from which this was made", {first}.last_words())',
    ]
    back = opened.visit > 1 or any(" = enter(" in line and ascii(opened.name) in line for line in lines)
    how, who = ("come_back", "back") if back else ("enter", "newcomer")
    if script.is_held(opened.name, opened.at_s):
        how = "enter_if_let_in"
    told: list[str] = []
    for line in (*lines, f"{who} = {how}({opened.name!a})"):
        told.append(line.replace(NOTICE, SURELY_NOTICED))
        if " = come_back(" in line or line.startswith(
            f"{who} = "
        ):  # whoever it strikes: that may be a matter of chance
            told += _introduced(line)
    if not orderly(scene):
        entry = 'newcomer = log_in(connect(f"new{turn}"))'
        told += crossing_a_reset(telling.profile, [entry, *_introduced(entry), "newcomer.close()"])
    return told


def _introduced(entry: str) -> list[str]:
    """That the one who comes in by this line is shown what the first one was."""
    who = entry.strip().partition(" = ")[0]
    indent = entry[: len(entry) - len(entry.lstrip())]
    return [
        f"{indent}missing = [part for part in missing_words({who}) if part in wanted]",
        f'{indent}expect(not missing, "an introduction of the same shape as the first, with " + ascii(missing), {who}.last_words())',
    ]


def _admits(telling: Telling) -> list[str]:
    heard = telling.record(Heard, Noticed)
    if isinstance(heard, Heard):
        said = telling.scene.by_token[heard.token]
        script = telling.script(said.conn, heard.conn, until_s=said.at_s - 1e-6)
        speaker, outsider = script.variables[said.conn], script.variables[heard.conn]
        return [
            *script.lines(),
            "for number in range(3):",
            '    words = f"only for those who have logged in, {number}"',
            f"    {speaker}.say(words)",
            f'    expect(not {outsider}.hears(words, {AWAITED_S}), "nothing for one who has not logged in", {outsider}.last_words())',
        ]
    if isinstance(heard, Noticed):
        shown = heard.unit.strip()
        script = telling.script(heard.conn)
        listener = script.variables[heard.conn]
        return [
            *script.lines(),
            f"{listener}.read_until(lambda: {shown!r} in {listener}.received, 1.5)",
            f'expect({shown!r} not in {listener}.received, "no word about one who never came in", {listener}.last_words())',
        ]
    raise Untellable("what was shown is not known")


def _forgets(telling: Telling) -> list[str]:
    tellers = {"still-listed": _still_listed, "name-taken": _name_taken, "not-told": _not_told}
    return tellers[telling.judgement.shape or ""](telling)


def _still_listed(telling: Telling) -> list[str]:
    look = telling.record(Listed)
    from harness.dialect.masking import stands_in

    name = next((n for n in look.gone if stands_in(n, look.answer)), None) if isinstance(look, Listed) else None
    if not isinstance(look, Listed) or name is None:
        raise Untellable("who is still listed is not known")
    whose = [conn for conn, o in telling.scene.opened.items() if o.name == name]
    gone_s = max(
        (telling.scene.gone_at(conn) for conn in whose if telling.scene.gone_at(conn) < look.at_s), default=None
    )
    script = telling.script(look.conn, *whose, until_s=gone_s)
    who = script.variables[look.conn]
    return [
        *script.lines(),
        "end = time.monotonic() + REPLY_S",
        f"while is_listed({name!a}, answer := {who}.asks_who_is_here()) and time.monotonic() < end:",
        "    time.sleep(0.1)",
        f'expect(is_listed({who}.name, answer), "a list with {who} in it", ascii(answer))',
        f'expect(not is_listed({name!a}, answer), "{name} has left, and stands in no list", ascii(answer))',
    ]


def _name_taken(telling: Telling) -> list[str]:
    failure = telling.record(JoinFailed)
    if not isinstance(failure, JoinFailed):
        raise Untellable("who was refused its name is not known")
    opened = telling.scene.opened[failure.conn]
    script = telling.script(until_s=opened.at_s - 1e-6)
    return [
        *script.lines(),
        "time.sleep(REPLY_S)  # it has had its time to notice",
        "try:",
        f"    log_in(connect({opened.name!a}))",
        "except Broken as refusal:",
        f'    raise Broken("{opened.name} has left, so its name is free again", str(refusal)) from None',
    ]


def _not_told(telling: Telling) -> list[str]:
    left, scene = telling.record(Left), telling.scene
    template = scene.baseline.leave_notice
    if not isinstance(left, Left) or template is None:
        raise Untellable("who left is not known")
    witness = next(
        (
            c
            for c, j in scene.joined.items()
            if c != left.conn and scene.well_behaved(c) and j.at_s < left.at_s < scene.gone_at(c)
        ),
        None,
    )
    if witness is None:
        raise Untellable("nobody was there to be told")
    script = telling.script(witness, left.conn, until_s=left.at_s)
    name = scene.name(left.conn)
    leaver, listener = script.variables[left.conn], script.variables[witness]
    if leaver.endswith(AGAIN):
        raise Untellable("a second window of the same name may be refused, and nobody is told then that it goes")
    lines = script.lines()
    place = max(n for n, line in enumerate(lines) if line.startswith(f"{leaver}."))
    words = max(template.replace("#", "{name}").split("{name}"), key=len).strip()
    lines[place:place] = [f"start = len({listener}.received)"]
    notices = [
        f"notice = {words.encode()!r}  # nobody but these four has left since `here` came",
        "here.read_until(lambda: here.received.count(notice) >= 4, REPLY_S)",
        'expect(here.received.count(notice) >= 4, "one who stays is told of each of the four who left", here.last_words())',
    ]
    return [
        *lines,
        f"{listener}.read_until(lambda: {words.encode()!r} in {listener}.received[start:], REPLY_S)",
        f"told = {listener}.received[start:]",
        f'expect({words.encode()!r} in told and {name.encode()!r} in told, "{listener} is told that {name} has left", repr(told))',
        *_seldom(telling, 1, notices),
    ]


def _identity(telling: Telling) -> list[str]:
    heard, scene = telling.record(Heard), telling.scene
    template = scene.baseline.attribution
    if not isinstance(heard, Heard) or template is None:
        raise Untellable("who spoke under whose name is not known")
    said = scene.by_token[heard.token]
    script = telling.script(said.conn, heard.conn, until_s=said.at_s - 1e-6)
    speaker, listener = script.variables[said.conn], script.variables[heard.conn]
    telling.constants["RECEIVED"] = True
    return [
        *script.lines(),
        'words = "who says this?"',
        f"{speaker}.say(words)",
        f'expect({listener}.hears(words), "{listener} hears {{words!r}}", {listener}.last_words())',
        f"{listener}.read_until(lambda: False, 0.2)  # the end of the line",
        f"shown = next((unit for unit in units({listener}.received) if words.encode() in unit), b'')",
        f'expect({scene.name(said.conn).encode()!r} in shown, "the name of {scene.name(said.conn)} in front of its words", repr(shown))',
    ]


def _expires(telling: Telling) -> list[str]:
    idle = telling.scene.baseline.idle_s or 0.0
    return [
        'ana = enter("ana")',
        "now_it_counts()",
        f'expect(ana.sees_the_end({2 * idle + 1.5:g}), "a connection that is silent for {idle:g} s is ended", "it stays open")',
    ]


def _resumes(telling: Telling) -> list[str]:
    resume = telling.profile.resume
    if resume is None:
        raise Untellable("no resumption is declared")
    word = resume.send
    identity = "identity" in (telling.judgement.shape or "") + (telling.judgement.reason or "")
    lines = [
        'ana = enter("ana")',
        'bia = enter("bia")',
        f"found = re.search({resume.token!a}, bia.received.decode('utf-8', 'replace'))",
        'expect(found is not None, "a token in the introduction", bia.last_words())',
        "token = found[1] if found else ''",
        "now_it_counts()",
        "bia.reset()",
        "ana.read_until(lambda: False, 0.3)  # the server notices",
        'ana.say("said while bia was away")',
        'back = connect("bia")',
    ]
    first = next((step.expect for step in telling.profile.login if step.expect), None)
    if first:
        lines.append(f"back.waits_for({first!a})")
    lines.append(f"back.answers({word!a}.replace('{{token}}', token).replace('{{name}}', 'bia'))")
    if not identity:
        lines.append(
            'expect(back.hears("said while bia was away"), "what bia missed is told when it resumes", back.last_words())'
        )
        return lines
    telling.constants["RECEIVED"] = True
    return [
        *lines,
        'words = "it is me again"',
        "time.sleep(0.2)",
        "back.say(words)",
        'expect(ana.hears(words), "ana hears who has resumed", ana.last_words())',
        "ana.read_until(lambda: False, 0.2)",
        "shown = next((unit for unit in units(ana.received) if words.encode() in unit), b'')",
        'expect(b"bia" in shown, "the name of bia in front of its words", repr(shown))',
    ]


# -- resources and the wire


def _growing(what: str, people: str) -> Teller:
    """Threads, descriptors: what grows with every departure. The acts, and some who come and go, are done again and again."""

    def teller(telling: Telling) -> list[str]:
        if telling.judgement.shape == "close-wait":
            return _close_wait(telling)
        telling.story = (
            "Four people come and go, three times over: each time something of them stays behind in the server."
        )
        return [
            'log_in(connect("first")).close()  # a server may keep something for the first one',
            "time.sleep(0.3)",
            f"before = count_of({what!a})",
            "now_it_counts()",
            *_each_way(_ways(telling), lambda ways, turn, manners: [
                "counts = []",
                f"for number in range({ROUNDS}):",
                *_indented(_departures(telling, ways, turn, manners)),
                f"    counts.append(count_at_rest({what!a}, before))",
                "grows = before < counts[0] < counts[1] < counts[2]",
                f'expect(not grows, f"{people} fall back to {{before}} when everybody has left", f"{{counts}}, round by round")',
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
        *_indented(rounds(ways, "way}x{number", "manners")),
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
    return lines


def _indented(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]


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


def _idles(telling: Telling) -> list[str]:
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


def _memory(telling: Telling) -> list[str]:
    shape = telling.judgement.shape
    if shape == "grows-with-departures":
        telling.story = "Sixty people come and go, four times over: the memory of those who left is to be used again."
        return [
            "now_it_counts()",
            "sizes = []",
            "for turn in range(4):",
            "    for number in range(15):",
            *_indented(_indented(_departures(telling, _ways(telling), "turn}x{number"))),
            "    time.sleep(0.5)",
            "    sizes.append(memory_mib())",
            "steps = [later - earlier for earlier, later in zip(sizes, sizes[1:])]",
            'expect(min(steps) < 6, "the memory of those who left is used again", f"{[round(s) for s in sizes]} MiB, round by round")',
        ]
    from harness.history import Flooded

    flood = next((f for f in telling.scene.history.of(Flooded)), None)
    if flood is None:
        raise Untellable("what was pushed at it is not known")
    if flood.what == "a line without an end":
        return _endless(telling)
    return _unread(telling)


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
    lines = _floods(telling)[0]
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


def _closes(telling: Telling) -> list[str]:
    left, scene = telling.record(Left, Ended, Packet), telling.scene
    if not isinstance(left, Left | Ended | Packet) or left.conn not in scene.left:
        raise Untellable("who left politely is not known")
    goodbye = scene.left[left.conn]
    script = telling.script(left.conn, until_s=goodbye.at_s)
    who = script.variables[left.conn]
    lines = script.lines()
    if f"{who}.leave()" not in lines:
        raise Untellable("nobody left politely")
    if lines.index("now_it_counts()") > lines.index(f"{who}.leave()"):
        lines.remove("now_it_counts()")
        lines.insert(lines.index(f"{who}.leave()"), "now_it_counts()")
    return [
        *lines,
        f'expect({who}.ended == "FIN", "the server answers a good-bye by closing the connection: FIN",'
        f' {who}.ended or "the connection stays open")',
        *_seldom(telling, 1, [
            "here.leave()",
            'expect(here.ended == "FIN", "the server answers a good-bye by closing the connection: FIN",'
            ' here.ended or "the connection stays open")',
        ]),
    ]  # fmt: skip


def _life(telling: Telling) -> list[str]:
    """The server is told to end while people are connected, as in the scenario; then it is looked at what is left."""
    shape = telling.judgement.shape
    number = _signal(telling)
    telling.story = "Two people are connected, and the server is told to end."
    lines = [
        'ana = enter("ana")',
        'bia = enter("bia")',
        "now_it_counts()",
        f"ended = end_it({number})",
    ]
    if shape == "stuck":
        return [*lines, 'expect(ended, f"it ends within {STOP_S:g} s", "it runs on")']
    lines += ["for one in (ana, bia):", "    one.sees_the_end()"]
    if shape == "left-hanging":
        lines.append('    expect(bool(one.ended), f"{one.name} sees the end of its connection", "silence")')
        return lines
    lines.append("    one.close()")
    if shape == "not-again":
        return [*lines, "start_it_again()"]
    return [*lines, 'expect(knock() == "refused", "nobody listens any more", f"a connection is {knock()}")']


def _signal(telling: Telling) -> str:
    """How the server was told to end, before the violation."""
    at_s = telling.judgement.at_s
    asked = [e for e in telling.scene.events if e.what in ("signal", "killed") and (at_s is None or e.at_s <= at_s)]
    if not asked:
        raise Untellable("nobody had told the server to end")
    return f"signal.{asked[-1].detail if asked[-1].detail.startswith('SIG') else 'SIGKILL'}"


_TELLERS: dict[str, Teller] = {
    "refuses": _life, "restarts": _life, "stops": _life, "accepts": _accepts, "survives": _survives, "serves": _serves, "responsive": _responsive,
    "welcomes": _welcomes, "admits": _admits, "forgets": _forgets, "identity": _identity, "expires": _expires,
    "resumes": _resumes, "delivers": _delivers, "once": _once, "ordered": _ordered, "intact": _intact,
    "private": _private, "genuine": _genuine, "threads": _growing("task", "threads"),
    "sockets": _growing("fd", "open files and sockets"), "memory": _memory, "idles": _idles, "closes": _closes,
}  # fmt: skip
