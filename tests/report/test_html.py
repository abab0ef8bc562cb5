from __future__ import annotations

import base64
import gzip
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness import explain
from harness.language import PORTUGUESE
from harness.report.html import page
from harness.report.html.evidence import LINES, PICTURE, PRINTED, Seen, gather
from harness.report.html.explained import explained
from harness.report.html.packing import BUDGET
from harness.report.html.page import render_html
from harness.report.html.tongues import ticked
from harness.results import Judgement, StepResult

from .sample import ENVIRONMENT, HOSTILE, SCENARIOS, TARGET, a_failed_baseline, a_run

FAILED = "disconnect/reset-after-login"


def _page(folder: Path | None = None, **changes: object) -> str:
    return render_html(a_run(**changes), "en", folder).decode()


def _parts(text: str) -> dict[int, dict[str, object]]:
    found = re.findall(r'<script type="text/plain" id="b(\d+)">([^<]*)</script>', text)
    return {int(number): json.loads(gzip.decompress(base64.b64decode(part))) for number, part in found}


def _part(text: str, scenario: str) -> str:
    number = re.search(rf'href="#s(\d+)">(?:<i[^>]*>.</i> )?{re.escape(scenario)}<', text)
    assert number is not None
    return str(_parts(text)[int(number[1])]["html"])


class _Wellformed(HTMLParser):
    """Every tag that is opened is closed, in order."""

    VOID = frozenset({"meta", "link", "input", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "result", [a_run(), a_failed_baseline(), a_run(scenarios=(), findings=()), a_run(interrupted=True)]
)
def test_the_page_is_well_formed_whatever_the_run(result: object) -> None:
    text = render_html(result, "pt-BR").decode()  # type: ignore[arg-type]
    for one in [text, *(str(part["html"]) for part in _parts(text).values())]:
        parser = _Wellformed()
        parser.feed(one)
        assert parser.open == []
        assert len(set(parser.ids)) == len(parser.ids)
        assert not [name for name in parser.attributes if name.startswith("on") or name == "style"]


def test_a_strangers_bytes_are_text() -> None:
    nasty = "<img src=x onerror=alert(1)></script></pre>\x1b[31m\u202e\"'" + HOSTILE
    broken = replace(SCENARIOS[4], id=nasty, family=nasty, titles={"en": nasty}, reason=nasty, story=nasty,
                     judgements=(Judgement(nasty, "fail", nasty, nasty, nasty, nasty, hint=nasty),))  # fmt: skip
    text = _page(scenarios=(broken,), reason=nasty, transcript=nasty)
    for one in [text, *(str(part["html"]) for part in _parts(text).values())]:
        assert "<img src=x" not in one
        assert not set(one) & {"\x1b", "\u202e", "\x00"}
    assert html.escape("<img src=x onerror=alert(1)>") in text


def test_nothing_is_loaded_and_only_the_pages_own_script_runs() -> None:
    text = _page()
    assert "default-src 'none'" in html.unescape(text)
    assert not re.findall(r'(?:src|href)="(?!#|data:,|scenarios/)[^"]*"', text)
    assert text.count("<script>") == 1
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)
    assert script is not None
    assert page._hash(script[1]) in text


def test_the_verdict_the_levels_and_the_findings_come_first_in_both_languages() -> None:
    text = _page()
    assert 'lang="en">2 of 7 scenarios failed</span><span class="t" lang="pt-BR">2 de 7 cenários falharam' in text
    assert text.index('id="verdict"') < text.index('id="findings"') < text.index('id="scenarios"')
    assert "delivers:after-departure-nobody" in text
    assert "these 2 failures look like one fault" in text
    assert "estas 2 falhas parecem uma só" in text


def test_a_run_that_judged_nothing_says_why() -> None:
    text = render_html(a_failed_baseline(), "en").decode()
    assert "two clients never heard each other" in text
    assert "ana &gt; hello" in text


def test_a_scenario_tells_its_judgements_steps_and_command() -> None:
    told = _part(_page(), FAILED)
    assert "3 of 27 deliveries were lost" in told
    assert "an exception may have ended the sender" in told
    assert "resets the connection" in told
    assert f"harness run {FAILED} --seed 42" in told


def test_the_server_is_called_so_in_both_languages() -> None:
    step = StepResult(0.5, "is told to end (SIGTERM)", "server")
    told = _part(_page(scenarios=(replace(SCENARIOS[4], steps=(step,)),)), FAILED)
    assert "servidor" in told[told.index('class="steps"') : told.index("</tbody>")]


def test_a_page_of_explanations_is_told_in_both_languages_with_its_code_once_for_each() -> None:
    told = str(explained("delivers"))
    assert "<strong>A dead client ends the broadcast.</strong>" in told
    assert "O servidor <em>entrega</em>" in told
    assert told.count("<summary>Python</summary>") == told.count("<summary>Rust</summary>") == 1
    assert told.count("def broadcast(") == 2
    assert explained("unheard-of") == ""


def test_every_page_of_explanations_has_its_code() -> None:
    for prop in explain.ids():
        assert str(explained(prop)).count("<details") >= 5


def test_a_story_is_told_in_the_language_of_the_page() -> None:
    failed = next(one for one in SCENARIOS if one.id == FAILED)
    told = _part(_page(scenarios=(replace(failed, story="A reset.\n\nAnd more."),)), FAILED)
    assert told.count('<p class="story t" lang="en">') == 2
    assert '<p class="story t" lang="pt-BR">RST em vez de FIN' in told
    own = replace(failed, id="mine/own", story="Somebody comes.")
    assert '<p class="story" lang="en">Somebody comes.' in _part(_page(scenarios=(own,)), own.id)


def test_every_sentence_of_the_templates_is_translated() -> None:
    said = set()
    for name in ("page.html.j2", "scenario.html.j2", "comparison.html.j2"):
        source = page._part(name)
        said |= set(re.findall(r'\b[tn]\("([^"]+)"', source))
        said |= {other for call in re.findall(r"\bn\(([^}]*)\)", source) for other in re.findall(r'"([^"]+)"', call)}
    assert len(said) > 40
    assert said - set(PORTUGUESE) == set()


# -- what lies beside the report -------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios" / FAILED
    folder.mkdir(parents=True)
    (folder / "server.log").write_bytes(b"\x1b[31mboom\n" + b"line\n" * 1000)
    (folder / "diagram.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "plot-rtt.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "plot-huge.svg").write_text("<svg>" + " " * PICTURE + "</svg>")
    (folder / "repro.py").write_text("import socket\n    ::error::x\n")
    (folder / "capture.pcapng").write_bytes(b"\n\r\r\n")
    return tmp_path


def test_each_kind_of_evidence_is_shown_if_it_is_there(run: Path) -> None:
    evidence = gather(run, FAILED)
    assert [picture.name for picture in evidence.pictures] == ["diagram", "plot rtt"]
    assert evidence.log[0] == "\\x1b[31mboom"
    assert len(evidence.log) == LINES
    assert evidence.repro[0] == "import socket"
    text = _page(run)
    part = _part(text, FAILED)
    assert 'data-picture="1"' in part
    assert f'href="scenarios/{FAILED}/capture.pcapng"' in part
    assert "import socket" in part


def test_a_picture_in_two_languages_is_shown_in_one_at_a_time(run: Path) -> None:
    folder = run / "scenarios" / FAILED
    (folder / "diagram.pt-BR.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    shown = [(picture.name, picture.lang) for picture in gather(run, FAILED).pictures]
    assert shown == [("diagram", "pt-BR"), ("diagram", "en"), ("plot rtt", "")]
    part = _part(_page(run), FAILED)
    assert part.count('<figure class="t" lang="en">') == part.count('<figure class="t" lang="pt-BR">') == 1


def test_what_was_printed_and_the_packets_stand_on_the_time_line(run: Path) -> None:
    records = [
        {"kind": "Opened", "at_s": 0.1, "conn": 1, "who": "ana"},
        {"kind": "Output", "at_s": 0.41, "text": "Traceback\n"}, {"kind": "Output", "at_s": 0.43, "text": "Oops\n"},
        {"kind": "Toxic", "at_s": 0.2, "did": "latency 100 ms"},
        {"kind": "Packet", "at_s": 0.05, "flow": 1, "leg": "direct", "sender": "client", "flags": "SYN", "conn": 1},
    ]  # fmt: skip
    lines = "\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    (run / "scenarios" / FAILED / "history.jsonl").write_text(lines + "\nnot json\n" + '{"kind":"Toxic"')
    part = _part(_page(run), FAILED)
    assert part.index("latency 100 ms") < part.index("Traceback") < part.index("Oops")
    cells = [
        re.sub("<.*?>", " ", cell).split() for cell in re.findall(r"<td>(.*?)</td>", part[part.index("packets") :])
    ]
    assert cells[:5] == [["0.0500"], ["ana"], ["direct", "direto"], ["client", "cliente"], ["SYN"]]
    assert '<th scope="col"><span class="t" lang="en">sender</span><span class="t" lang="pt-BR">remetente' in part


def test_of_a_time_line_that_is_too_long_it_is_said_how_many_moments_are_left_out(run: Path) -> None:
    records = ({"kind": "Toxic", "at_s": n / 100, "did": f"toxic {n}"} for n in range(page.STEPS + 40))
    lines = "\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    (run / "scenarios" / FAILED / "history.jsonl").write_text(lines)
    part = _part(_page(run), FAILED)
    rows = part.count('<tr class="step">') + part.count('<tr class="broken">') + part.count('<tr class="toxic">')
    own = rows - part.count('<tr class="toxic">')
    assert rows == page.STEPS
    assert f"… {40 + own} more moments, not shown" in part
    assert f"… mais {40 + own} momentos, não mostrados" in part
    assert "more moment" not in _part(_page(), FAILED)


def _printing(run: Path, *pieces: tuple[float, str]) -> list[Seen]:
    records = ({"kind": "Output", "at_s": at_s, "text": text} for at_s, text in pieces)
    lines = "\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    (run / "scenarios" / FAILED / "history.jsonl").write_text(lines)
    return [one for one in gather(run, FAILED).seen if one.kind == "printed"]


def test_a_traceback_is_one_row_however_its_pipe_was_read(run: Path) -> None:
    whole = 'Traceback (most recent call last):\n  File "chat.py", line 4, in listen\n    recv()\nOSError: gone\n'
    pieces = [(0.4 + n / 1000, whole[n : n + 7]) for n in range(0, len(whole), 7)]
    (traceback, last) = _printing(run, *pieces, (2.0, "bye\n"))
    assert (traceback.at_s, traceback.gist, traceback.size) == (0.4, "OSError: gone", 4)
    assert traceback.text == whole.rstrip("\n")
    assert (last.at_s, last.text, last.gist) == (2.0, "bye", "")
    part = _part(_page(run), FAILED)
    assert part.count('class="printed"><td>') == 2
    assert '<details class="printed"><summary>OSError: gone' in part


def test_a_line_that_comes_late_in_pieces_is_one_row_and_much_of_it_is_cut(run: Path) -> None:
    assert [one.text for one in _printing(run, (0.1, "hel"), (3.0, "lo\n"), (5.0, "x\n"))] == ["hello", "x"]
    (flood, _) = _printing(run, (0.1, "noise\n" * 5000), (9.0, "x\n"))
    assert (flood.size, len(flood.text.split("\n")), flood.gist) == (5000, PRINTED, "noise")


def test_a_picture_says_in_both_languages_what_it_shows(run: Path) -> None:
    part = _part(_page(run), FAILED)
    assert 'data-label-en="Who did what, when: A client vanishes with a TCP reset. delivers: 3 of 27' in part
    assert 'data-label-pt="Quem fez o quê, e quando: Um cliente some com um reset TCP. delivers: ' in part
    assert 'data-label-pt="Quanto demoram as mensagens: Um cliente some com um reset TCP"' in part
    assert 'aria-label="Step by step" data-label-en="Step by step" data-label-pt="Passo a passo"' in part


def test_as_many_scenarios_ran_side_by_side_as_there_were_at_most() -> None:
    many = replace(ENVIRONMENT, jobs=44, cores=1)
    assert "1 processor</span>" in _page(environment=many)
    assert f"up to {len(SCENARIOS)} scenarios side by side" in _page(environment=many)
    assert "one scenario after the other" in _page(environment=many, scenarios=SCENARIOS[:1])


def test_a_table_of_packets_is_shown(run: Path) -> None:
    rows = [[0.5, "SYN", None, "ana connects"], 3, [1]]
    table = {"schema_version": 1, "left_out": 7, "columns": ["at_s", "flags", "who", "notes"], "rows": rows}
    (run / "scenarios" / FAILED / "packets.json").write_text(json.dumps(table))
    packets = gather(run, FAILED).packets
    assert packets is not None
    assert packets.columns == ("at_s", "flags", "notes")
    assert packets.rows == (("0.5000", "SYN", "ana connects"),)
    assert packets.more == 7


@pytest.mark.parametrize("value", ["", "{", "[]", "3", '{"columns": 1, "rows": []}'])
def test_a_table_that_is_none_is_left_out(run: Path, value: str) -> None:
    (run / "scenarios" / FAILED / "packets.json").write_text(value)
    assert gather(run, FAILED).packets is None


def test_nothing_outside_the_run_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "server.log").write_text("secret")
    (tmp_path / "run" / "scenarios").mkdir(parents=True)
    assert gather(tmp_path / "run", "../../secret").log == ()


def test_a_run_full_of_evidence_stays_below_five_megabytes(tmp_path: Path) -> None:
    import random

    noise = random.Random(7)
    scenarios = []
    for number in range(60):
        name = f"storm/churn-{number}"
        scenarios.append(replace(SCENARIOS[4], id=name))
        folder = tmp_path / "scenarios" / name
        folder.mkdir(parents=True)
        (folder / "diagram.svg").write_text(f"<svg><!--{noise.randbytes(90_000).hex()}--></svg>")
    text = _page(tmp_path, scenarios=tuple(scenarios))
    assert len(text) < 5_000_000
    parts = _parts(text)
    assert len(parts) == 60
    assert BUDGET / 250_000 < sum(bool(part["pictures"]) for part in parts.values()) < 60
    assert any("it lies beside it" in str(part["html"]) for part in parts.values())


def test_what_stands_between_backticks_is_code_and_still_text() -> None:
    assert str(ticked("run `a <b>` or `c`")) == "run <code>a &lt;b&gt;</code> or <code>c</code>"
    text = _page(target=replace(TARGET, kind="builtin", command="original"))
    assert "the built-in server <code>original</code>" in text


def test_the_missing_part_of_an_introduction_is_marked_where_it_was_expected() -> None:
    reason = "bia came back and was not shown 'your name?' within 0.50 s"
    silent = Judgement("welcomes", "fail", reason, "Welcome! / your name?", "Welcome!\\n")
    part = _part(_page(scenarios=(replace(SCENARIOS[4], judgements=(silent,)),)), FAILED)
    assert 'Welcome!\n<mark>your name?</mark> <b class="caret">← ' in part
    assert "<dt>missing" not in part
