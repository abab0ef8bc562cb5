"""Defect `genuine`: control bytes are relayed. A bare CR or an escape sequence paints over `[ana]` with a name."""

from base_threads import Chat, main


class Raw(Chat):
    def readable(self, line: bytes) -> str:
        return line.decode("utf-8", "replace").rstrip("\r")


main(Raw())
