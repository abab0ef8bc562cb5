"""What is looked at where a connection, or the server itself, is told to end."""

from __future__ import annotations

from harness.evidence.repro.acts import Untellable
from harness.evidence.repro.looks.telling import Telling, seldom
from harness.history import Ended, Left, Packet


def closes(telling: Telling) -> list[str]:
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
        *seldom(telling, 1, [
            "here.leave()",
            'expect(here.ended == "FIN", "the server answers a good-bye by closing the connection: FIN",'
            ' here.ended or "the connection stays open")',
        ]),
    ]  # fmt: skip


def life(telling: Telling) -> list[str]:
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
