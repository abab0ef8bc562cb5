"""Defect (serves): what stands in a message is looked at by the thread that tells everybody. A text that is no text ends
that thread, and nobody hears anybody any more."""

from json_queue import Chat, clean, main


class Trusts(Chat):
    def message(self, client, value):
        if client.name is None or not isinstance(value, dict) or value.get("type") == "quit":
            return super().message(client, value)
        self.news.put(({"type": "message", "from": client.name, "text": value.get("text")}, client))
        return True

    def pass_on(self, value, but):
        if "text" in value:
            value["text"] = clean(value["text"].strip())
        if value.get("text") != "":
            super().pass_on(value, but)


main(Trusts())
