"""How a chat server speaks: framings, the profile of a dialect, and finding it out."""

from harness.dialect.framing import (
    ChunkFraming,
    FixedFraming,
    Framing,
    HeaderFraming,
    JsonFraming,
    LengthFraming,
    LineFraming,
    TerminatedFraming,
)
from harness.dialect.profile import KeepAlive, LoginStep, Names, Notices, Profile, Resume

__all__ = [
    "ChunkFraming",
    "FixedFraming",
    "Framing",
    "HeaderFraming",
    "JsonFraming",
    "KeepAlive",
    "LengthFraming",
    "LineFraming",
    "LoginStep",
    "Names",
    "Notices",
    "Profile",
    "Resume",
    "TerminatedFraming",
]
