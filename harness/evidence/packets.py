"""The packets table: a kept capture, read back with dpkt, as `packets.json` for reports to show.

    {"schema_version": 1, "captured": 812, "missed": 0, "left_out": 512,
     "columns": ["n", "s", "leg", "who", "from", "to", "flags", "seq", "ack", "bytes", "data", "notes"],
     "rows": [[1, 0.2013, "direct", "ana", "client", "server", "SYN", 0, null, 0, "", "ana (connection 1), direct"]]}

`n` is the packet's number in capture.pcapng, so that it is found in Wireshark. `seq` and `ack` count from the first of
their sender. `data` is the beginning of what it carried, made visible; `notes` are the file's comments.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dpkt
from dpkt import pcapng as library

from harness.evidence.capture import Taken
from harness.evidence.segments import ACK, flag_names
from harness.history import Opened, Record
from harness.report.safe import visible

#: Rows that a table may have; of more, bare acknowledgements go first, then the middle.
MOST_ROWS = 300
_DATA = 60
COLUMNS = ("n", "s", "leg", "who", "from", "to", "flags", "seq", "ack", "bytes", "data", "notes")
_BARE_ACK = "ACK"


@dataclass(frozen=True, slots=True)
class Read:
    """One packet of a file: its bytes, and the comments that stand on it."""

    data: bytes
    comments: tuple[str, ...]


def read(capture: bytes) -> Iterator[Read]:
    """The packets of a pcapng file of ours. Raises ValueError or dpkt.Error when it is none."""
    file = io.BytesIO(capture)
    while head := file.read(8):
        kind, size = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:], "little")
        block = head + file.read(size - 8)
        if len(head) < 8 or len(block) != size:
            raise ValueError("the capture ends in the middle of a block")
        if kind == library.PCAPNG_BT_EPB:
            packet = library.EnhancedPacketBlockLE(block)
            comments = tuple(o.text for o in packet.opts if o.code == library.PCAPNG_OPT_COMMENT)
            yield Read(packet.pkt_data, comments)


def as_table(capture: bytes, taken: Taken, records: Sequence[Record]) -> str:
    """packets.json of a capture."""
    packets = list(read(capture))
    rows = list(_rows(packets, taken, {r.conn: r.who for r in records if isinstance(r, Opened)}))
    kept = _bounded(rows)
    for row in kept:
        row["data"] = _beginning(packets[row["n"] - 1].data) if row["bytes"] else ""
    table: dict[str, object] = {
        "schema_version": 1,
        "captured": len(taken.frames),
        "missed": taken.missed,
        "left_out": len(rows) - len(kept),
        "columns": COLUMNS,
        "rows": [[row[name] for name in COLUMNS] for row in kept],
    }
    return json.dumps(table, ensure_ascii=True, separators=(",", ":"))


def _rows(packets: Sequence[Read], taken: Taken, who: dict[int, str]) -> Iterator[dict[str, Any]]:
    """A row for each packet of a connection, without what it carried: that is looked at where the row is kept."""
    whose = {s.frame: (flow, s, at_s) for flow in taken.flows for at_s, s in flow.segments}
    first: dict[tuple[int, bool], int] = {}
    for number, packet in enumerate(packets):
        if number not in whose:
            continue
        flow, segment, at_s = whose[number]
        up = segment.source == flow.client
        base = first.setdefault((flow.number, up), segment.seq)
        theirs = first.get((flow.number, not up))
        ends = flow.leg.split("-") if flow.leg != "direct" else ["client", "server"]
        yield {
            "n": number + 1, "s": round(at_s, 6), "leg": flow.leg,
            "who": who.get(flow.conn, "") if flow.conn is not None else "",
            "from": ends[0 if up else 1], "to": ends[1 if up else 0], "flags": flag_names(segment.flags),
            "seq": (segment.seq - base) & 0xFFFFFFFF,
            "ack": (segment.ack - theirs) & 0xFFFFFFFF if theirs is not None and segment.flags & ACK else None,
            "bytes": segment.length, "notes": "; ".join(visible(comment) for comment in packet.comments),
        }  # fmt: skip


def _beginning(packet: bytes) -> str:
    """What a packet carried, made visible, as far as a table shows it; the packet may have been cut."""
    try:
        segment = dpkt.ethernet.Ethernet(packet).data.data
    except (dpkt.Error, AttributeError):
        return ""
    return visible(bytes(segment.data), _DATA) if isinstance(segment, dpkt.tcp.TCP) else ""


def _bounded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rows) > MOST_ROWS:
        third = {row["n"] for row in rows if row["seq"] == 1 and row["ack"] == 1}  # the ACK of a handshake stays
        rows = [r for r in rows if r["flags"] != _BARE_ACK or r["bytes"] or r["notes"] or r["n"] in third]
    if len(rows) > MOST_ROWS:
        rows = [*rows[: MOST_ROWS // 2], *rows[-MOST_ROWS // 2 :]]
    return rows
