"""Defect `accepts`: the name is read in the accept loop, so one silent newcomer shuts the door for all the others."""

import socket
import threading

from base_threads import Chat, Client, main
from lines import LineTooLong


class NameAtTheDoor(Chat):
    def admit(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock)
        client.start()
        try:
            welcome = self.log_in(client)
        except (OSError, LineTooLong):
            welcome = False
        if welcome:
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()
        else:
            client.part()

    def log_in(self, client: Client) -> bool:
        return client.name is not None or super().log_in(client)


main(NameAtTheDoor())
