"""A page as heavy as a run of all with thirty failures makes it: for the test of its size, and for the bench of its opening."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from harness.report.html.page import render_html

from .sample import SCENARIOS, a_run

PASSED, FAILED = 170, 30
#: No page is larger, in bytes.
MOST_BYTES = 5_000_000


def heavy_page(folder: Path) -> bytes:
    """index.html of that run, with as much evidence as finds room; its files lie in `folder`."""
    noise = random.Random(7)
    passed = [replace(SCENARIOS[3], id=f"chat/{n}") for n in range(PASSED)]
    failed = [replace(SCENARIOS[4], id=f"storm/{n}") for n in range(FAILED)]
    for one in failed:
        place = folder / "scenarios" / one.id
        place.mkdir(parents=True)
        drawn = "<rect width='300' height='90'/>" * 2000 + f"<!--{noise.randbytes(60_000).hex()}-->"
        (place / "diagram.svg").write_text(
            f"<svg xmlns='http://www.w3.org/2000/svg' width='300' height='90'>{drawn}</svg>"
        )
        (place / "server.log").write_text("".join(f"{n} {noise.random()}\n" for n in range(5000)))
    return render_html(a_run(scenarios=(*passed, *failed)), "en", folder)
