"""Advice is told once a run, however many scenarios it came from."""

from __future__ import annotations

import io
from dataclasses import replace

from harness.findings import advice
from harness.language import Language
from harness.report.console import ConsoleReport
from harness.report.html.page import render_html
from harness.report.markdown import render_markdown
from harness.report.text import render_text
from harness.results import Judgement

from .sample import OTHERS, a_run, events_of

REASON = "a message of ana did not arrive as it was said (sent as it is): it came cut into several messages"
BORDERS = Judgement("intact", "warn", REASON, "xq0a001wxyz hello", "xq0a001wxyz he", "no-borders")
PRINTED = Judgement("handles", "warn", "the server printed an exception that nothing handled: Oops", shape="unhandled")
CHUNKY = tuple(replace(OTHERS[0], id=f"chat/{n}", outcome="warn", judgements=(BORDERS,)) for n in range(30))
SCENARIOS = (*CHUNKY, replace(OTHERS[0], id="chat/other", outcome="warn", judgements=(BORDERS, PRINTED)))
RUN = a_run(scenarios=SCENARIOS, findings=(), causes=(), exit_status=0)
TOLD = "sends messages without borders, and TCP keeps none: some came cut or joined: 31 scenarios"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_warnings_of_one_fingerprint_are_one_advice() -> None:
    found = advice(SCENARIOS)
    assert [(one.fingerprint, len(one.scenarios)) for one in found] == [
        ("intact:no-borders", 31),
        ("handles:unhandled", 1),
    ]
    assert advice(SCENARIOS, "pt-BR")[0].title.startswith("envia mensagens sem limites")


def test_the_console_tells_it_once() -> None:
    stream = Terminal()
    report = ConsoleReport(stream, Language("en"), {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "120"})
    for event in events_of(RUN):
        report.handle(event)
    told = stream.getvalue()
    assert told.count(TOLD) == 1
    assert told.count("WARN chat/0 ") == told.count("WARN chat/other ") == 1
    assert "WARN chat/1 " not in told


def test_the_text_report_tells_its_reason_once_and_where_it_stands() -> None:
    told = render_text(RUN, "en")
    assert told.count(f"advice, intact: {REASON}\n    expected:") == 1
    assert told.count("advice, intact: as in test 1\nWARN: advice on intact") == 29
    assert "advice, intact: as in test 1\nadvice, handles: the server printed" in told
    assert f"\nAdvice\n\n{TOLD}" in told


def test_the_summary_and_the_page_tell_it_once() -> None:
    summary = render_markdown(RUN, "en").decode()
    assert summary.count("sends messages without borders, and TCP keeps none: some came cut or joined | 31 |") == 1
    assert REASON not in summary
    page = render_html(RUN, "en").decode()
    assert page.count("sends messages without borders, and TCP keeps none") == 1
    assert page.index('id="advice"') < page.index('id="scenarios"')
