"""Defect (threads): a forked child writes down who has left, and nobody ever waits for it: a zombie for each departure."""

import os

from header import Chat, main


class Forks(Chat):
    def drop(self, client):
        if client in self.clients and client.name and os.fork() == 0:
            os.write(os.open(os.devnull, os.O_WRONLY), client.name.encode())
            os._exit(0)
        super().drop(client)


main(Forks)
