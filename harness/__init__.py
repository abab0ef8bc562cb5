"""harness: what happens to a TCP chat server when the network is cruel?

The public names are those that a person who writes scenarios needs; the command line is `harness`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Member", "Room", "__version__", "scenario"]

if TYPE_CHECKING:
    from harness.client.member import Member
    from harness.registry import scenario
    from harness.room import Room


def __getattr__(name: str) -> object:
    """Load the public names when they are first asked for, so that `harness --help` stays quick."""
    if name == "Room":
        from harness.room import Room

        return Room
    if name == "Member":
        from harness.client.member import Member

        return Member
    if name == "scenario":
        from harness.registry import scenario

        return scenario
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
