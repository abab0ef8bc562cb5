"""The page in a real Chromium: what a person does with it, and that nothing leaves it. Skipped where there is none."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.report.html.page import render_html
from harness.results import Judgement, KnownFailures

from .heavy import MOST_BYTES, heavy_page
from .sample import HOSTILE, SCENARIOS, a_run

selenium = pytest.importorskip("selenium.webdriver")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(
        BROWSER is None or DRIVER is None,
        reason="NO CHROMIUM: the page is not driven (apt-get install chromium chromium-driver)",
    ),
    pytest.mark.xdist_group("chromium"),
]
FAILED = SCENARIOS[4]
NASTY = "<img src=x onerror='window.owned=1'><script>window.owned=1</script>" + HOSTILE
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
    "--disable-component-update", "--force-prefers-reduced-motion", "--no-first-run", "--window-size=1280,900",
)  # fmt: skip
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='300' height='90'><script>window.owned=1</script><rect width='300' height='90'/></svg>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = selenium.ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # it leaves its locks behind
        service = selenium.ChromeService(executable_path=DRIVER, env={**os.environ, "TMPDIR": folder})
        driver = selenium.Chrome(options=options, service=service)
        driver.set_script_timeout(60)
        yield driver
        driver.quit()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with a hostile scenario, a picture, an earlier run and known failures."""
    folder = tmp_path_factory.mktemp("run")
    evidence = folder / "scenarios" / FAILED.id
    evidence.mkdir(parents=True)
    (evidence / "diagram.svg").write_text(SVG)
    (evidence / "server.log").write_bytes(NASTY.encode("utf-8", "surrogateescape"))
    (evidence / "packets.json").write_text(
        json.dumps({"columns": ["at_s", "flags", "data"], "rows": [[0.1, "SYN", NASTY]]})
    )
    nasty = replace(FAILED, id=f"chat/{NASTY}", titles={"en": NASTY}, judgements=(Judgement("intact", "fail", NASTY, "a" + NASTY, "ab" + NASTY),))  # fmt: skip
    result = a_run(
        scenarios=(*SCENARIOS, nasty), known=KnownFailures("known.toml", (f"{FAILED.id} delivers",), (NASTY,))
    )
    (folder / "index.html").write_bytes(render_html(result, "en", folder, a_run(scenarios=SCENARIOS[:4])))
    return (folder / "index.html").as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page with a hostile scenario, watched."""
    with watched(browser, address) as page:
        yield page


@contextlib.contextmanager
def watched(browser: Any, address: str) -> Iterator[Any]:
    """A page, opened afresh; afterwards: no error on its console, no request that left it."""
    browser.get_log("performance")
    browser.get("about:blank")
    browser.get(address)
    browser.execute_script("localStorage.clear()")
    browser.get(address)
    yield browser
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"}
    assert {url for url in urls if not url.startswith((address, "data:", "blob:"))} == set()
    assert browser.execute_script("return window.owned") is None


def _shown(page: Any, selector: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => [...e.childNodes].filter(c => !c.checkVisibility || c.checkVisibility()).map(c => c.textContent).join(''))"
    return list(page.execute_script(script, selector))


def _open(page: Any, number: int) -> str:
    """Open a scenario as a person does, and give what it says once it has unpacked itself."""
    page.execute_async_script(
        """const [number, done] = arguments, scenario = document.getElementById("s" + number);
        scenario.querySelector("summary").click();
        const body = scenario.querySelector(".body");
        scenario.scrollIntoView();  // what lies beyond the window is not drawn, and has no text
        const drawn = () => requestAnimationFrame(() => requestAnimationFrame(done));
        const look = () => body.childElementCount ? drawn() : setTimeout(look, 20); look();""",
        number,
    )
    return str(page.execute_script("return document.getElementById('s' + arguments[0]).innerText", number))


def _number(page: Any, scenario: str) -> int:
    script = """return [...document.querySelectorAll('details.scenario')]
        .find(e => e.querySelector('summary code').textContent === arguments[0]).dataset.number"""
    return int(page.execute_script(script, scenario))


def test_the_language_is_switched_and_remembered(page: Any) -> None:
    assert _shown(page, "h1") == ["3 of 8 scenarios failed"]
    page.find_element("css selector", "input[value='pt-BR']").find_element("xpath", "..").click()
    assert _shown(page, "h1") == ["3 de 8 cenários falharam"]
    assert page.execute_script("return document.documentElement.lang") == "pt-BR"
    page.refresh()
    assert _shown(page, "h1") == ["3 de 8 cenários falharam"]


def test_light_and_dark_are_switched(page: Any) -> None:
    colours = []
    for theme in ("light", "dark"):
        page.find_element("css selector", f"input[value='{theme}']").find_element("xpath", "..").click()
        colours.append(page.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(250, 249, 246)", "rgb(20, 23, 28)"]


def test_filters_by_outcome_family_level_and_text(page: Any) -> None:
    shown = "details.scenario > summary code"
    assert len(_shown(page, shown)) == 10
    page.find_element("css selector", "input[value='pass']").find_element("xpath", "..").click()
    assert len(_shown(page, shown)) == 6
    assert len(_shown(page, ".matrix tbody tr")) == 6
    page.find_element("css selector", "select[name='family'] option[value='disconnect']").click()
    assert FAILED.id in _shown(page, shown)
    assert "storm/churn[50]" not in _shown(page, shown)
    page.find_element("css selector", "button[type='reset']").click()
    page.execute_async_script("setTimeout(arguments[0], 50)")
    page.find_element("css selector", "input[name='text']").send_keys("deliveries churn")
    assert _shown(page, shown) == ["storm/churn[50]"]
    assert _shown(page, "#shown") == ["1"]
    page.find_element("css selector", "input[name='text']").send_keys(" nothing like that")
    assert _shown(page, "#none") == ["No scenario fits these filters."]


def test_what_goes_on_beyond_the_edge_of_a_narrow_window_fades_there(page: Any) -> None:
    size = "Emulation.setDeviceMetricsOverride"
    number = _number(page, FAILED.id)
    try:
        page.execute_cdp_cmd(size, {"width": 250, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        _open(page, number)
        fades = """const [number, scrolled, done] = arguments;
            const picture = document.querySelector(`#s${number} img[data-picture]`), box = picture.closest(".scroll");
            if (scrolled) box.scrollLeft = box.scrollWidth;
            const wanted = !scrolled, until = performance.now() + 10000;
            const look = () => box.classList.contains("cut") === wanted || performance.now() > until
                ? done(box.classList.contains("cut")) : requestAnimationFrame(look);
            look();"""
        assert page.execute_async_script(fades, number, False) is True
        assert page.execute_async_script(fades, number, True) is False
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_narrow_window_is_not_scrolled_sideways_by_a_long_line_of_the_servers_code(
    browser: Any, tmp_path: Path
) -> None:
    clues = tuple(
        replace(one, source="self.sock.sendall(text.encode()).and_so_on().and_so_on()") for one in FAILED.clues
    )
    run = a_run(scenarios=(replace(FAILED, clues=clues),))
    (tmp_path / "index.html").write_bytes(render_html(run, "en"))
    size = "Emulation.setDeviceMetricsOverride"
    browser.execute_cdp_cmd(size, {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    try:
        with watched(browser, (tmp_path / "index.html").as_uri()) as page:
            wide, room = page.execute_script(
                "const e = document.documentElement; return [e.scrollWidth, e.clientWidth]"
            )
            assert _shown(page, ".findings .source") == [clues[0].source]
            assert wide == room <= 390
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_failure_is_opened_by_its_finding_and_by_the_keyboard(page: Any) -> None:
    link = page.find_element("css selector", ".findings a")
    assert link.text == FAILED.id
    link.send_keys("\ue007")
    number = _number(page, FAILED.id)
    page.execute_async_script(
        "const look = () => document.querySelector(`#s${arguments[0]} .steps`) ? arguments[1]() : setTimeout(() => look(), 20);"
        "const [n, done] = arguments; look();", number,
    )  # fmt: skip
    text = page.execute_script("return document.getElementById('s' + arguments[0]).innerText", number)
    assert "3 of 27 deliveries were lost" in text
    assert "resets the connection" in text
    assert "SYN" in page.execute_script("return document.querySelector('.packets').textContent")
    size = "const i = document.querySelector('img[data-picture]'), done = arguments[0]; i.decode().then(() => done(i.naturalWidth))"
    assert page.execute_async_script(size) == 300


def test_a_strangers_bytes_stay_text(page: Any) -> None:
    for number in page.execute_script(
        "return [...document.querySelectorAll('details.scenario')].map(e => e.dataset.number)"
    ):
        _open(page, int(number))
    assert (
        page.execute_script("return document.querySelectorAll('img[src=x], body script:not([type]) ~ script').length")
        == 0
    )
    assert "<img src=x onerror=" in page.execute_script("return document.body.innerText")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_issue(page: Any, theme: str) -> None:
    page.find_element("css selector", f"input[value='{theme}']").find_element("xpath", "..").click()
    _open(page, _number(page, FAILED.id))
    assert _serious(page) == []


def _serious(page: Any) -> list[tuple[str, str, str]]:
    """What axe-core finds serious or worse in the page as it stands."""
    package = importlib.util.find_spec("selenium_axe_python")
    assert package is not None
    assert package.origin is not None
    script = Path(package.origin).parent / "axe-core" / "axe.min.js"
    page.execute_script(script.read_text(encoding="utf-8"))
    found = page.execute_async_script("axe.run().then(arguments[0])")
    assert len(found["passes"]) > 10
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0].get("failureSummary"))
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_a_run_of_all_with_thirty_failures_opens_at_once(browser: Any, tmp_path: Path) -> None:
    written = heavy_page(tmp_path)
    assert 3_000_000 < len(written) < MOST_BYTES
    (tmp_path / "index.html").write_bytes(written)
    took_ms = []
    for _ in range(3):
        browser.get("about:blank")
        browser.get((tmp_path / "index.html").as_uri())
        took_ms.append(browser.execute_script("return performance.getEntriesByType('navigation')[0].domComplete"))
    assert statistics.median(took_ms) < 5000  # about 300 on a quiet machine; tests/bench/bench_page.py measures it


def test_failures_are_printed_open_without_having_been_opened(page: Any) -> None:
    ready = """const done = arguments[0], failed = [...document.querySelectorAll("details.scenario.fail")];
        const look = () => failed.every((each) => each.querySelector(".body").childElementCount) ? done(failed.length)
            : setTimeout(look, 20); look();"""
    assert page.execute_async_script(ready) == 3
    assert page.execute_script("return document.querySelectorAll('details.scenario[open]').length") == 0
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert page.execute_script("return document.querySelectorAll('details.scenario.fail[open]').length") == 3
    assert "3 of 27 deliveries were lost" in page.execute_script("return document.getElementById('list').textContent")
    assert page.execute_script("return document.querySelectorAll('details.scenario.pass[open]').length") == 0
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert page.execute_script("return document.querySelectorAll('details.scenario[open]').length") == 0


# -- the page of a real run ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a run against `original`, with all that lies beside it."""
    out = tmp_path_factory.mktemp("real")
    words = ["run", "disconnect/abrupt", "disconnect/reset-after-login", "refused/no-listener", "--server", "original"]
    select = [word for prop in ("welcomes", "sockets", "handles", "refuses") for word in ("--select", prop)]
    command = [
        sys.executable,
        "-m",
        "harness",
        *words,
        *select,
        "--confirm",
        "0",
        "--seed",
        "7",
        "--out",
        str(out),
        "-q",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return (out / "index.html").as_uri()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("lang", "headline", "steps"), [
    ("en", "of 3 scenarios failed", "Step by step"), ("pt-BR", "de 3 cenários falharam", "Passo a passo"),
])  # fmt: skip
def test_the_page_of_a_real_run_holds_in_both_languages(
    browser: Any, real: str, lang: str, headline: str, steps: str
) -> None:
    with watched(browser, real) as page:
        page.find_element("css selector", f"input[value='{lang}']").find_element("xpath", "..").click()
        assert _shown(page, "h1")[0].endswith(headline)
        for scenario in ("disconnect/abrupt", "refused/no-listener"):
            assert steps in _open(page, _number(page, scenario))
        pictures = page.execute_async_script(
            "const all = [...document.querySelectorAll('img[data-picture]')].filter((e) => e.checkVisibility()), done = arguments[0];"
            "Promise.all(all.map((e) => e.decode())).then(() => done(all.map((e) => [e.naturalWidth, e.alt])));"
        )
        assert len(pictures) >= 2
        assert all(width > 0 and ": " in alt for width, alt in pictures)
        assert any(
            alt.startswith(("Who did what, when: ", "Quem fez o quê, e quando: ")[lang == "pt-BR"])
            for _, alt in pictures
        )
        command = page.execute_script("return document.querySelector('.again code').textContent")
        assert command.endswith("--seed 7 --server original")
        assert _serious(page) == []
