"""What is looked at where the server takes nobody in, dies, serves nobody any more, or keeps them waiting."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence.repro.acts import Script, Untellable
from harness.evidence.repro.crossing import crossing, left_in_order, orderly
from harness.evidence.repro.looks.telling import Telling, people_here, rounds, seldom
from harness.history import Flooded, Said

#: So many bytes people say only to fill the buffers of one who does not read.
POURED = 1 << 20


def accepts(telling: Telling) -> list[str]:
    if telling.judgement.shape == "crowd-outside":
        raise Untellable("it takes a crowd: `harness replay` brings it")
    script = telling.script()
    lines = script.lines()
    variable, name = "newcomer", "dora"
    return [*lines, f"{variable} = enter({name!a})", *_heard_or_greeted(telling, script)]


def _heard_or_greeted(telling: Telling, script: Script) -> list[str]:
    """Where the login shows nothing, a newcomer is in when it hears somebody, or is heard."""
    here = people_here(telling, script)
    if any(step.expect for step in telling.profile.login) and telling.scene.baseline.greeted:
        return []
    if not here:
        raise Untellable("nobody is there to hear the newcomer")
    return [f"expect_a_working_room({here[0]}, newcomer)"]


def survives(telling: Telling) -> list[str]:
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
    return [*script.lines(), *talk, runs, *seldom(telling, 0, [runs])]


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(names)})" if len(names) > 1 else f"({names[0]},)"


def serves(telling: Telling) -> list[str]:
    scene = telling.scene
    begin = next((at for at, name in scene.phases if name in ("calm", "rounds")), None)
    shape = telling.judgement.shape or ""
    witnesses = [conn for conn in scene.opened if scene.well_behaved(conn) and conn in scene.joined][:2]
    script = telling.script(*witnesses, until_s=begin)
    lines, here = script.lines(), people_here(telling, script)
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


def responsive(telling: Telling) -> list[str]:
    scene = telling.scene
    flood = next(iter(floods(telling)), None)
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
    return [*script.lines(), *rounds(telling, script, script.variables[said.conn], script.variables[conn])]


def floods(telling: Telling) -> list[list[str]]:
    """One who does not read, and others who talk: written for that, as millions of bytes are no example."""
    scene = telling.scene
    poured = sum(
        piece.length for piece in telling.sent if scene.well_behaved(piece.conn)
    )  # people say as much to nobody else
    if poured < POURED and all(f.what == "a line without an end" for f in scene.history.of(Flooded)):
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
