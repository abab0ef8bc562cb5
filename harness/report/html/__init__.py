"""`index.html`: the report to look at, one file that needs nothing but a browser.

Everything is in it: both languages (a switch shows one), style and behaviour, and for each scenario what happened, packed
until somebody opens it. A content security policy forbids it to load anything, and its own script is the only one that
runs. A stranger's bytes are text: made visible first, then escaped by the template; pictures are shown as images, in
which no script runs.
"""

from __future__ import annotations

from harness.report.gathered import FileReport
from harness.results import RunResult

__all__ = ["HtmlReport"]


class HtmlReport(FileReport):
    """Writes index.html."""

    name = "html"
    file = "index.html"

    def render(self, result: RunResult) -> bytes:
        """The page, in UTF-8, with what lies in the run's folder."""
        from harness.report.html.page import render_html  # when it is needed: the templates' library takes its time

        return render_html(result, self._say.code, self.evidence, self.earlier)
