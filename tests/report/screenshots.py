"""Pictures of the page to look at: `python tests/report/screenshots.py FOLDER [NAME=RUN]...` (no test; CI does not run it).

Runs the harness against the reference server, `original`, and the zoo's C server that crashes, unless runs are given by
name and folder; then takes each page in both languages, light and dark, wide and narrow: the top, the list, and the first
scenario that failed (else the first), opened.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCENARIOS = ("chat", "disconnect/abrupt", "disconnect/reset-after-login", "disconnect/half-close", "storm/churn[reset]")
WIDTHS = {"wide": 1280, "narrow": 400}
LANGUAGES = ("en", "pt-BR")
THEMES = ("light", "dark")
#: A picture is no taller, in pixels; of a page no more pictures are taken.
TALL, MOST = 2200, 3
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage", "--force-prefers-reduced-motion",
    "--hide-scrollbars",
)  # fmt: skip


def servers(folder: Path) -> Mapping[str, str]:
    """The command of each server; the C one is compiled here."""
    crashing = folder / "c-survives"
    source = ROOT / "tests" / "zoo" / "c" / "chat.c"
    subprocess.run(["gcc", "-O2", "-DDEFECT_SURVIVES", "-o", str(crashing), str(source)], check=True)
    return {"reference": "reference", "original": "original", "crashing": f"{crashing} {{port}}"}


def run(name: str, server: str, folder: Path) -> Path:
    """A run of the harness; where it lies."""
    out = folder / name
    words = ["run", *SCENARIOS, "--server", server, "--seed", "1", "--out", str(out), "-q", "--report", "html"]
    subprocess.run([sys.executable, "-m", "harness", *words], cwd=folder, check=False)
    return out


def taken(browser: Any, page: Path, folder: Path, name: str) -> Iterator[Path]:
    """All pictures of a page, by how it is shown."""
    for lang in LANGUAGES:
        for theme in THEMES:
            for width, pixels in WIDTHS.items():
                browser.set_window_size(pixels, 900)
                browser.get("about:blank")
                browser.get(page.as_uri())
                for key, value in (("lang", lang), ("theme", theme)):
                    browser.execute_script("localStorage.setItem('harness.' + arguments[0], arguments[1])", key, value)
                browser.get("about:blank")
                browser.get(page.as_uri())
                stem = f"{name}-{lang}-{theme}-{width}"
                yield from shots(browser, folder / f"{stem}-page")
                opened(browser)
                yield from shots(browser, folder / f"{stem}-scenario", "details.scenario[open]")


def opened(browser: Any) -> None:
    """Open the first scenario of the list, and wait until its pictures are there."""
    browser.execute_async_script(
        """const done = arguments[0], scenario = document.querySelector("details.scenario");
        scenario.open = true;
        scenario.style.contentVisibility = "visible";  // drawn although it lies beyond the window
        const look = () => {
            const body = scenario.querySelector(".body");
            const pictures = [...body.querySelectorAll("img")];
            return body.childElementCount && pictures.every((one) => one.complete) ? done() : setTimeout(look, 20);
        }; look();"""
    )


def shots(browser: Any, stem: Path, selector: str = "body") -> Iterator[Path]:
    """Pictures of one element, beyond what the window shows, from the top to the bottom."""
    box = browser.execute_script(
        "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
        "return {x: 0, y: b.top + scrollY, width: innerWidth, height: b.height}",
        selector,
    )
    for number in range(min(MOST, ceil(box["height"] / TALL))):
        height = min(TALL, box["height"] - number * TALL)
        clip = {**box, "y": box["y"] + number * TALL, "height": height, "scale": 1}
        taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file = stem.with_name(f"{stem.name}-{number + 1}.png")
        file.write_bytes(b64decode(taken["data"]))
        yield file


def main(words: list[str]) -> None:
    """Take all pictures into the folder that is named first."""
    from selenium import webdriver

    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        given = dict(word.split("=", 1) for word in words[1:])
        runs = {name: Path(path) for name, path in given.items()} or {
            name: run(name, server, Path(place)) for name, server in servers(Path(place)).items()
        }
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
        for flag in (*FLAGS, f"--user-data-dir={place}/profile"):
            options.add_argument(flag)
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))  # none is looked for elsewhere
        browser = webdriver.Chrome(options=options, service=service)
        try:
            for name, where in runs.items():
                for file in taken(browser, where.resolve() / "index.html", folder, name):
                    sys.stdout.write(f"{file}\n")
        finally:
            browser.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
