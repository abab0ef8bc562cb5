"""How long is waited for what: floors with a reason, or multiples of the server's own quiet round trip."""

from __future__ import annotations

from harness.history import Deadlines

#: No answer is called late before this; the kernel's own steps (delayed ACK 40 ms, retransmission 200 ms) fit in.
REPLY_FLOOR_S = 1.0
#: Nothing is waited for longer than this.
REPLY_CEILING_S = 15.0
#: A SYN that was dropped is sent again after 1 s, and asyncio pauses for 1 s after EMFILE.
CONNECT_FLOOR_S = 3.0
JOIN_FLOOR_S = 2.5
STOP_S = 5.0
#: A virtual machine, or a `make run`, may take its time.
START_S = 20.0
#: Student servers look at closed sockets once a second.
REST_S = 1.6


def deadlines(rtts_s: list[float], login_s: float = 0.0, patience: float = 1.0) -> Deadlines:
    """The deadlines in force for a server with these quiet round trips and this slowest login, in seconds."""
    ordered = sorted(rtts_s) or [0.001]
    median, worst = ordered[len(ordered) // 2], ordered[-1]
    reply = min(REPLY_CEILING_S, max(REPLY_FLOOR_S, 20 * median, 4 * worst))
    return Deadlines(
        quiet_rtt_s=median,
        reply_s=patience * reply,
        join_s=patience * min(REPLY_CEILING_S, max(JOIN_FLOOR_S, reply, 6 * login_s)),
        connect_s=patience * max(CONNECT_FLOOR_S, reply),
        start_s=patience * START_S,
        stop_s=patience * max(STOP_S, reply),
        rest_s=patience * max(REST_S, 2 * worst),
        login_s=login_s,
    )
