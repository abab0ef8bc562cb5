"""Defect `survives`: the accept loop asks each newcomer's socket for its address. One that is gone already has none.

The OSError ends the accept loop, and with it the process: a port scan is enough.
"""

import socket

from base_threads import Chat, main


class Curious(Chat):
    def admit(self, sock: socket.socket) -> None:
        self.newest = sock.getpeername()
        super().admit(sock)


main(Curious())
