"""What a run prints and writes, against each documented server, kept as files so that a change of wording is a
difference that a person reads.

`HARNESS_RECORD=1 pytest tests/golden` writes them anew. What varies from run to run is masked, and only that:

- durations and moments (`# s`, `# ms`), the day, ports (`PORT`), the harness's version, words made up for messages
  (`TOKEN`), the number that a server counts its visitors with (`user#`);
- the order in which scenarios side by side end: their lines on the console are sorted;
- how many of the deliveries and connections a failing server lost, and whose: its threads race;
- the stack of which of the threads that wait for one lock is told (`STACK`);
- the story in a failing server's report (who came back when), and the probable causes of what fails in `original` (which of its
  threads raced, and what they printed): one line stands for each.

`original` and `patched` are judged by those properties only that fail, or hold, each time: in the others their threads
race. Each failure is seen once (`--confirm 0`). That the others fail too is told by the tests of the main job.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from cli.program import Program

GOLDEN = Path(__file__).parent / "transcripts"
SCENARIOS = (
    "disconnect/abrupt", "refused/no-listener", "malformed/random-bytes", "disconnect/reset-after-login",
    "chat/two-talk",
)  # fmt: skip
#: What each server is judged by; nothing: everything.
JUDGED: dict[str, tuple[str, ...]] = {
    "reference": (),
    "original": ("refuses", "survives", "intact", "private", "sockets"),
    "patched": ("refuses", "survives", "serves", "delivers", "sockets"),
}
MASKS = (
    (r"\d{4}-\d\d-\d\dT[\d:]+(\.\d+)?(\+00:00|Z)", "DAY"),
    (r"(?<=127\.0\.0\.1:)\d+", "PORT"),
    (r'(?<=name="harness_version" value=")[^"]+', "VERSION"),
    (r'(?<= time=")[\d.]+', "#"),
    (r"\bxq\w+", "TOKEN"),
    (r"\buser\d+", "user#"),
    (r"\d+(?:[.,]\d+)? (ms|s)\b", r"# \1"),
    (r"\d+ (of|de) \d+ (deliveries|entregas)", r"# \1 # \2"),
    (
        r"\d+ (connections stay in|conexões ficam em) CLOSE_WAIT: (.*?) \([a-z, ]+(?: and \d+ more)?\)",
        r"# \1 CLOSE_WAIT: \2 (NAMES)",
    ),
    (r"\d+ (in|em) CLOSE_WAIT", r"# \1 CLOSE_WAIT"),
    (r"\d+ threads (wait|esperam)", r"# threads \1"),
    (r"patched\.py:\d+ \(\w+\)(?: ← patched\.py:\d+ \(\w+\))+", "STACK"),
)  # fmt: skip
#: The part about causes, on the console and in report.txt, and their line below each failure.
CAUSES = re.compile(
    r"(?<=\n)(Probable causes|Causas prováveis)(.*?)(?=\n\n(?:Findings|O que foi encontrado|Result|Resultado))",
    re.DOTALL,
)
CAUSE = re.compile(r"\n +(?:probably|provavelmente) .*")
#: The steps of one scenario: which of them fall together depends on the machine.
STORY = re.compile(r"^(<system-out>)?\[# s\] .*(?:\n(?:\[# s\] |… )[^<\n]*)*", re.MULTILINE)
LINES_OF_SCENARIOS = re.compile(r"(?:^(?:PASS|FAIL|WARN|SKIP|ERROR) \S+/\S+ # s.*\n)+", re.MULTILINE)

pytestmark = pytest.mark.timeout(180)


def masked(text: str) -> str:
    """`text` without what varies."""
    for pattern, instead in MASKS:
        text = re.sub(pattern, instead, text)
    text = re.sub(r"^(?:note|nota): .*\n", "", text, flags=re.MULTILINE)  # whether there are namespaces
    text = STORY.sub(r"\1[# s] THE STORY", text)
    return LINES_OF_SCENARIOS.sub(lambda found: "".join(sorted(found[0].splitlines(keepends=True))), text)


def one_a_line(xml: str) -> str:
    """An element a line."""
    return re.sub(r"(?=<(?:test|propert|failure|system-out|skipped|/test))", "\n", xml)


def check(name: str, text: str) -> None:
    """`text`, masked, is what is kept under `name`."""
    path = GOLDEN / name
    text = masked(text)
    if name.startswith("original/"):
        text = CAUSE.sub("", CAUSES.sub(r"\1: THE CAUSES", text))
    if os.environ.get("HARNESS_RECORD"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} changed; HARNESS_RECORD=1 records it"


@pytest.mark.parametrize(("server", "status"), [("reference", 0), ("original", 1), ("patched", 1)])
def test_a_run_is_told_as_kept(program: Program, server: str, status: int) -> None:
    select = [word for prop in JUDGED[server] for word in ("--select", prop)]
    done = program("run", *SCENARIOS, "--server", server, *select, "--confirm", "0", "--seed", "7", "--out", "report",
                   "--lang", "en")  # fmt: skip
    assert (done.status, done.err) == (status, ""), done.text
    again = program("report", "report", "--lang", "pt-BR", "--out", "relatorio")
    assert (again.status, again.err) == (status, ""), again.text

    def read(path: str) -> str:
        return (program.folder / path).read_text(encoding="utf-8")

    program.results()
    check(f"{server}/console.txt", done.out)
    check(f"{server}/console.pt-BR.txt", again.out)
    check(f"{server}/report.txt", read("report/report.txt"))
    check(f"{server}/report.pt-BR.txt", read("relatorio/report.txt"))
    check(f"{server}/junit.xml", one_a_line(read("report/junit.xml")))
    program.assert_nothing_left()


def test_the_documented_words_stand_in_the_report_of_the_reference_server() -> None:
    lines = (GOLDEN / "reference" / "report.pt-BR.txt").read_text(encoding="utf-8").splitlines()
    assert lines[:11] == [
        "Teste 1: Conexão recusada",
        "SUCESSO: Conexão recusada detectada corretamente",
        "",
        "Teste 2: Desconexão súbita",
        "Conectado ao servidor",
        "SUCESSO: Socket fechado abruptamente",
        "",
        "Teste 3: Dados malformados",
        "Conectado ao servidor",
        "Timeout na resposta (pode ser esperado)",
        "SUCESSO: Teste de dados malformados concluído",
    ]
