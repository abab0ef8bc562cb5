"""The folder of a run, and how files get into it: whole or not at all, with errors that a person can act on."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from harness.language import Language

_WHY = {
    errno.ENOSPC: "no space is left",
    errno.EDQUOT: "no space is left",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EROFS: "the file system is read-only",
    errno.ENOTDIR: "it is in the way of a folder",
    errno.EEXIST: "it is in the way of a folder",
    errno.EISDIR: "there is a folder of that name",
    errno.ENOENT: "there is no such file or folder",
}
#: The run's journal, beside its reports.
JOURNAL = "events.jsonl"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class ReportError(Exception):
    """A report could not be written or read: one line that says what, where, and what to do next."""


def not_written(path: Path, error: OSError, say: Language, *, journal: Path | None = None) -> ReportError:
    """The ReportError for an operating system's error in writing `path`.

    `journal`: where the run's journal is, once there is one: the report can be made from it later, elsewhere.
    """
    if error.errno in _FULL:
        advice = say("make room and run `harness report {folder}`", folder=path.parent)
    elif journal is not None and journal.exists():
        folder = journal.parent
        advice = say("the journal is kept: `harness report {folder} --out OTHER` makes it", folder=folder)
    else:
        advice = say("choose another folder with --out")
    return ReportError(
        say("{path} could not be written: {why}; {advice}", path=path, why=_why(error, say), advice=advice)
    )


def not_read(path: Path, error: OSError | str, say: Language) -> ReportError:
    """The ReportError for a journal that is not there, not to be opened, or holds nothing."""
    why = say(error) if isinstance(error, str) else _why(error, say)
    advice = say("give the folder of a run, with its events.jsonl")
    return ReportError(say("{path} could not be read: {why}; {advice}", path=path, why=why, advice=advice))


def prepare(folder: Path, say: Language) -> None:
    """Make `folder` and see that files can be made in it. Raises ReportError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = _beside(folder / "trial")
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise not_written(folder, error, say) from error


def write_whole(path: Path, content: bytes, say: Language) -> None:
    """Put `content` at `path` by a rename in the same folder: a reader sees the old file or the new, never a half.

    Raises ReportError; then the file that was there before is still there, and nothing else is left behind.
    """
    draft = _beside(path)
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise not_written(path, error, say, journal=path.with_name(JOURNAL)) from error


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _why(error: OSError, say: Language) -> str:
    known = _WHY.get(error.errno or 0)
    return say(known) if known else (error.strerror or type(error).__name__)
