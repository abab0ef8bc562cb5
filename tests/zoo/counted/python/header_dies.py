"""Defect (survives): a header is believed to be a number, and what is none ends the process."""

from header import Chat, main


class Believes(Chat):
    def size(self, head):
        return int(head)


main(Believes)
