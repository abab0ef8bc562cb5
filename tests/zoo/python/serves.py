"""Defect `serves`: after a reset the departure is announced while the room's lock is held, by a call that takes it too.

The lock is not reentrant: the thread waits for itself, and everybody else for the thread.
"""

from base_threads import Chat, Client, main


class LockedTwice(Chat):
    def lost(self, client: Client, error: OSError) -> None:
        if client.name is None:
            return
        with self.lock:
            self.say(client, "(perdeu a conexão)")


main(LockedTwice())
