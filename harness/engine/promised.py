"""What a server's words promise, tried: another name, and a session that is taken up again."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from harness.dialect.hypotheses import commands, is_refusal
from harness.dialect.masking import fold, stands_in, text_of
from harness.dialect.profile import Profile, Resume
from harness.engine.guests import Guest

#: A name that stands in no greeting, and that no guest bears.
ANOTHER = "olga"
#: Commands for another name, without their mark: a login by one of these is no change of name.
_RENAMES = re.compile(r"(?:set|change|new|novo|mudar|cambiar)?_?(?:nick(?:name)?|name|nome|apelido|apodo|nombre|pseudo|alias|handle|rename|nom)")  # fmt: skip
#: So often is a session asked for: the server may not have noticed yet that its owner has gone.
ASKED = 4

Speaks = Callable[[Guest], Awaitable[bytes]]


def renamings(profile: Profile, shown: str, words: Sequence[str]) -> list[str]:
    """Commands by which one may take another name: those that the server's words name, then those of its source."""
    heads = {(step.send or "").split(" ")[0] for step in profile.login if step.send}
    named = [c.template for c in commands(shown) if c.use == "name"]
    hinted = [
        word if "{name}" in word else f"{word} {{name}}"
        for word in words
        if "{to}" not in word and "{text}" not in word
    ]
    fitting = [t for t in dict.fromkeys([*named, *hinted]) if t.split(" ")[0] not in heads]
    return [t for t in fitting if _RENAMES.fullmatch(fold(re.split(r"[ :|=]", t)[0].lstrip("/!\\.#")))][:3]


async def another_name(
    templates: Sequence[str],
    listener: Guest,
    comes: Callable[[], Awaitable[Guest | None]],
    commands_it: Callable[[Guest, str], Awaitable[bool]],
    says: Speaks,
) -> str | None:
    """Whose words bear the other name behind one of these has changed it. `commands_it`: False when the command went
    round as a message; `says`: it says something that the listener hears, if anything."""
    for template in templates:
        one = await comes()
        if one is None:
            return None
        before = await says(one)
        under_its_own = stands_in(one.name, _front(listener, before))
        done = await commands_it(one, template.replace("{name}", ANOTHER))
        after = await says(one) if done and one.ended is None else b""
        one.go()
        front = _front(listener, after)
        if after and under_its_own and stands_in(ANOTHER, front) and not stands_in(one.name, front):
            return template
    return None


def _front(listener: Guest, text: bytes) -> bytes:
    """What stands before these words. What the listener knew before they were said does not count: where messages have
    no borders, the notice of the change, with both names, stands on the same line."""
    line = next((x for x in re.split(rb"[\r\n\0]", listener.new) if text and text in x), b"")
    return line.split(text)[0] if line else b""


async def resumes(
    resume: Resume,
    one: Guest | None,
    connects: Callable[[], Awaitable[Guest]],
    sends: Callable[[Guest, str], Awaitable[object]],
) -> bool:
    """Whether one that is cut off is let in again by its token, or at least not refused."""
    token = re.search(resume.token, text_of(bytes(one.raw))) if one is not None else None
    if one is None or token is None:
        return False
    one.go()
    for _ in range(ASKED):
        again = await connects()
        again.heed()
        await sends(again, resume.send.replace("{token}", token[1]))
        answer, refused = again.new, again.ended is not None or is_refusal(text_of(again.new))
        again.go()
        if answer.strip() and not refused:
            return True
    return False
