"""The steps of a run: the fault itself stands in them, in both languages, and on its own packet of the capture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from cli.program import Program
from properties.histories import Story, ordinary

from harness.client.trace import Sent
from harness.evidence.ring import why_no_capture
from harness.evidence.steps import MOST, Told, shortened, steps
from harness.history import Ended, Joined, Left, Opened, OpenFailed, Phase, Step, Toxic
from harness.history import Leaving as Ways
from harness.language import Language
from harness.properties.scene import Scene

LEAVING = ("disconnect/abrupt", "disconnect/reset-after-login", "disconnect/polite-leave")


def told(story: Story, *sent: Sent) -> list[Told]:
    return list(steps(Scene(story.history()), sent))


def lines(found: list[Told]) -> list[str]:
    return [f"{one.who}: {one.did}" if one.who else one.did for one in found]


@pytest.mark.parametrize("how", get_args(Ways))
def test_every_way_to_go_is_a_step_in_both_languages(how: Ways) -> None:
    found = told(ordinary(lambda story: story.leave("bia", how)))
    step = next(one for one in found if one.who == "bia" and one.mark != "syn" and not one.did.startswith('says "'))
    assert step.did != Language.of("pt-BR").sentence(step.did)
    assert ("RST" in step.did, "FIN" in step.did) == (
        how in ("reset", "silent"),
        how in ("fin", "half-close", "silent"),
    )


def test_each_part_of_the_play_is_a_step() -> None:
    story = ordinary()
    found = {one.did for one in told(story)}
    assert {
        "the scenario begins",
        "the fault is over",
        "those who stayed talk",
        "newcomers come",
        "at rest",
        "the end",
    } <= found
    portuguese = Language.of("pt-BR")
    assert all(portuguese.sentence(one.did) != one.did for one in told(story))


def test_a_talk_is_one_step_and_says_who_missed_what() -> None:
    def quarrel(story: Story) -> None:
        for number in range(5):
            story.says("ana", f"hear me {number}", heard=number != 3)
        story.leave("bia", "reset")

    shown = lines(told(ordinary(quarrel)))
    assert next(line for line in shown if "messages; not heard by" in line).startswith("ana")
    assert not any("hear me 1" in line for line in shown)


def test_a_crowd_is_one_step_and_two_waves_are_two() -> None:
    story = Story(ordinary().baseline)
    story.phase("fault")
    for wave in range(2):
        conns = [story.open(f"m{number}", role="crowd", visit=wave + 1) for number in range(30)]
        story.wait(1)
        for conn in conns:
            story.add(Left(at_s=story.now, conn=conn, how="reset"))
        story.add(OpenFailed(at_s=story.now, who="m99", error="ECONNREFUSED", way="direct", role="crowd"))
        story.add(OpenFailed(at_s=story.now, who="m98", error="ECONNREFUSED", way="direct", role="crowd"))
        story.wait(1)
    assert lines(told(story)) == [
        "the scenario begins", "30 clients connect", "30 clients reset their connections: RST",
        "2 clients cannot connect: ECONNREFUSED", "30 clients come back", "30 clients reset their connections: RST",
        "2 clients cannot connect: ECONNREFUSED",
    ]  # fmt: skip


def test_what_is_repeated_at_rest_is_one_step() -> None:
    story = ordinary()
    rest = next(record.at_s for record in story.find(Phase) if record.name == "rest")
    before = len(told(story))
    for number in range(40):
        conn = 100 + number
        story.add(
            Opened(
                at_s=rest + 1e-3, conn=conn, who=f"v{number}", name="v", way="direct", role="bystander", local_port=1
            )
        )
        story.add(Left(at_s=rest + 2e-3, conn=conn, how="reset"))
    after = told(story)
    assert len(after) == before + 1
    assert "40 clients come and go, to see whether anything grows with each" in lines(after)


def test_of_very_many_steps_it_is_said_how_many_are_left_out() -> None:
    many = [Told(float(n), f"step {n}", "ana") for n in range(300)]
    assert shortened(many[:MOST]) == tuple(many[:MOST])
    short = shortened(many)
    (gap,) = [one for one in short if one.who is None]
    assert (len(short), short[0], short[-1]) == (MOST, many[0], many[-1])
    assert gap.did == f"… {300 - (MOST - 1)} more steps, not told one by one"
    assert Language.of("pt-BR").sentence(gap.did) == "… mais 101 passos, não contados um a um"
    assert [one.at_s for one in short] == sorted(one.at_s for one in short)


def test_odd_bytes_are_a_step_once() -> None:
    story = Story(ordinary().baseline)
    story.phase("fault")
    conn = story.open("stranger", role="faulty")
    pieces = [Sent(0.01 * n, conn, b"\x00\xff\x1b[31m", 7) for n in range(1, 4)]
    (step,) = [one for one in told(story, *pieces) if one.mark == "data"]
    assert step.did.startswith("sends 21 bytes in 3 pieces, beginning with ")
    assert step.did.isprintable()
    story.add(Step(at_s=0.005, did="sends 7 bytes that begin with a lie", who="stranger"))
    assert len([one for one in told(story, *pieces) if "sends" in one.did]) == 1


def test_a_goodbye_is_told_once_however_long_it_was_on_its_way() -> None:
    story = Story(ordinary().baseline)
    story.phase("fault")
    conn = story.open("bia", role="faulty")
    story.add(Joined(at_s=0.01, conn=conn, name="bia", asked_at_s=0.0))
    story.add(Left(at_s=0.9, conn=conn, how="polite"))
    odd, word = Sent(0.1, conn, b"odd\n", 4), Sent(0.2, conn, b"/quit\n", 6)
    assert [one.did for one in told(story, odd, word) if one.who == "bia"] == [
        "connects", "sends 4 bytes that begin with odd\\n", "says good-bye",
    ]  # fmt: skip


def test_the_end_that_the_other_side_made_is_a_step() -> None:
    story = Story(ordinary().baseline)
    story.phase("fault")
    conn = story.open("ana")
    story.add(Toxic(at_s=0.1, did="line: line cut", line="line"))
    story.add(Ended(at_s=0.2, conn=conn, how="reset"))
    assert lines(told(story))[-1] == "ana: its connection is ended by the other side: RST"


def packets(report: Path, scenario: str) -> list[dict[str, Any]]:
    table = json.loads((report / "scenarios" / scenario / "packets.json").read_text(encoding="utf-8"))
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_the_fault_of_a_real_run_stands_in_its_steps_and_on_its_packets(program: Program) -> None:
    done = program.run(*LEAVING, "--server", "reference", "--capture", "on", "--confirm", "0", "--lang", "pt-BR")
    assert done.status == 0, done.text
    results = {s["id"]: s["steps"] for s in program.results()["scenarios"]}
    expected = {
        LEAVING[0]: ("closes without a word: FIN", "FIN"), LEAVING[1]: ("resets the connection: RST", "RST"),
        LEAVING[2]: ("says good-bye", "PSH"),
    }  # fmt: skip
    for scenario, (did, flag) in expected.items():
        mine = [step["did"] for step in results[scenario] if step.get("who") == "bia"]
        assert mine.index("connects") < mine.index(did) < mine.index("comes back")
        if why_no_capture() is not None:
            continue
        rows = packets(program.report, scenario)
        (row,) = [row for row in rows if f" s: bia {did}" in row["notes"]]
        assert (row["who"], row["from"], flag in row["flags"]) == ("bia", "client", True)
        for who in ("ana", "bia", "caio"):
            (row,) = [row for row in rows if f" s: {who} connects" in row["notes"]]
            assert (row["who"], row["flags"]) == (who, "SYN")
    report = (program.report / "report.txt").read_text(encoding="utf-8")
    assert "bia: derruba a conexão: RST" in report
    assert report.split("Teste 2: ")[1].splitlines()[:3] == [
        "Desconexão súbita", "Conectado ao servidor", "SUCESSO: Socket fechado abruptamente",
    ]  # fmt: skip
