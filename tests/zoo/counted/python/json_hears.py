"""Defect (admits): whoever has sent a line is told everything that is said, whether or not it has logged in."""

from json_queue import Chat, main


class Hears(Chat):
    def message(self, client, value):
        with self.lock:
            self.people.add(client)
        if client.name is None and not (isinstance(value, dict) and "name" in value):
            client.put(self.line({"type": "error", "reason": "who are you?"}))
            return True
        return super().message(client, value)


main(Hears())
