"""The dialects of the documented servers (docs/protocol.md), and the simplest ones that students write."""

from __future__ import annotations

