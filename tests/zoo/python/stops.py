"""Defect `stops`: the signal only sets a flag, and the loop looks at it after the next `accept`.

Python repeats an `accept` that a signal interrupted (PEP 475): the server ends when the next client comes.
"""

import signal

from base_threads import Chat, main


class Flagged(Chat):
    def heed_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)

    def stop(self, _signum: int, _frame: object) -> None:
        self.running = False


main(Flagged())
