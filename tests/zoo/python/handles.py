"""Defect `handles` (a warning): every reset prints a traceback; nothing else is wrong."""

import traceback

from base_threads import Chat, Client, main


class Noisy(Chat):
    def lost(self, client: Client, error: OSError) -> None:
        traceback.print_exception(error)


main(Noisy())
