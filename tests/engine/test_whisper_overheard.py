"""What shows that a whisper was understood: by the one it was for, and by one who should not have heard it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from harness.dialect.profile import Profile
from harness.engine import confirming, grounds
from harness.engine.confirming import Confirmation, Confirmed, understood
from harness.engine.guests import opened
from harness.engine.options import Options
from harness.target import command

#: After a whisper it goes on to what it does with any other line.
TELLS_ALL = """
import asyncio, sys
people = {}
async def serve(reader, writer):
    writer.write(b"name? then /tell NAME TEXT\\n")
    name = (await reader.readline()).strip()
    people[name] = writer
    while text := (await reader.readline()).strip():
        word, _, rest = text.partition(b" ")
        to, _, words = rest.partition(b" ")
        if word == b"/tell" and to in people and sys.argv[2] == "whispers":
            people[to].write(b"<" + name + b" whispers> " + words + b"\\n")
        for one in people.values():
            if one is not writer:
                one.write(b"<" + name + b"> " + text + b"\\n")
    del people[name]
    writer.close()
async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()
asyncio.run(main())
"""


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


@pytest.mark.parametrize(("manner", "expected"), [("whispers", "/tell {to} {text}"), ("says", None)])
def test_a_whisper_that_is_told_to_everybody_as_well_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manner: str, expected: str | None
) -> None:
    monkeypatch.setattr(confirming, "CROWD", 1)
    (tmp_path / "chat.py").write_text(TELLS_ALL, encoding="utf-8")
    speaks = Profile.model_validate(
        {
            "login": [{"expect": "name?"}, {"send": "{name}"}],
            "list": "x",
            "leave": "x",
            "names": {"max": 9},
            "max_clients": 3,
        }
    )
    spec = command(f"{sys.executable} chat.py {{port}} {manner}", cwd=tmp_path)

    async def confirmed() -> Confirmed:
        async with opened(Options(spec), False, [], 0) as house:
            return await Confirmation(house, speaks).hold()

    found = asyncio.run(confirmed())
    assert found.profile is not None, found.why_not
    assert found.profile.whisper == expected
    if expected:
        assert found.grounds["whisper"].text == grounds.OVERHEARD
