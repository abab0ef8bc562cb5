"""What is kept of a run that somebody will want to look at: one that failed, or one of the documented tests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from harness.evidence.capture import Taken
from harness.evidence.diagram import draw
from harness.evidence.handshake import draw as draw_handshake
from harness.evidence.packets import as_table
from harness.evidence.plots import plots
from harness.evidence.steps import Told
from harness.history import History
from harness.language import CODES, Language
from harness.properties.scene import Scene
from harness.results import Judgement


def evidence(
    history: History, judgements: Sequence[Judgement], taken: Taken | None, told: Sequence[Told] = ()
) -> tuple[dict[str, bytes | str], str | None]:
    """The files (name, content; `told` are the steps), and what could not be made, or None. Never raises: a picture costs no verdict."""
    files: dict[str, bytes | str] = {}
    try:
        if taken is not None and taken.frames:
            capture = taken.pcapng(history.scenario, history.records, told)
            files["capture.pcapng"] = capture
            files["packets.json"] = as_table(capture, taken, history.records)
        scene = Scene(history)
        sent = taken.sent() if taken is not None else []
        for lang in CODES:
            files[named("diagram", lang)] = draw(scene, judgements, lang, partial(sentence, lang=lang), sent)
            wire = draw_handshake(history, taken, lang) if taken is not None else None
            if wire is not None:
                files[named("handshake", lang)] = wire
            files |= {named(name, lang): svg for name, svg in plots(scene, lang).items()}
    except Exception as error:
        return files, f"its evidence could not be made: {type(error).__name__}: {error}"
    return files, None


def named(picture: str, lang: str) -> str:
    """The file of a picture in this language: `diagram.svg`, `diagram.pt-BR.svg`."""
    return f"{picture}.svg" if lang == "en" else f"{picture}.{lang}.svg"


def sentence(judgement: Judgement, lang: str) -> str:
    """A violation in one sentence: its reason, in this language where the harness has it."""
    return Language.of(lang).sentence(judgement.reason or "")
