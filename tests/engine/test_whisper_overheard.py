"""What shows that a whisper was understood: by the one it was for, and by one who should not have heard it."""

from __future__ import annotations

import pytest

from harness.engine.confirming import understood


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("<ana whispers> hello 7\n<ana> /tell bia hello 7\n", True),
        ("<ana> /tell bia hello 7\n", False),
        ("ana: @bia hello 7\n", False),
        ("ana: something else\n", False),
    ],
)
def test_a_whisper_is_understood_where_its_command_is_gone(shown: str, expected: bool) -> None:
    assert understood("/tell {to} {text}", "bia", shown, "hello 7") is expected
