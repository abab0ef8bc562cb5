"""What is looked at where people come in, go, come back, and bear their names."""

from __future__ import annotations

from harness.dialect.masking import stands_in
from harness.evidence.repro.acts import AGAIN, NOTICE, SURELY_NOTICED, Untellable
from harness.evidence.repro.crossing import crossing_a_reset, orderly
from harness.evidence.repro.looks.namesakes import two_of_one_name
from harness.evidence.repro.looks.telling import AWAITED_S, Telling, indented, seldom
from harness.history import Heard, Introduced, JoinFailed, Left, Listed, Noticed


def welcomes(telling: Telling) -> list[str]:
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
    begin = [
        *lines[: entering + 1],
        f"missing = missing_words({first})",
        "wanted = [part for part in INTRODUCTION if part not in missing]  # what the first one is shown",
        f'expect(bool(wanted), "an introduction like that of the server from which this was made", {first}.last_words())',
    ]
    back = opened.visit > 1 or any(" = enter(" in line and ascii(opened.name) in line for line in lines)
    how, who = ("come_back", "back") if back else ("enter", "newcomer")
    if script.is_held(opened.name, opened.at_s):
        how = "enter_if_let_in"
    told: list[str] = []
    for line in (*lines[entering + 1 :], f"{who} = {how}({opened.name!a})"):
        told.append(line.replace(NOTICE, SURELY_NOTICED))
        if " = come_back(" in line or line.startswith(f"{who} = "):  # whom it strikes may be a matter of chance
            told += _introduced(line)
    cross = crossing_a_reset(telling.profile, _one_after_another())
    if not orderly(scene) and cross:
        told = [
            "def words_cross_with_a_reset() -> None:",
            *indented(cross),
            'if ROUND["resets"]:  # before anything else has been done to this server, as it may be spoilt by that',
            "    now_it_counts()",
            "    words_cross_with_a_reset()",
            *told,
            'if not ROUND["resets"]:',
            "    words_cross_with_a_reset()",
        ]
    return [*begin, *told]


def _one_after_another() -> list[str]:
    """Two newcomers, the second when the first has left: what it left behind may be taken for the second one's."""
    first, second = 'newcomer = log_in(connect(f"new{turn}"))', 'later = log_in(connect(f"later{turn}"))'
    left = ["newcomer.close()", "time.sleep(0.1)"]
    return [first, *_introduced(first), *left, second, *_introduced(second), "later.close()"]


def _introduced(entry: str) -> list[str]:
    """That the one who comes in by this line is shown what the first one was."""
    who = entry.strip().partition(" = ")[0]
    indent = entry[: len(entry) - len(entry.lstrip())]
    return [
        f"{indent}missing = [part for part in missing_words({who}) if part in wanted]",
        f'{indent}expect(not missing, "an introduction of the same shape as the first, with " + ascii(missing), {who}.last_words())',
    ]


def admits(telling: Telling) -> list[str]:
    announced = telling.judgement.shape == "announced"  # a message may have come in the same read
    heard = telling.record(Noticed) if announced else telling.record(Heard, Noticed)
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


def forgets(telling: Telling) -> list[str]:
    tellers = {"still-listed": _still_listed, "name-taken": _name_taken, "not-told": _not_told}
    return tellers[telling.judgement.shape or ""](telling)


def _still_listed(telling: Telling) -> list[str]:
    look = telling.record(Listed)
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
        f"wanted = ({words.encode()!r}, {name.encode()!r})",
        f"{listener}.read_until(lambda: all(word in {listener}.received[start:] for word in wanted), REPLY_S)",
        f"told = {listener}.received[start:]",
        f'expect(all(word in told for word in wanted), "{listener} is told that {name} has left", repr(told))',
        *seldom(telling, 1, notices),
    ]


def identity(telling: Telling) -> list[str]:
    if telling.judgement.shape == "shared-name":
        return two_of_one_name(telling)
    heard, scene = telling.record(Heard), telling.scene
    template = scene.baseline.attribution
    if not isinstance(heard, Heard) or template is None:
        raise Untellable("who spoke under whose name is not known")
    said = scene.by_token[heard.token]
    script = telling.script(said.conn, heard.conn, until_s=said.at_s - 1e-6)
    speaker, listener = script.variables[said.conn], script.variables[heard.conn]
    name = scene.name(said.conn)
    telling.constants["RECEIVED"] = True
    begin = [
        *script.lines(),
        'words = "who says this?"',
        f"{speaker}.say(words)",
        f'expect({listener}.hears(words), f"{listener} hears {{words!r}}", {listener}.last_words())',
    ]
    in_front = template.replace("{name}", name).strip()
    if not scene.baseline.lines and "#" not in in_front:  # others' words may have come in the same read
        return [
            *begin,
            f"shown = {listener}.received[: {listener}.received.find(words.encode())].rstrip()",
            f'expect(shown.endswith({in_front.encode()!r}), "the name of {name} in front of its words", repr(shown[-60:]))',
        ]
    return [
        *begin,
        f"{listener}.read_until(lambda: False, 0.2)  # the end of the line",
        f"shown = next((unit for unit in units({listener}.received) if words.encode() in unit), b'')",
        f'expect({name.encode()!r} in shown, "the name of {name} in front of its words", repr(shown))',
    ]


def expires(telling: Telling) -> list[str]:
    idle = telling.scene.baseline.idle_s or 0.0
    return [
        'ana = enter("ana")',
        *(["ana.present = False  # she answers no heartbeat"] if telling.profile.keepalive else []),
        "now_it_counts()",
        f'expect(ana.sees_the_end({2 * idle + 1.5:g}), "a connection that is silent for {idle:g} s is ended", "it stays open")',
    ]


def resumes(telling: Telling) -> list[str]:
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
