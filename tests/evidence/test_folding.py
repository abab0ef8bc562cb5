"""What is done again and again stands in a repro.py once, in a loop, and does what it did."""

from __future__ import annotations

import pytest
from properties.histories import Story, ordinary

from harness.dialect.builtin import KNOWN
from harness.evidence.repro import FILE, Aim, folding, repros
from harness.evidence.repro.acts import NOTICE
from harness.evidence.repro.folding import folded
from harness.history import Ended, Introduced, Joined, Left, ServerEvent, Toxic, Way
from harness.properties import judge
from harness.results import Judgement
from harness.target import command

AIM = Aim(command("./server {port}"), "127.0.0.1:5000")


class Mock:
    """A client that writes down what is done to it."""

    def __init__(self, done: list[str], name: str) -> None:
        self.done, self.name = done, name

    def __getattr__(self, what: str) -> object:
        return lambda *words: self.done.append(f"{self.name} {what} {words}")


def done_by(lines: list[str]) -> list[str]:
    """What these lines do, in their order."""
    done: list[str] = []

    def come(name: str) -> Mock:
        done.append(f"{name} comes")
        return Mock(done, name)

    acts = {"enter": come, "connect": come, "come_back": come, "freeze": lambda: done.append("freeze")}
    exec("\n".join(lines), acts)
    return done


def test_a_block_that_stands_three_times_is_a_loop_whoever_comes_in_it() -> None:
    lines = ["ana = enter('ana')"]
    for name in ("odd", "odda", "oddb", "oddc"):
        lines += ["freeze()", f"{name} = connect('{name}')", f"{name}.send(b'x', b'y')", f"{name}.reset()"]
    short = folded([*lines, "ana.say('x')"])
    assert short == [
        "ana = enter('ana')",
        "for number in range(4):\n    freeze()\n    odd = connect(f\"odd{number}\")\n    odd.send(b'x', b'y')\n    odd.reset()",
        "ana.say('x')",
    ]
    done, before = done_by(short), done_by([*lines, "ana.say('x')"])
    assert [one.split(" ")[1:] for one in done] == [one.split(" ")[1:] for one in before]
    assert len({one.split(" ")[0] for one in done if one.startswith("odd")}) == 4


def test_one_who_comes_back_keeps_its_name() -> None:
    lines = ["bia = enter('bia')", *(["bia.reset()", "bia = come_back('bia')"] * 5), "bia.say('here')"]
    short = folded(lines)
    assert len(short) == 3
    assert done_by(short) == done_by(lines)


@pytest.mark.parametrize("lines", [
    ["a.reset()", "b.reset()", "c.reset()", "d.reset()"],  # different people
    ["a = connect('a')", "b = connect('b')", "c = connect('c')", "d = connect('d')", "b.reset()"],  # one is needed later
    ["a = connect('a')", "a.reset()", "b = connect('b')", "b.reset()"],  # twice is no loop
    ["a.say('x')", "a.say('y')", "a.say('z')", "a.say('u')"],
])  # fmt: skip
def test_what_is_not_the_same_stands_as_it_was(lines: list[str]) -> None:
    assert folded(lines) == lines


def test_a_block_that_counts_itself_is_counted_by_another_word() -> None:
    inner = 'for number in range(9):\n    one = connect(f"m{number}")\n    one.reset()'
    (loop,) = folded([inner] * 4)
    assert loop.startswith("for turn in range(4):\n    for number in range(9):\n        one = ")
    compile(loop, "loop", "exec")


def storm(story: Story, waves: int, ways: tuple[str, ...], size: int = 24) -> None:
    """A crowd comes in waves and goes in these ways, one after the other."""
    for wave in range(waves):
        people = [f"w{wave}m{number}" for number in range(size)]
        for who in people:
            story.join(who, role="crowd", counts=False, told=False)
        for number, who in enumerate(people):
            story.leave(who, ways[number % len(ways)], told=False)  # type: ignore[arg-type]
        story.wait(0.5)


def play_of(story: Story) -> str:
    """The play of the file for newcomers who could not talk after it."""
    judgement = Judgement("serves", "fail", "nobody heard", "both", "nothing", "no-exchange-newcomers", at_s=15.0)
    made = repros(story.history(), [judgement], (), KNOWN["original"], AIM)
    assert made.files, made.reasons
    return made.files[FILE].partition("def play() -> None:")[2].partition("\n\n\n")[0]


def test_a_crowd_that_comes_before_any_of_it_goes_is_a_loop() -> None:
    """Where all of a crowd left in the end it was told one by one: "82 steps, too many for a file that is read"."""
    play = play_of(ordinary(lambda story: storm(story, 1, ("reset",))))
    assert "crowd = [let_in(" in play
    assert "for number in range(24)]" in play
    assert "for one in crowd:\n        one.reset()" in play


def test_a_crowd_that_goes_in_two_ways_is_a_loop_and_each_wave_has_its_own_names() -> None:
    play = play_of(ordinary(lambda story: storm(story, 3, ("fin", "reset"))))
    assert play.count("for number in range(24)]") == 3
    assert play.count("for one, goes in zip(crowd") == 3
    assert "(Client.cut, Client.reset)" in play
    stems = [part.partition("{")[0] for part in play.split('let_in(f"')[1:]]
    assert len(set(stems)) == 3


def test_who_was_cut_off_by_the_proxy_is_in_the_file_as_who_left_himself() -> None:
    """The file for a message that was lost then had only those in it who stayed, and saw nothing."""

    def cut_off(story: Story) -> None:
        dora = story.join("dora", way="proxy", counts=False)
        story.add(Toxic(at_s=story.now, did="line: line taken down"))
        story.wait(0.1).add(Ended(at_s=story.now, conn=dora, how="fin"))
        story.wait(0.1).says("ana", "is it lost?", heard=False)

    story = ordinary(cut_off)
    lost = next(j for j in judge(story.history()) if j.id == "delivers")
    made = repros(story.history(), [lost], (), KNOWN["original"], AIM)
    assert made.files[FILE].index("dora.cut()") < made.files[FILE].index("ana.say('is it lost?")
    assert "for turn in range(" in made.files[FILE], "a FIN strikes by chance"


def test_a_pause_of_the_play_stands_in_the_file_before_who_comes_next() -> None:
    """Without it the newcomer came before the server had noticed who left, and got no one else's place."""

    def leaves(story: Story) -> None:
        story.leave("bia")
        story.wait(0.3).join("dora", role="newcomer", counts=False)

    play = play_of(ordinary(leaves))
    assert NOTICE in play


def test_a_second_window_may_be_refused() -> None:
    """A correct server refuses the name of somebody who is there: its file said then that the fault was there."""

    def twice(story: Story) -> None:
        story.join("bia", visit=2, role="faulty", counts=False)

    play = play_of(ordinary(twice))
    assert "bia_again = enter_if_let_in('bia')" in play


def test_one_who_has_vanished_holds_its_name() -> None:
    """The server cannot know that it is gone, and may refuse whoever comes under that name."""

    def vanishes(story: Story) -> None:
        story.leave("bia", "silent")
        story.wait(0.3).join("bia", visit=2, role="faulty", counts=False)

    play = play_of(ordinary(vanishes))
    assert "bia_again = enter_if_let_in('bia')" in play


def test_who_comes_while_the_server_sleeps_logs_in_when_it_runs_on() -> None:
    """Its file waited for the answer of a server that it had stopped itself, a correct one too."""

    def sleeps(story: Story) -> None:
        story.add(ServerEvent(at_s=story.now, what="frozen", asked=True))
        story.leave("bia", "reset")
        story.join("dora", role="newcomer", counts=False)
        joined = next(iter(story.find(Joined, conn=story.conns["dora"])))
        story.change(joined, at_s=joined.at_s + 0.2)
        story.wait(0.1).add(ServerEvent(at_s=story.now, what="thawed", asked=True))

    play = [line.strip() for line in play_of(ordinary(sleeps)).splitlines()]
    places = [play.index(line) for line in ("freeze()", "dora = connect('dora')", "thaw()", "log_in(dora)")]
    assert places == sorted(places)


@pytest.mark.parametrize("way", ["direct", "proxy"])
def test_a_connection_that_the_server_ended_is_not_closed_by_its_client(way: Way) -> None:
    """The server died, its clients closed what was over, and their file spoke on sockets that it had closed itself."""

    def ends(story: Story) -> None:
        dora = story.join("dora", way=way, counts=False)
        story.wait(0.1).add(Ended(at_s=story.now, conn=dora, how="fin"))
        story.wait(0.1).add(Left(at_s=story.now, conn=dora, how="fin"))
        story.leave("bia", "reset")

    assert "dora.close()" not in play_of(ordinary(ends))


def test_a_server_that_ends_when_words_cross_with_a_leaving_is_tried_until_it_does() -> None:
    """A Node server that writes to a socket that is gone ends, or does not: after a FIN that is a matter of chance."""
    judgement = Judgement("survives", "fail", "it ended", "runs", "gone", "exited", at_s=5.0)
    made = repros(ordinary(lambda story: story.leave("bia")).history(), [judgement], (), KNOWN["original"], AIM)
    assert "for turn in range(" in made.files[FILE]
    assert made.files[FILE].count("    expect_that_it_runs()\n") >= 2


def test_a_server_that_is_asleep_is_not_blamed_for_showing_nothing() -> None:
    """One who had come while it slept was not welcomed: its file looked for that before the server ran on."""

    def sleeps(story: Story) -> None:
        story.add(ServerEvent(at_s=story.now, what="frozen", asked=True))
        story.leave("bia", "reset")
        story.wait(0.1).join("dora", role="newcomer", counts=False, intro=b"")
        story.wait(0.1).add(ServerEvent(at_s=story.now, what="thawed", asked=True))

    story = ordinary(sleeps)
    seen = next(one for one in story.find(Introduced) if one.conn == story.conns["dora"])
    judgement = Judgement("welcomes", "fail", "dora", "hello", "", "partial-introduction", at_s=seen.at_s)
    made = repros(story.history(), [judgement], (), KNOWN["original"], AIM)
    play = made.files[FILE]
    assert play.index("    freeze()") < play.index("    thaw()") < play.index("newcomer = enter('dora')")


def test_a_crowd_whose_clients_come_again_and_again_is_folded_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    order = [(7 * number) % 50 for number in range(50)]
    comes = [f"m{number} = connect('m{number}')" for turn in range(3) for number in order]
    lines = [*comes, *(f"m{number}.close()" for number in range(50))]
    looked, shape = list[int](), folding._shape
    monkeypatch.setattr(folding, "_shape", lambda block: looked.append(len(block)) or shape(block))
    assert folded(lines) == lines
    assert len(looked) < 50 * len(lines)  # a scenario with hundreds had no verdict: as many looks as lines, squared
