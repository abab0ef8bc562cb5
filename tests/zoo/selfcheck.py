"""The zoo checks itself: correct servers pass all checks, and each planted defect fails the one for its property.

    python tests/zoo/selfcheck.py            # all servers; about three minutes on two cores
    python tests/zoo/selfcheck.py node rust  # these alone
    python tests/zoo/selfcheck.py --all NAME # every check, on a server with a defect, too
    python tests/zoo/selfcheck.py --table    # the table of README.md

A check is a function named after its property; it gets a fresh server and raises AssertionError. No harness is needed:
this is how one knows that the zoo is right before the harness is.
"""

from __future__ import annotations

import itertools
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from talker import Entry, Server, Talker, entries, fill, settle

MIB = 1 << 20
#: For names that nobody has had.
FRESH = itertools.count()


class Skipped(Exception):
    """The check does not apply to this server."""


# --- nothing is wrong


def check_basics(server: Server) -> None:
    settle(*server.room("ana", "bia", "cai"))


# --- availability


def check_accepts(server: Server) -> None:
    server.room("ana", "bia")
    with Talker(server.port).sock:
        server.talker("newcomer")


def check_refuses(server: Server) -> None:
    (ana,) = server.room("ana")
    server.process.send_signal(signal.SIGTERM)
    assert ana.end() != "still open", "a connected client does not see the end"
    assert server.ends_in(2)
    with suppress(ConnectionRefusedError):
        Talker(server.port)
        raise AssertionError("one can still connect")


def check_survives(server: Server) -> None:
    ana, bia, cai = server.room("ana", "bia", "cai")
    ana.reset()
    for _ in range(3):
        settle(bia, cai)
    for how in (Talker.reset, Talker.close):
        for _ in range(50):
            how(Talker(server.port))
    settle(bia, cai, server.talker("dora"))
    assert server.alive()


def check_serves(server: Server) -> None:
    ana, bia, cai = server.room("ana", "bia", "cai")
    bia.send(b"bad \xff\xc0\xaf\xed\xa0\x80 bytes\n")
    ana.reset()
    time.sleep(0.1)
    settle(cai, *server.room("dora", "eva"))


def check_responsive(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    stalled = Talker(server.port, "stalled", server.dialect, buffer=4096)
    stalled.log_in()
    settle(ana, bia)
    flood(ana, [bia], 16)
    settle(ana, bia)


def check_restarts(server: Server) -> None:
    room = server.room("ana", "bia")
    server.process.terminate()
    assert server.ends_in(2)
    for talker in room:
        talker.end()
        talker.close()
    server.start()
    check_basics(server)


def check_stops(server: Server) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        talkers = server.room("ana", "bia")
        server.process.send_signal(number)
        assert server.ends_in(1), f"it does not end on {signal.Signals(number).name}"
        for talker in talkers:
            talker.reset()
        server.start()


# --- sessions


def check_welcomes(server: Server) -> None:
    shapes = []
    for leave in (Talker.close, Talker.reset, Talker.close):
        ana = server.talker("ana")
        ana.take(0.1)
        shapes.append(re.sub(rb"token: \w+|\d+", b"#", ana.heard))
        leave(ana)
        time.sleep(0.2)
    assert shapes[0] == shapes[1] == shapes[2], shapes


def check_admits(server: Server) -> None:
    if not must_log_in(server):
        raise Skipped
    ana, bia = server.room("ana", "bia")
    stranger = Talker(server.port)
    time.sleep(0.1)
    token = ana.say()
    assert not stranger.hears(token, 0.3), "one who has not logged in hears the room"
    before = len(bia.heard)
    stranger.close()
    time.sleep(0.1)
    settle(ana, bia)
    fresh = [line for line in bia.heard[before:].splitlines() if b"tok" not in line]
    assert not fresh, f"one who never joined is announced: {fresh}"


def check_forgets(server: Server) -> None:
    if "login" not in server.dialect:
        raise Skipped
    for leave in (Talker.reset, Talker.close):
        ana, bia = server.room("ana", "bia")
        leave(ana)
        time.sleep(0.1)
        bia.take(0.1)  # the notice
        before = len(bia.heard)
        bia.send(server.dialect["list"] + "\n")
        assert bia.hears("bia", after=before)
        assert b"ana" not in bia.heard[before:], "still listed"
        ana = server.talker("ana")
        settle(ana, bia)
        for talker in (ana, bia):
            talker.close()
        time.sleep(0.1)


def check_identity(server: Server) -> None:
    if "login" not in server.dialect:
        raise Skipped
    ana, bia, cai = server.room("ana", "bia", "cai")
    ana.reset()
    time.sleep(0.1)
    dora = server.talker("dora")
    line = bia.line_with(dora.say())
    assert "dora" in line, f"dora's words come as {line!r}"
    settle(bia, cai, dora)


def check_expires(server: Server) -> None:
    if "idle" not in server.dialect:
        raise Skipped
    quiet = server.talker("quiet")
    assert quiet.end(server.dialect["idle"] + 1.5) == "FIN"


def check_resumes(server: Server) -> None:
    if "resume" not in server.dialect:
        raise Skipped
    ana, bia = server.room("ana", "bia")
    found = re.search(server.dialect["resume"]["token"], ana.heard.decode())
    assert found
    ana.reset()
    time.sleep(0.1)
    missed = [bia.say() for _ in range(5)]
    back = Talker(server.port, "ana", server.dialect)
    back.send(server.dialect["resume"]["send"].replace("{token}", found[1]) + "\n")
    for token in missed:
        assert back.hears(token), "a missed message does not come"
    assert "ana" in bia.line_with(back.say())


# --- delivery


def check_delivers(server: Server) -> None:
    ana, bia, cai, dora = server.room("ana", "bia", "cai", "dora")
    ana.reset()
    time.sleep(0.1)
    for speaker in (dora, cai, bia):
        settle(speaker, *(t for t in (bia, cai, dora) if t is not speaker))
    first, second = "first of two", "second of two"
    bia.send(bia.line(first) + bia.line(second))
    assert cai.hears(first), "the first line of a segment is lost"
    assert cai.hears(second), "the second line of a segment is lost"
    bia.send(b"bad \xff\xc0 bytes\n")
    time.sleep(0.1)
    token = bia.say()
    assert cai.hears(token, 1) or bia.end(0.5) != "still open", "connected, but not heard"
    last = dora.say()
    dora.sock.shutdown(socket.SHUT_WR)
    assert cai.hears(last), "the last message before a FIN is lost"


def check_once(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    ana.reset()
    time.sleep(0.1)
    ana = server.talker("ana")
    settle(ana, bia)
    token, fence = bia.say(), bia.say()
    assert ana.hears(fence)
    ana.take(0.1)
    assert ana.heard.count(token.encode()) == 1, f"{token} came {ana.heard.count(token.encode())} times"


def check_ordered(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    for burst in range(5):
        numbers = [f"number-{burst}-{n:02d}" for n in range(20)]
        ana.send("".join(ana.line(number) for number in numbers))
        for number in numbers:
            assert bia.hears(number), f"lost: {number}"
        found = re.findall(rf"number-{burst}-\d\d", bia.heard.decode())
        assert found == numbers, f"out of order: {found}"


def check_intact(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    whole = ana.line("a line in many segments, ação ✓, whole")
    for byte in whole.encode():
        ana.send(bytes([byte]))
        time.sleep(0.002)
    assert "a line in many segments, ação ✓, whole" in bia.line_with("whole")
    ana.send(ana.line("one of two") + ana.line("two of two"))
    assert "two of two" not in bia.line_with("one of two")
    assert bia.hears("two of two")
    long = "x" * 4000 + "end"
    ana.say(long)
    assert long in bia.line_with("end")
    ana.say("with a CR\r")
    assert bia.hears("with a CR\n"), "a CR before the newline is shown"


def check_private(server: Server) -> None:
    if "whisper" not in server.dialect:
        raise Skipped
    ana, bia, cai = server.room("ana", "bia", "cai")
    whisper = server.dialect["whisper"].replace("{to}", "ana") + "\n"
    bia.send(whisper.replace("{text}", "secret-one"))
    assert ana.hears("secret-one")
    ana.reset()
    time.sleep(0.1)
    bia.send(whisper.replace("{text}", "secret-two"))
    settle(bia, cai)
    ana = server.talker("ana")
    bia.send(whisper.replace("{text}", "secret-three"))
    assert ana.hears("secret-three")
    settle(bia, cai)
    assert b"secret" not in cai.heard, "others hear what was whispered"


def check_genuine(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    older = ana.say("an older and much longer message, told once")
    assert bia.hears(older)
    ana.send(ana.line("nul\0" + "y" * 40))
    ana.say("hi\r[bia] forged \x1b[2K \x07 \x85 \u2028 end")
    bia.line_with("end")
    shown = bia.heard.decode("utf-8", "replace")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", shown), (
        f"control bytes are relayed: {shown[-200:]!r}"
    )
    assert shown.count("much longer") == 1, f"an older message shows again: {shown[-200:]!r}"


# --- resources


def churn(server: Server, leave: Callable[[Talker], None], times: int) -> None:
    """Clients come, say something, and leave."""
    watcher = server.talker(f"watcher{next(FRESH)}")
    for _ in range(times):
        talker = server.talker(f"c{next(FRESH)}")
        assert watcher.hears(talker.say())
        leave(talker)
    watcher.close()
    time.sleep(0.3)


def check_threads(server: Server) -> None:
    churn(server, Talker.reset, 10)
    before = server.status("Threads")
    for leave in (Talker.reset, Talker.close):
        churn(server, leave, 20)
    time.sleep(1)
    assert server.status("Threads") <= before + 5, f"{before} threads became {server.status('Threads')}"


def check_sockets(server: Server) -> None:
    churn(server, Talker.close, 5)
    before = server.descriptors()
    for leave in (Talker.reset, Talker.close):
        churn(server, leave, 20)
    for _ in range(50):
        Talker(server.port).close()
    time.sleep(1.2)
    assert server.descriptors() <= before + 3, f"{before} descriptors became {server.descriptors()}"


def flood(speaker: Talker, readers: list[Talker], mib: int) -> None:
    """Say `mib` MiB in long lines; the readers read along."""
    line = speaker.line("f" * 8000)
    for n in range(mib * 16):
        speaker.send(line * 8)
        token = speaker.say(f"fence-{n}-")
        for reader in readers:
            reader.heard = b""
            assert reader.hears(token), f"the flood stops after {n / 16:.1f} MiB"


def check_memory(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    flood(ana, [bia], 2)
    before = server.status("VmRSS")
    endless = server.talker("endless")
    with suppress(OSError):
        for _ in range(64):
            endless.send(b"e" * MIB)
    after = server.status("VmRSS")
    assert after - before < 24 * 1024, f"an endless line: {before} KiB became {after}"
    stalled = Talker(server.port, "stalled", server.dialect, buffer=4096)
    stalled.log_in()
    flood(ana, [bia], 48)
    after = server.status("VmRSS")
    assert after - before < 40 * 1024, f"a slow reader: {before} KiB became {after}"
    churn(server, Talker.close, 50)
    before = server.status("VmRSS")
    churn(server, Talker.reset, 100)
    after = server.status("VmRSS")
    assert after - before < 12 * 1024, f"churn: {before} KiB became {after}"


def check_idles(server: Server) -> None:
    ana, bia, cai, dora = server.room("ana", "bia", "cai", "dora")
    ana.reset()
    bia.close()
    cai.sock.shutdown(socket.SHUT_WR)
    Talker(server.port)
    time.sleep(1.5)
    before = server.processor_s()
    time.sleep(1)
    used = server.processor_s() - before
    assert used < 0.15, f"at rest it uses {used:.0%} of a core"
    dora.close()


# --- wire and hygiene


def check_closes(server: Server) -> None:
    server.room("ana")
    for n in range(3):
        bia = server.talker(f"bia{n}")
        if "leave" in server.dialect:
            bia.send(server.dialect["leave"] + "\n")
        else:
            bia.sock.shutdown(socket.SHUT_WR)
        how = bia.end()
        assert how == "FIN", f"a polite leave ends with: {how}"
        bia.sock.close()


def check_handles(server: Server) -> None:
    ana, bia, cai = server.room("ana", "bia", "cai")
    ana.reset()
    bia.close()
    cai.send(b"\xff\xfe bad\n/msg\n/whisper x\n/nope\n/nick\n/nick \x00\n" + b"\x00" * 100 + b"\n")
    server.talker("dora").send("z" * 200_000)
    time.sleep(0.5)
    server.process.terminate()
    assert server.ends_in(2)
    assert server.output() == "", server.output()


def check_discreet(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    ana.send("/msg\n/msg bia\n/whisper\n/nick\n/list x\n/resume\n/nope \x01\n")
    settle(ana, bia)
    for talker in (ana, bia):
        assert not re.search(rb"Traceback|Exception|File \"|\bat .*:\d+", talker.heard), talker.heard.decode()


# --- only for the correct ones: limits


def check_a_crowd(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    crowd = [Talker(server.port) for _ in range(300)]
    settle(ana, bia)
    rss = server.status("VmRSS")
    for n, talker in enumerate(crowd):
        (Talker.reset if n % 2 else Talker.close)(talker)
    settle(ana, bia, server.talker("cai"))
    with ThreadPoolExecutor(50) as pool:
        crowd = list(pool.map(server.talker, [f"m{n}" for n in range(150)]))
    for talker in crowd[100:]:
        assert talker.hears(ana.say()) if talker is crowd[-1] else True
    for talker in crowd:
        talker.reset()
    time.sleep(0.5)
    settle(ana, bia)
    assert server.status("VmRSS") - rss < 48 * 1024


def check_no_descriptors(server: Server) -> None:
    ana, bia = server.room("ana", "bia")
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    limit = max(server.descriptors() + 2, 8)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limits[1]))
    crowd = [Talker(server.port) for _ in range(20)]
    settle(ana, bia)
    time.sleep(0.5)
    before = server.processor_s()
    time.sleep(1)
    used = server.processor_s() - before
    settle(ana, bia)
    assert used < 0.25, f"out of descriptors it uses {used:.0%} of a core"
    for talker in crowd:
        talker.reset()
    for _ in range(3):  # the dead ones are still in the backlog, and each shortage is a pause
        time.sleep(0.5)
        settle(ana, bia)
    settle(ana, bia, server.talker("cai"))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
    assert server.alive()
    assert server.output() == "", server.output()


def check_names(server: Server) -> None:
    if not must_log_in(server):
        raise Skipped
    (ana,) = server.room("ana")
    odd = Talker(server.port, "bia", server.dialect)
    for name in (b"", b"   ", b"a b", b"x\x1b[2Ky", b"x\ry", b"\xff\xfe", b"n" * 500, b"ana", b"ANA"):
        odd.send(name + b"\n")
    odd.log_in()
    settle(ana, odd)
    joined = {
        match for line in ana.heard.splitlines() for match in re.findall(rb"(\w+) (?:has )?(?:joined|entrou)", line)
    }
    assert joined == {b"bia"}, joined


# --- the run

CHECKS: dict[str, Callable[[Server], None]] = {
    name.removeprefix("check_"): function for name, function in list(globals().items()) if name.startswith("check_")
}

#: Checks that cannot pass without what a defect takes away: they need a room that lives, names to return under, and so on.
NEEDED: dict[str, list[str]] = {
    "survives": list(CHECKS),
    "serves": list(CHECKS),
    "responsive": ["memory"],
    "stops": ["handles"],
    "welcomes": ["once", "private"],
    "forgets": ["once", "private"],
    "delivers": ["once", "threads", "sockets", "memory", "responsive", "ordered", "genuine", "discreet", "names"],
    "intact": ["discreet"],
    "handles": ["no_descriptors"],
    "memory": ["a_crowd"],
    "idles": ["a_crowd"],
}


def must_log_in(server: Server) -> bool:
    """Whether one is not in the room before one has said a name."""
    return "login" in server.dialect and not server.dialect.get("auto")


def attempt(entry: Entry, dialect: Entry, check: str) -> str | None:
    """Run one check on a fresh server; why it failed, None if it did not, "" if it does not apply."""
    with Server(entry, dialect) as server:
        try:
            CHECKS[check](server)
        except Skipped:
            return ""
        except (AssertionError, OSError) as error:
            return f"{type(error).__name__}: {error}"
    return None


def examine(entry: Entry, dialect: Entry, everything: bool) -> tuple[bool, list[str]]:
    """Whether a server is what zoo.toml says, and what to print."""
    defect = entry["defect"]
    checks = list(CHECKS) if everything or not defect else ["basics", defect]
    expected = {defect, *entry["allowed"], *NEEDED.get(defect, ())} if defect else set()
    good, lines = True, []
    for check in checks:
        why = attempt(entry, dialect, check)
        wrong = why is None if check == defect else bool(why) and check not in expected
        good = good and not wrong
        if wrong or why:
            mark = "WRONG" if wrong else "shows" if check == defect else "follows"
            lines.append(f"    {mark} {check}: {(why or 'the defect does not show')[:300]}")
    return good, [f"{'ok   ' if good else 'WRONG'} {entry['name']:<20} {defect or 'correct'}", *lines]


def table(servers: list[Entry]) -> str:
    """The zoo as a Markdown table."""
    rows = ["| server | language | login | defect | allowed to follow | story |", "|---|---|---|---|---|---|"]
    for entry in servers:
        defect = f"**{entry['defect']}**" if entry["defect"] else "–"
        allowed = ", ".join(entry["allowed"]) or "–"
        cells = (f"`{entry['name']}`", entry["language"], entry["login"], defect, allowed, entry["story"])
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    """Check the servers that are named, or all."""
    everything = "--all" in arguments
    names = [argument for argument in arguments if not argument.startswith("-")]
    servers, dialects = entries()
    if "--table" in arguments:
        print(table(servers))
        return 0
    chosen = [entry for entry in servers if not names or entry["name"] in names]
    for build in dict.fromkeys(entry["build"] for entry in chosen if "build" in entry):
        subprocess.run(fill(build), shell=True, check=True)
    wrong = 0
    with ThreadPoolExecutor(2) as pool:
        for good, lines in pool.map(lambda entry: examine(entry, dialects[entry["speaks"]], everything), chosen):
            print("\n".join(lines), flush=True)
            wrong += not good
    print(f"{len(chosen)} servers, {wrong} not as zoo.toml says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
