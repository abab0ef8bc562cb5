"""What is looked at where messages are lost, repeated, overtaken, damaged, shown to the wrong one, or made up."""

from __future__ import annotations

import re

from harness.evidence.repro.acts import Untellable
from harness.evidence.repro.looks.availability import floods
from harness.evidence.repro.looks.telling import AWAITED_S, Telling, rounds, seldom, sent_by
from harness.history import Ended, Heard, Said

#: How often something that happens now and then is tried.
TRIES = 20


def delivers(telling: Telling) -> list[str]:
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
    for flood in floods(telling):
        return [*flood, "zoe.abandon()", "time.sleep(0.3)", "expect_a_working_room(ana, bia)"]
    return _missed(telling, said, conn)


def _missed(telling: Telling, said: Said, conn: int) -> list[str]:
    """A message that did not come: it is said again as it was, then the room is tried in rounds."""
    script = telling.script(said.conn, conn, until_s=telling.struck(sent_by(telling, said)))
    speaker, listener = script.variables[said.conn], script.variables[conn]
    special = said.joined > 1 or said.segments > 1  # then it stands among the acts, byte by byte
    words = script.words(said) if special else script.short(said)
    lines, say = script.lines(), f"{speaker}.say({words!a})"
    if not special:
        lines = [*(line for line in lines if line != say), say]
    return [
        *lines,
        f'expect({listener}.hears({words!a}), "{listener} hears what {speaker} said", {listener}.last_words())',
        *rounds(telling, script, speaker, listener),
        *seldom(telling, 2, ["expect_a_working_room(here, there)"]),
    ]


def once(telling: Telling) -> list[str]:
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


def ordered(telling: Telling) -> list[str]:
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


def intact(telling: Telling) -> list[str]:
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
    script = telling.script(said.conn, conn, until_s=sent_by(telling, said))
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
        if not any(near[0] in line for line in lines):  # it was said after this one
            lines += [f"{speaker}.say({near[0]!a})", f"{listener}.hears({near[0][-30:]!a})"]
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


def private(telling: Telling) -> list[str]:
    heard = telling.record(Heard)
    if not isinstance(heard, Heard):
        raise Untellable("the whisper is not known")
    said = telling.scene.by_token[heard.token]
    script = telling.script(said.conn, heard.conn, until_s=sent_by(telling, said))
    listener = script.variables[heard.conn]
    words = said.text.decode("utf-8", "replace")
    return [
        *script.lines(),
        f'expect(not {listener}.hears({words!a}, 1.5), "{listener} is shown nothing of a whisper to somebody else",'
        f" {listener}.last_words())",
    ]


def genuine(telling: Telling) -> list[str]:
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
    script = telling.script(said.conn, heard.conn, until_s=sent_by(telling, said))
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
    scene = telling.scene
    author = scene.attributed_to(heard.unit)
    authors = [conn for conn, opened in scene.opened.items() if opened.name == author and opened.at_s < heard.at_s]
    script = telling.script(said.conn, heard.conn, *authors[-1:], until_s=heard.at_s)
    listener = script.variables[heard.conn]
    speaker, words = script.variables[said.conn], script.words(said)
    first = f"{speaker}.say({words!a})"
    lines = script.lines()
    if first not in lines:
        people = [speaker, listener, *(script.variables[conn] for conn in authors[-1:])]
        entered = [next((n + 1 for n, line in enumerate(lines) if line.startswith(f"{who} = ")), 0) for who in people]
        place = max(lines.index("now_it_counts()"), *entered)  # it may be a newcomer who said it
        lines[place:place] = [first, f"{listener}.hears({words!a})", f"{people[-1]}.say('ok')"]
    return [
        *lines,
        f"{listener}.read_until(lambda: False, {AWAITED_S * 2})",
        f"count = {listener}.received.count({said.token.encode()!r})  # the end of it: what is kept may begin later",
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
