"""Defect `idles`: the end of the stream is not looked for. `recv` gives nothing, at once, again and again."""

from collections.abc import Iterator

from base_threads import Chat, Client, main
from lines import LineBuffer


class NeverEnding(Client):
    def _read_lines(self) -> Iterator[bytes]:
        buffer = LineBuffer()
        while True:
            yield from buffer.feed(self.sock.recv(65536))


class Busy(Chat):
    client_class = NeverEnding


main(Busy())
