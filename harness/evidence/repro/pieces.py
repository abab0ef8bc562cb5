"""What repro.py files are made of: ordinary functions, of which the writer copies those that a file needs.

Standard library only, and written to be read by a student: in a repro.py these lines stand without the harness. The
names below `told by the writer` are put in by it, as the server's dialect wants them.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import select
import shlex
import signal
import socket
import struct
import subprocess
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

# --- told by the writer
HOST = "127.0.0.1"
PORT = 5000
START: list[str] = []
START_IN = "."
START_STDIN = ""
START_ENV: dict[str, str] = {}
CONNECT_S = 5.0
REPLY_S = 2.0
JOIN_S = 5.0
PAUSE_S = 0.05
STOP_S = 5.0
REST_S = 3.0
IDLE_S = 10.0
TRIES = 40
AGAIN_S = 10.0
SAY = "{text}"
LEAVE_WORD = ""
LIST_WORD = ""
WHISPER = ""
RENAME_WORD = ""
INTRODUCTION: list[str] = []


def framed(message: bytes) -> bytes:
    """Written for each dialect."""
    return message


def log_in(client: Client) -> Client:
    """Written for each dialect."""
    return client


def keep_alive(client: Client) -> None:
    """Written for each dialect that has a heartbeat."""


def play() -> None:
    """Written for each scenario."""


# --- copied


class Broken(Exception):
    """The server did not do what it has to do."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected: {expected}\ngot:      {got}")


class CannotTell(Exception):
    """Something is missing here, and nothing can be said about the server."""


class Client:
    """One chat client: a TCP socket, and all that the server has sent to it so far."""

    def __init__(self, name: str, receive_buffer: int = 0) -> None:
        self.name = name
        self.received = b""
        self.answered = 0  # what came before this place has been answered already
        self.kept_alive = 0  # and the heartbeats up to here
        self.ended = ""  # FIN or RST, once the server has ended the connection
        self.present = True
        self.sent_s = 0.0  # when something was sent last
        self.socket = socket.socket(socket.AF_INET6 if ":" in HOST else socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:  # set before connecting, it bounds how much the server may send without being read
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(CONNECT_S)
        self.socket.connect((HOST, PORT))  # SYN, SYN-ACK, ACK: the kernel does this, the server need not know yet
        # Nagle's algorithm would wait and join small sends. Without it each send is a segment of its own.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # -- reading

    def read_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Read until `done()`, until the server ends the connection, or until the time is over."""
        end = time.monotonic() + seconds
        while not done() and not self.ended:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                break
            self.read_once()
        return done()

    def read_once(self) -> None:
        """One recv. No bytes at all are the end of the stream: the other side has sent its FIN."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            self.ended = "RST"
            return
        self.received += data
        keep_alive(self)
        if not data:
            self.ended = "FIN"

    def hears(self, words: str, seconds: float | None = None) -> bool:
        """Whether these words come, sooner or later. TCP is a stream: they may come in any number of reads."""
        wanted = words.encode()
        return self.read_until(lambda: wanted in self.received, REPLY_S if seconds is None else seconds)

    def is_shown(self, words: str, seconds: float | None = None) -> bool:
        """The same, whatever the case and the accents, in what has come since the last answer."""
        wanted = plain(words)
        return self.read_until(
            lambda: wanted in plain(self.received[self.answered :].decode("utf-8", "replace")),
            REPLY_S if seconds is None else seconds,
        )

    def sees_the_end(self, seconds: float | None = None) -> bool:
        """Whether the server ends this connection in time."""
        self.read_until(lambda: bool(self.ended), REPLY_S if seconds is None else seconds)
        return bool(self.ended)

    def last_words(self) -> str:
        """The end of what has come, for people."""
        told = repr(self.received[-200:])[1:] if self.received else "nothing"
        return f"{told}, and then {self.ended}" if self.ended else told

    # -- speaking

    def send(self, *pieces: bytes) -> None:
        """Send each piece in a segment of its own, and give the server the time to read it alone."""
        for piece in pieces:
            time.sleep(max(0.0, self.sent_s + PAUSE_S - time.monotonic()))
            try:
                self.socket.sendall(piece)
            except ConnectionError:  # the server has ended the connection: this is seen when we read
                return
            self.sent_s = time.monotonic()

    def say(self, words: str) -> None:
        """Say something to everybody."""
        self.send(framed(SAY.replace("{name}", self.name).replace("{text}", words).encode()))

    def blurt(self, words: str) -> None:
        """The same at once, whatever has been said just before."""
        self.sent_s = 0.0
        self.say(words)

    def waits_for(self, words: str, refusal: str = "") -> None:
        """A step of the login: the server has to show these words."""
        wanted, no = plain(words), plain(refusal)

        def answer() -> str:
            return plain(self.received[self.answered :].decode("utf-8", "replace"))

        self.read_until(lambda: wanted in answer() or bool(no and no in answer()), JOIN_S)
        expect(wanted in answer(), f"{self.name} is shown {words!r} while it logs in", self.last_words())

    def answers(self, words: str) -> None:
        """A step of the login: our answer."""
        self.answered = len(self.received)
        self.send(framed(words.encode()))

    def asks_who_is_here(self) -> str:
        """What the server's list command answers."""
        start = len(self.received)
        self.send(framed(LIST_WORD.encode()))
        self.read_until(lambda: self.name.encode() in self.received[start:], REPLY_S)
        self.read_until(lambda: False, 0.2)  # the rest of a long list
        return self.received[start:].decode("utf-8", "replace")

    # -- leaving

    def leave(self) -> None:
        """Leave as people do: say the leave word, and wait until the server closes (its FIN). Then close, too."""
        self.answered = len(self.received)
        self.send(framed(LEAVE_WORD.replace("{name}", self.name).encode()))
        self.sees_the_end()
        self.close()

    def close(self) -> None:
        """Close without a word: FIN. What has come is read before, as unread bytes would turn the FIN into a RST."""
        self.present = False
        if self.socket.fileno() < 0:
            return  # it is closed already
        self.read_until(lambda: False, 0)
        while not self.ended and select.select([self.socket], [], [], 0)[0]:
            self.read_once()
        self.socket.close()
        time.sleep(ROUND["pace_s"])

    def reset(self) -> None:
        """Vanish with a RST: lingering for zero seconds makes the kernel throw the connection away."""
        self.present = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        time.sleep(ROUND["pace_s"])

    def abandon(self) -> None:
        """Just close, as the kernel does for a process that has died: FIN, or RST where something is still unread."""
        self.present = False
        self.socket.close()
        time.sleep(ROUND["pace_s"])

    def half_close(self) -> None:
        """Say FIN and go on listening: TCP closes each direction on its own (RFC 9293, section 3.6)."""
        self.present = False
        self.socket.shutdown(socket.SHUT_WR)

    def cut(self, gently: Callable[[Client], None] | None = None) -> None:
        """Be cut off by what lies between, which sends FIN, or RST where something was still unread: in turn."""
        if ROUND["resets"]:
            self.reset()
        else:
            (gently or Client.close)(self)

    def vanish(self) -> None:
        """As if the cable were pulled: the kernel drops every packet that comes, no FIN, no RST (Linux, socket(7))."""
        self.present = False
        drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # a filter of one line: keep 0 bytes
        attach_filter = 26  # SO_ATTACH_FILTER
        self.socket.setsockopt(socket.SOL_SOCKET, attach_filter, struct.pack("HL", 1, ctypes.addressof(drop_all)))


def plain(text: str) -> str:
    """Without case and accents, so that `Usuário` is found by `usuario`."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold()


room: list[Client] = []


def connect(name: str) -> Client:
    """Only connect: no word, no login."""
    client = Client(name)
    time.sleep(ROUND["pace_s"])  # the server may have greeted it when it goes, or not even accepted it
    return client


def enter(name: str) -> Client:
    """Connect, log in, and say hello until the others hear it: only then is it sure that the server counts us in."""
    client = log_in(connect(name))
    others = [other for other in room if other.present and not other.ended]
    for number in range(3):
        hello = f"hello {number} from {name}"
        if others:
            client.say(hello)
        if all(other.hears(hello, REPLY_S / 2) for other in others):
            break
    room.append(client)
    return client


def let_in(name: str) -> Client:
    """Connect and log in. Whoever is refused tries again, as real clients do."""
    for attempt in range(4):
        try:
            return log_in(connect(name))
        except Broken:
            if attempt == 3:
                raise
            time.sleep(0.2 * 2**attempt)
    raise AssertionError("unreachable")


def come_back(name: str) -> Client:
    """Return under the same name. The server may need a moment to notice that the old connection is gone."""
    for attempt in range(6):
        try:
            return enter(name)
        except (Broken, OSError):
            if attempt == 5:
                raise
            time.sleep(REPLY_S / 4)
    raise AssertionError("unreachable")


def enter_if_let_in(name: str) -> Client:
    """A second window of somebody who is in the room: the server may refuse that name, or change it."""
    client = connect(name)
    try:
        log_in(client)
    except Broken:
        pass  # as it may
    return client


def missing_words(client: Client) -> list[str]:
    """Which parts of the introduction this client has not been shown. `#` stands for numbers, times and the like."""

    def shown(part: str) -> bool:
        pattern = re.escape(part).replace(r"\#", r"\S*").replace(r"\{name\}", re.escape(client.name))
        lines = re.split(r"[\r\n]+", client.received.decode("utf-8", "replace"))
        return re.search(pattern, "\n".join(" ".join(line.split()) for line in lines), re.IGNORECASE) is not None

    client.read_until(lambda: all(shown(part) for part in INTRODUCTION), REPLY_S)
    return [part for part in INTRODUCTION if not shown(part)]


def is_listed(name: str, answer: str) -> bool:
    """Whether a name stands in a list, as a word of its own."""
    return re.search(rf"(?<![^\W_]){re.escape(plain(name))}(?![^\W_])", plain(answer)) is not None


def expect(held: bool, expected: str, got: str) -> None:
    """This has to be so."""
    if not held:
        raise Broken(expected, got)


def expect_a_working_room(*people: Client) -> None:
    """Everybody speaks in turn, three times, and all others hear it.

    Three times, because the first write to a connection that is gone still succeeds: it provokes the RST that makes
    the next one fail.
    """
    for number in range(1, 4):
        for speaker in people:
            words = f"round {number}, {speaker.name} speaks"
            speaker.say(words)
            for listener in people:
                if listener is not speaker:
                    expect(
                        listener.hears(words), f"{listener.name} hears {words!r} within {REPLY_S:g} s",
                        f"{listener.name} was sent {listener.last_words()}",
                    )  # fmt: skip


def expect_that_it_runs() -> None:
    """The server still takes people in: a process that has ended refuses the connection."""
    time.sleep(0.3)  # the kernel needs a moment to bury a process
    try:
        log_in(connect("zoe"))
    except OSError as error:
        raise Broken("the server still runs", f"no connection: {error}") from None


THE_FAULT = {"begun": False}


def now_it_counts() -> None:
    """Up to here all must go well, or nothing can be told. From here on, what goes wrong is the server's doing."""
    THE_FAULT["begun"] = True


# -- the server's process (Linux: /proc)


def server_pid() -> int:
    """The process that listens on PORT: --pid, or whoever owns the listening socket."""
    if "pid" in GIVEN:
        return GIVEN["pid"]
    inodes = {f"socket:[{inode}]" for inode in listening_inodes()}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            links = {os.readlink(link) for link in (folder / "fd").iterdir()}
        except OSError:
            continue
        if links & inodes:
            return int(folder.name)
    if THE_FAULT["begun"] and PROCESSES and not runs(PROCESSES[0].pid):
        raise Broken("the server still runs", f"its process has ended, with exit status {PROCESSES[0].returncode}")
    raise CannotTell(
        f"no process of yours listens on port {PORT}: start it with --start, or give its number with --pid"
    )


def listening_inodes() -> list[str]:
    """The kernel's numbers of the sockets that listen on PORT. To look is not to connect: that would be a visit."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in (line.split() for line in rows):
            if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == PORT:  # 0A: LISTEN
                found.append(row[9])
    return found


def family_of(pid: int, zombies: bool = False) -> list[int]:
    """A process and its children, and theirs; with the zombies, which have ended, but whom nobody has waited for."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if zombies or fields[0] != "Z":
            parents[int(folder.name)] = int(fields[1])
    family = [pid] if pid in parents else []
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def count_of(what: str) -> int:
    """How many threads (`task`), open files and sockets (`fd`) or processes the server has now."""
    if what == "processes":
        return len(family_of(server_pid(), zombies=True))
    return sum(len(list(Path(f"/proc/{pid}/{what}").iterdir())) for pid in family_of(server_pid()))


def count_at_rest(what: str, wanted: int) -> int:
    """The same, when it has had its time to tidy up."""
    end = time.monotonic() + REST_S
    while (count := count_of(what)) > wanted and time.monotonic() < end:
        time.sleep(0.05)
    return count


def close_waits() -> int:
    """Connections of the server whose client has closed, while the server has not (state CLOSE_WAIT)."""
    if not listening_inodes():
        raise CannotTell(f"nobody listens on port {PORT} of this machine, and only of this one the sockets can be seen")
    count = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in (line.split() for line in rows):
            count += row[3] == "08" and int(row[1].rpartition(":")[2], 16) == PORT
    return count


def memory_mib() -> float:
    """The server's memory that is really in use, in MiB."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in family_of(server_pid()))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_s() -> float:
    """How long the server's threads have run so far, or stood ready to run on a busy machine, in seconds."""
    nanoseconds = 0
    for pid in family_of(server_pid()):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            ran, waited = (thread / "schedstat").read_text().split()[:2]
            nanoseconds += int(ran) + int(waited)
    return nanoseconds / 1e9


def freeze() -> None:
    """SIGSTOP: the server sleeps. The kernel goes on accepting connections for it, as many as its backlog holds."""
    for pid in family_of(server_pid()):
        os.kill(pid, signal.SIGSTOP)


def thaw() -> None:
    """SIGCONT: it runs on."""
    for pid in family_of(server_pid()):
        os.kill(pid, signal.SIGCONT)


def end_it(number: int) -> bool:
    """Send the server a signal, and wait for its end; False when it is still there after STOP_S."""
    pid = server_pid()
    os.kill(pid, number)
    end = time.monotonic() + STOP_S
    while runs(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not runs(pid)


def runs(pid: int) -> bool:
    """Whether this process runs: not gone, and no zombie, which has ended and waits for its parent to look."""
    for process in PROCESSES:
        process.poll()
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start_it_again() -> None:
    """Start the server again on the port on which it was."""
    if not PROCESSES:
        raise CannotTell("this file must start the server itself, to start it again: leave out HOST and PORT")
    try:
        start_server(COMMAND)
    except CannotTell as why:
        raise Broken("it listens again, on the same port", str(why)) from None


def knock() -> str:
    """Try to connect: refused, or who knows what."""
    try:
        Client("knock").close()
    except OSError as error:
        return "refused" if isinstance(error, ConnectionRefusedError) else str(error)
    return "accepted"


# Some faults strike who come and leave all at once, others who do so one by one: how long it waits behind each of them,
# in seconds, and whether who is cut off is reset. It is played so in turn.
ROUNDS = ({"pace_s": 0.0, "resets": False}, {"pace_s": 0.02, "resets": True})
ROUND = dict(ROUNDS[0])

GIVEN: dict[str, int] = {}
COMMAND: list[str] = []
PROCESSES: list[subprocess.Popen[bytes]] = []


def start_server(command: list[str]) -> None:
    """Start the server and wait until it listens."""
    argv = [part.replace("{port}", str(PORT)).replace("{host}", HOST) for part in command]
    env = {"PYTHONUNBUFFERED": "1", **os.environ, "PORT": str(PORT), "HOST": HOST, **START_ENV}
    try:
        process = subprocess.Popen(argv, cwd=START_IN, env=env, stdin=subprocess.PIPE, start_new_session=True)
    except OSError as error:
        raise CannotTell(f"the server cannot be started: {error}") from None
    PROCESSES.append(process)
    if START_STDIN and process.stdin:
        process.stdin.write(START_STDIN.replace("{port}", str(PORT)).encode())
        process.stdin.flush()
    end = time.monotonic() + 20
    while not is_listening():
        if process.poll() is not None or time.monotonic() > end:
            raise CannotTell(f"the server did not start: {shlex.join(argv)}")
        time.sleep(0.05)
    time.sleep(0.1)


def is_listening() -> bool:
    """Whether somebody listens on PORT."""
    if Path("/proc/net/tcp").exists():
        return bool(listening_inodes())
    with socket.socket() as knock:
        return knock.connect_ex((HOST, PORT)) == 0


def stop_all() -> None:
    """End what was started here."""
    for process in PROCESSES:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        if process.stdin:
            process.stdin.close()
    PROCESSES.clear()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return int(trial.getsockname()[1])


def play_until_it_shows(own_port: bool) -> None:
    """Some faults strike only now and then: a play is played again, each time on a server that is started anew."""
    global PORT
    began = time.monotonic()
    for number in range(TRIES if own_port else 1):
        if number >= len(ROUNDS) and time.monotonic() > began + AGAIN_S:
            return
        stop_all()
        room.clear()
        THE_FAULT["begun"] = False
        ROUND.update(ROUNDS[number % len(ROUNDS)])
        if own_port:
            PORT = free_port()
        if COMMAND:
            if is_listening():
                raise CannotTell(
                    f"somebody listens on port {PORT} already: end it, or give HOST and PORT to talk to it"
                )
            start_server(COMMAND)
        play()


def main() -> int:
    """1: the fault is there. 0: it is mended. 2: it cannot be told."""
    global HOST, PORT
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("host", nargs="?", help="where the server listens; without it, the server is started here")
    parser.add_argument("port", nargs="?", type=int, help=f"and on which port (default: {PORT})")
    parser.add_argument("--start", metavar="COMMAND", help="start it by this command ({port} is filled in)")
    parser.add_argument("--pid", type=int, help="the server's process, where it has to be looked at")
    given = parser.parse_args()
    HOST, PORT = given.host or HOST, given.port or PORT
    if given.pid:
        GIVEN["pid"] = given.pid
    COMMAND.extend(shlex.split(given.start) if given.start else [] if given.host else START)
    try:
        play_until_it_shows(given.port is None and any("{port}" in part for part in COMMAND))
    except CannotTell as why:
        print(f"Cannot tell: {why}")
        return 2
    except (Broken, ConnectionError, TimeoutError) as fault:
        if not THE_FAULT["begun"]:
            print(f"Cannot tell: it went wrong at {HOST} port {PORT} before the fault was done.\n{fault}")
            return 2
        print(f"The fault is there.\n{fault}")
        return 1
    except Exception as error:
        print(f"Cannot tell: this file has a fault of its own: {type(error).__name__}: {error}")
        return 2
    finally:
        stop_all()
    print("The fault is not there (any more).")
    return 0
