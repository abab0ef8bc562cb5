"""Defect `restarts`: no SO_REUSEADDR. While old connections are in TIME_WAIT the port cannot be bound again."""

import socket

from base_selectors import Chat, main
from lines import BACKLOG


class NoReuse(Chat):
    def listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
        return listener


main(NoReuse())
