"""How long the heaviest page takes to open in Chromium, and how large it is.

    PYTHONPATH=tests python tests/bench/bench_page.py [--times 9]

Not a test: machines are noisy, so the median is what to quote. The goals: at most 5 MB, open in under a second.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from report.heavy import MOST_BYTES, heavy_page
from report.screenshots import FLAGS
from selenium import webdriver


def main() -> None:
    """Open it again and again, in a browser that has it in no cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=9)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "index.html"
        page.write_bytes(heavy_page(Path(place)))
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
        for flag in (*FLAGS, f"--user-data-dir={place}/profile"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options, webdriver.ChromeService(executable_path=shutil.which("chromedriver")))
        try:
            took_ms = []
            for _ in range(times):
                browser.get("about:blank")
                browser.get(page.as_uri())
                took_ms.append(opened_ms(browser))
        finally:
            browser.quit()
        print(
            f"{page.stat().st_size / 1e6:.1f} MB of {MOST_BYTES / 1e6:.0f}; opens in {statistics.median(took_ms):.0f} ms (median of {times}; goal 1000)"
        )


def opened_ms(browser: webdriver.Chrome) -> float:
    """From the navigation's start until the page is complete."""
    return float(browser.execute_script("return performance.getEntriesByType('navigation')[0].domComplete"))


if __name__ == "__main__":
    main()
