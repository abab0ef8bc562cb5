"""Defect `identity`: a name is looked up when it is given, and taken only when the class is known: two can have it."""

from classes import School, lock, main


class LateSchool(School):
    def takes(self, name):
        with lock:
            return name.isalnum() and len(name) <= 20 and name not in self.names()


main(LateSchool())
