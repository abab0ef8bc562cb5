"""Correct. Asks for a name and then for a class, without newlines. Run: python classes.py 5000."""

import socket
import sys
import threading
import time

CLASSES = ("A", "B")
lock = threading.Lock()


class Pupil:
    def __init__(self, sock):
        self.sock = sock
        self.name = ""

    def send(self, text):
        """Never waits: who does not read is cut off."""
        data = text.encode()
        try:
            if self.sock.send(data, socket.MSG_DONTWAIT) == len(data):
                return
        except OSError:
            pass
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def ask(self, question, valid):
        """The first answer that is one; None when the connection has ended."""
        while True:
            self.send(question)
            data = self.sock.recv(1024)
            if not data:
                return None
            answer = data.decode("utf-8", "replace").strip()
            if valid(answer):
                return answer
            self.send("Not that one. ")


class School:
    def __init__(self):
        self.pupils = []
        self.asked = set()  # names whose owners are still being asked for their class

    def names(self):
        return {pupil.name for pupil in self.pupils} | self.asked

    def takes(self, name):
        """Whether a name may be had; from then on it is."""
        with lock:
            if not name.isalnum() or len(name) > 20 or name in self.names():
                return False
            self.asked.add(name)
            return True

    def tell(self, text, but):
        with lock:
            for pupil in self.pupils:
                if pupil is not but:
                    pupil.send(text)

    def serve(self, sock):
        pupil, name = Pupil(sock), None
        try:
            name = pupil.ask("Your name: ", self.takes)
            if name and pupil.ask("Your class (A or B): ", lambda a: a.upper() in CLASSES):
                self.enter(pupil, name)
                self.listen(pupil)
        except OSError:
            pass
        finally:
            self.leave(pupil, name)
            sock.close()

    def enter(self, pupil, name):
        pupil.name = name
        with lock:
            self.pupils.append(pupil)
            self.asked.discard(name)
        pupil.send(f"Hello {name}! Say bye to leave.")
        self.tell(f"-> {name} sits down", pupil)

    def listen(self, pupil):
        while data := pupil.sock.recv(2048):
            text = "".join(c if c.isprintable() else " " for c in data.decode("utf-8", "replace")).strip()
            if text == "bye":
                return
            if text:
                self.tell(f"{pupil.name}: {text}", pupil)

    def leave(self, pupil, name):
        with lock:
            self.asked.discard(name)
            there = pupil in self.pupils
            if there:
                self.pupils.remove(pupil)
        if there:
            self.tell(f"<- {pupil.name} goes home", pupil)


def main(school):
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        threading.Thread(target=school.serve, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main(School())
