"""A history is written as lines and read back as it was."""

from __future__ import annotations

import pytest

from harness.history import KINDS, Joined, Packet, Said, Sample, Step, as_json, as_json_lines, from_json

RECORDS = (
    Said(at_s=0.5, op=1, conn=2, token="xq02001g49y", text=b"hello \xff", expects=(1, 3), kind="fence"),
    Joined(at_s=0.1, conn=1, name="ana", asked_at_s=0.05, intro="olá\n".encode()),
    Sample(at_s=0.2, label="before", alive=True, tcp={"LISTEN": 1}, peers=(("ESTABLISHED", 40000),)),
    Packet(at_s=0.3, flow=1, leg="direct", sender="client", flags="SYN"),
    Step(at_s=0.4, did="50 clients connect"),
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_a_record_is_read_back_as_it_was(record: object) -> None:
    assert from_json(as_json(record)) == record  # type: ignore[arg-type]


def test_every_line_names_its_record() -> None:
    lines = as_json_lines(RECORDS).splitlines()
    assert [type(from_json(line)).__name__ for line in lines] == [type(record).__name__ for record in RECORDS]
    assert {"Said", "Heard", "Phase", "Captured", "Lag"} <= set(KINDS)


@pytest.mark.parametrize("line", ["", "[]", '{"kind":"Nothing"}', '{"kind":"Step","at_s":1,"odd":2}', "{"])
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no record of a history"):
        from_json(line)
