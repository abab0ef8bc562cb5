"""What a server puts in front of a message: learned from a quiet run, as a template with the speaker's name in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.dialect.masking import mask, text_of
from harness.history import Heard, Record, Said


def template_in_front(records: Sequence[Record], names: Mapping[int, str], speakers: Sequence[int]) -> str | None:
    """What stands before the words, with the name masked: the same for each of the speakers (connections), or None.

    `names`: of every connection. Where the speakers' own names do not stand there alike, somebody else's may: a server
    that mixes its clients up does put a name in front.
    """
    own = {front for conn in speakers if (front := _first_front(records, names, conn)) is not None}
    template = own.pop() if len(own) == 1 else _of_somebody(records, names)
    return template if template is not None and template.count("{name}") == 1 else None


def _first_front(records: Sequence[Record], names: Mapping[int, str], conn: int) -> str | None:
    """What stood before this speaker's first message that somebody else heard whole."""
    return next((_masked(text, (names[conn],)) for said, _, text in _fronts(records) if said.conn == conn), None)


def _of_somebody(records: Sequence[Record], names: Mapping[int, str]) -> str | None:
    """The one template of all messages with a name in front, one of a third person among them.

    The listener's own name may stand there as a prompt, and tells nothing.
    """
    templates, third = set[str](), False
    for said, heard, text in _fronts(records):
        others = [name for conn, name in names.items() if conn != heard.conn]
        template = _masked(text, others)
        if "{name}" in template:
            templates.add(template)
            third = third or "{name}" not in _masked(text, (names[said.conn],))
    return templates.pop() if third and len(templates) == 1 else None


def _fronts(records: Sequence[Record]) -> Iterator[tuple[Said, Heard, str]]:
    """Each message with each other client that heard it whole, and what stood in front there."""
    said = {r.token: r for r in records if isinstance(r, Said) and r.kind in ("chat", "fence")}
    for heard in records:
        if not isinstance(heard, Heard) or (message := said.get(heard.token)) is None or heard.conn == message.conn:
            continue
        if message.text in heard.unit:
            yield message, heard, text_of(heard.unit.split(message.text)[0]).lstrip("\r\n \t")


def _masked(front: str, names: Sequence[str]) -> str:
    return mask(front, names) + (" " if front.endswith(" ") else "")
