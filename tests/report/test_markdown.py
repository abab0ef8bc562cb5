from __future__ import annotations

from dataclasses import replace

import pytest

from harness.report.markdown import MOST_BYTES, code, plain, render_markdown
from harness.results import Judgement

from .sample import HOSTILE, SCENARIOS, a_failed_baseline, a_run


def _summary(lang: str = "en", **changes: object) -> str:
    return render_markdown(a_run(**changes), lang).decode()


@pytest.mark.parametrize("text", [
    "<script>", "[a](http://evil)", "![x](//e)", "`x`", "*x*", "__x__", "# x", "a|b", "@somebody", "www.evil.example",
    "https://evil.example", "~~x~~", "&lt;", "\\*x*", "$x$",
])  # fmt: skip
def test_a_strangers_text_is_no_markup(text: str) -> None:
    shown = plain(text)
    assert shown != text
    for dangerous in ("<s", "](", "://", "www.", " *", "|b") if "\\" not in shown else ():
        assert dangerous not in shown
    assert code(text) == f"<code>{shown}</code>"


def test_harmless_text_stays_readable() -> None:
    assert plain("it came 1.2 s late (of 3), in /tmp: 100%") == "it came 1.2 s late (of 3), in /tmp: 100%"


def test_verdict_score_findings_and_failures_are_told() -> None:
    text = _summary()
    assert text.startswith("## ❌ Result: 4 passed, 2 failed")
    assert "- Level essential: 3 of 4 scenarios held" in text or "- Level essential:" in text
    assert "| stops relaying after a departure: nobody hears anybody | 2 |" in text
    assert "3 of 27 deliveries were lost" in text
    assert "--seed 42" in text
    assert _summary("pt-BR").startswith("## ❌ Resultado: 4 com sucesso")


def test_hostile_bytes_are_harmless() -> None:
    text = _summary()
    assert not set(text) & {"\x1b", "\x00", "\u202e", "\r"}
    assert "</failure>" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_run_that_judged_nothing_says_why() -> None:
    text = render_markdown(a_failed_baseline(), "en").decode()
    assert text.startswith("## ⚠️")
    assert "two clients never heard each other" in text
    assert "ana &gt; hello" in text


def test_it_fits_a_step_s_summary_whatever_happened() -> None:
    judgements = tuple(Judgement(f"delivers{n}", "fail", HOSTILE * 20, shape=str(n)) for n in range(80))
    many = tuple(replace(SCENARIOS[4], id=f"storm/{n}", judgements=judgements) for n in range(300))
    written = render_markdown(a_run(scenarios=many), "en")
    assert MOST_BYTES / 2 < len(written) < 1 << 20
    assert b"The rest is left out here" in written
