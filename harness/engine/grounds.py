"""On what a finding rests: how often it was seen, by how many clients, in how many fresh servers; or that nobody asked.

A ground is a sentence and its numbers, told in the user's language by whoever prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.engine.reading import Reading

WAITED = "half a message, without its newline, went round only when the newline had come, once"
AT_ONCE = "half a message, without its newline, went round at once, once"
PARTED = "half a line goes round at once, but lines that came together went round one by one, once"
CUT = "the last byte of each message is taken for its end, once"
FRAMED = "two clients heard each other in it, and in no way that was tried before"
HEARD = "{messages} messages of {clients} clients were heard by all the others"
CAME_IN = "{clients} clients came in by it (fresh servers: {servers})"
WITHOUT = "{clients} clients were heard without one (fresh servers: {servers})"
CAME_IN_THERE = "{clients} clients came in by it"
WITHOUT_THERE = "{clients} clients were heard without one"
NAMED = "the name stood before the words of {clients} clients"
NAMELESS = "no name stood before the words of {clients} clients"
LEFT = "said once: its connection ended, and the others went on"
LISTED = "asked once: the answer named the two others, and nobody else was told"
WHISPERED = "said once: it came to its addressee alone"
OVERHEARD = "said once: its addressee was shown it as a whisper, and the others the command as it was typed"
RENAMED = "{clients} clients got their names by it"
RENAMED_ONCE = "said once: the next words stood under the other name"
PROMISED = "not tried: the server tells everybody who comes in"
RESUMED = "tried once: whoever was cut off was let in again by its token"
TRIED = "{count} words were tried, each once"
BLIND = "only words that it shows itself were tried ({count}): it is somebody else's server"
FEW = "not asked: it takes only {clients} clients"
RENAMES_NOT = "not asked: no word for it is known, or the server gives no names"
NAMELESS_NOT = "not asked: nobody has a name"
STRICT = "a message with accents did not come, and those without did, once"
FULL = "of {came} that came the first {clients} were served, and nobody after them"
DECLARED = "not asked: declared in harness.toml"
QUIET = "what {runs} quiet runs had in common, each on a fresh server"
ONE_RUN = "seen in one quiet run"
TIMED = "the median of {runs} quiet runs"
TWIN = "tried once in each of {runs} quiet runs"


@dataclass(frozen=True)
class Ground:
    """A sentence, and what fills it."""

    text: str
    values: Mapping[str, int] = field(default_factory=dict)


Grounds = Mapping[str, Ground]


def of_borders(reading: Reading) -> Ground:
    """Why messages are thought to be framed so."""
    if reading.guess.manner is not None:
        return Ground(FRAMED)
    if reading.guess.ended:
        return Ground(CUT)
    if reading.guess.framing is not None:
        return Ground(FRAMED)
    return Ground(PARTED if reading.apart else WAITED if reading.framing == "line" else AT_ONCE)


def of_login(clients: int, *, servers: int, must: bool, remote: bool) -> Ground:
    """So many came in, on so many instances that were started for it."""
    if remote:
        return Ground(CAME_IN_THERE if must else WITHOUT_THERE, {"clients": clients})
    return Ground(CAME_IN if must else WITHOUT, {"clients": clients, "servers": servers})


def of_quiet(runs: int, *, named: bool) -> Grounds:
    """What the quiet runs have shown."""
    same = Ground(QUIET, {"runs": runs}) if runs > 1 else Ground(ONE_RUN)
    found = dict.fromkeys(("echo", "arrivals", "departures"), same)
    found["round trip"] = Ground(TIMED, {"runs": runs}) if runs > 1 else Ground(ONE_RUN)
    if named:
        found["duplicates"] = Ground(TWIN, {"runs": runs}) if runs > 1 else Ground(ONE_RUN)
    return found
