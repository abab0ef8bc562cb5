"""The program as a user starts it: in a folder of its own, and everything that it started can be found again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
RELAY = ROOT / "tests" / "servers" / "relay.py"
SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text(encoding="utf-8"))
MARK = "HARNESS_TEST_MARK"
#: So long may a process take to be gone after the harness has ended, in seconds.
GONE_S = 3.0


@dataclass(frozen=True)
class Done:
    """How a run of the program ended."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything that it printed."""
        return self.out + self.err


class Program:
    """`harness …` in `folder`. What it starts inherits a mark, by which `left` finds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = folder / "report"
        self._mark = uuid.uuid4().hex

    def relay(self, *options: str, port: str = "{port}") -> str:
        """The command of the stand-in server."""
        return " ".join([sys.executable, str(RELAY), port, *options])

    def declare(self) -> None:
        """Say in harness.toml how the stand-in speaks, so that it need not be found out."""
        (self.folder / "harness.toml").write_text('[dialect]\nframing = "line"\nlogin = []\n', encoding="utf-8")

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Start it in the background, its output in pipes."""
        return self.start_command([sys.executable, "-m", "harness", *words], **more)

    def start_command(self, command: list[str], **more: Any) -> subprocess.Popen[str]:
        """Start another program that starts it, in the same way."""
        settings: dict[str, Any] = {
            "cwd": self.folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
            "text": True, "env": {**os.environ, MARK: self._mark, "COLUMNS": "200", "LC_ALL": "C.UTF-8"},
        }  # fmt: skip
        settings["env"].pop("HARNESS_LANG", None)
        return subprocess.Popen(command, **{**settings, **more})

    def __call__(self, *words: str, timeout: float = 100, **more: Any) -> Done:
        """Run it to its end."""
        return self.to_the_end(self.start(*words, **more), timeout)

    def to_the_end(self, process: subprocess.Popen[str], timeout: float = 100) -> Done:
        """Wait for the end of what was started here."""
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return Done(process.returncode, out or "", err or "")

    def run(self, *words: str, timeout: float = 100, **more: Any) -> Done:
        """`harness run …`, its reports in `report`."""
        return self("run", *words, "--out", str(self.report), "--seed", "7", timeout=timeout, **more)

    def results(self) -> dict[str, Any]:
        """results.json, valid; junit.xml can be read and report.txt is there."""
        results: dict[str, Any] = json.loads((self.report / "results.json").read_text(encoding="utf-8"))
        jsonschema.validate(results, SCHEMA)
        tests = ElementTree.parse(self.report / "junit.xml").getroot()
        assert int(tests.get("tests", "-1")) >= len(results["scenarios"])
        assert (self.report / "report.txt").read_text(encoding="utf-8").strip()
        return results

    def left(self) -> list[str]:
        """What still runs of all that was started here."""
        wanted, found = f"{MARK}={self._mark}".encode(), []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                        command = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                        found.append(f"{name}: {command}")
                except OSError:
                    continue
        return found

    def assert_nothing_left(self) -> None:
        """Wait a little until nothing runs any more."""
        awaited(lambda: not self.left(), GONE_S)
        assert self.left() == []


def awaited(condition: Callable[[], bool], deadline_s: float) -> bool:
    """Look until it is so; whether it became so in time."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)  # between two looks at what gives no event: processes, files of another process
    return True
