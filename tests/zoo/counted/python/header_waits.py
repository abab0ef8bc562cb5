"""Defect (responsive): once a header is there, the body is waited for, and everybody waits with it."""

from header import HEADER, Chat, main


class Waits(Chat):
    def has(self, client, size):
        client.sock.setblocking(True)
        try:
            while len(client.came) < HEADER + size:
                data = client.sock.recv(HEADER + size - len(client.came))
                if not data:
                    break
                client.came += data
        except OSError:
            pass
        client.sock.setblocking(False)
        return len(client.came) >= HEADER + size


main(Waits)
