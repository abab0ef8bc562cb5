"""Defect `refuses`: a helper process inherits the listening socket and outlives the server.

Newcomers still get a connection, into the backlog of a socket that nobody accepts from, and hang.
"""

import os
import signal
import socket
import time

from base_threads import Chat, main

#: The helper ends by itself so long after the server.
OUTLIVES_S = 20.0


def tidy_up_later() -> None:
    """The helper's work: it waits until the server has ended, and finishes in its own time."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    server = os.getppid()
    while os.getppid() == server:
        time.sleep(0.5)
    time.sleep(OUTLIVES_S)


class WithHelper(Chat):
    def listen(self, port: int) -> socket.socket:
        listener = super().listen(port)
        if os.fork() == 0:
            tidy_up_later()  # and `listener` is open here, too
            os._exit(0)
        return listener


main(WithHelper())
