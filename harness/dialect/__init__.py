"""How a chat server speaks: framings, the profile of a dialect, and finding it out."""

from harness.dialect.framing import ChunkFraming, Framing, LineFraming
from harness.dialect.profile import KeepAlive, LoginStep, Names, Notices, Profile, Resume

__all__ = [
    "ChunkFraming",
    "Framing",
    "KeepAlive",
    "LineFraming",
    "LoginStep",
    "Names",
    "Notices",
    "Profile",
    "Resume",
]
