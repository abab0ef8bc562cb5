"""What a source lets one guess: commands, framings, JSON keys; nothing dangerous, and nothing of it is run."""

from __future__ import annotations

import pytest

from harness.dialect.hints import Hints, read
from harness.dialect.masking import fold


def of(text: str) -> Hints:
    """The hints of one file."""
    return read([("server", text)])


def test_no_source_gives_no_hints() -> None:
    assert read([]) == Hints()


def test_commands_are_taken_from_quoted_words() -> None:
    hints = of("""
        if msg.startswith("/nick "): ...
        elif cmd == 'MSG': ...
        elif (line.equals("/join")) { }
        case "name:": break;
        if text == "{quit}": return
    """)
    assert {"/nick {name}", "name:{name}"} <= set(hints.namings)
    assert "MSG {text}" in hints.sayings
    assert {"/join {room}", "MSG {to} {text}", "{quit}"} <= set(hints.words)


def test_nothing_dangerous_is_taken_from_a_source() -> None:
    hints = of('"/kick " "/shutdown" "STOP" "/ban" "close" "kill" "/nick"')
    taken = fold(" ".join((*hints.namings, *hints.sayings, *hints.words)))
    assert not [word for word in ("kick", "shutdown", "stop", "ban", "close", "kill") if word in taken]


@pytest.mark.parametrize(
    ("text", "framing"),
    [
        ("String s = in.readUTF();", "utf"),
        ("HEADER = 64\nmsg_length = conn.recv(HEADER)", "header"),
        ("(n,) = struct.unpack('>I', data)", "length"),
        ("const m = JSON.parse(line)", "json"),
    ],
)
def test_a_framing_is_known_by_how_it_is_read(text: str, framing: str) -> None:
    assert of(text).framings[0] == framing


def test_the_width_of_a_header_and_the_order_of_a_length_are_read() -> None:
    assert of("HEADER_LENGTH = 10").headers == (10,)
    assert of("struct.unpack('<I', data)").lengths == ((4, "little"),)
    assert of("struct.unpack('>H', data)").lengths == ((2, "big"),)


def test_a_home_made_end_of_messages_is_read_and_a_mere_separator_is_none() -> None:
    assert of('buffer.split("<END>")').terminators == ("<END>",)
    assert of(r"buf.split(b'\x03')").terminators == ("\x03",)
    assert of(r"""line.split(":"); data.split("\n"); RED = "\033[31m"; END = '\033[0m'""").terminators == ()


def test_the_fields_of_a_block_are_read() -> None:
    hints = of("#define NAME 32\nstruct message { char name[NAME]; char text[256]; };")
    assert hints.blocks == ((32, 256),)
    assert of('struct.unpack("32s512s", data)').blocks == ((32, 512),)
    assert of("struct client { int fd; char name[32]; };").blocks == ()


def test_commands_of_a_servers_own_are_words_that_it_compares_with() -> None:
    hints = of("""k, _, r = line.partition("|")
        if k == "CONN": ...
        elif k == "PUB": ...
        elif k == "KICK": ...""")
    assert hints.commands == ("CONN|", "PUB|")


def test_a_framing_of_a_neighbour_is_not_blamed_on_the_server() -> None:
    files = [
        ("server.py", "import common\nconn.recv(1024)"),
        ("common.py", "HEADER = 64"),
        ("other.py", "json.loads(x)"),
    ]
    assert read(files, own={"server.py"}).framings == ("header",)
    assert set(read(files).framings) == {"header", "json"}


def test_json_templates_have_the_keys_of_the_source() -> None:
    hints = of("""
        msg = json.loads(line)
        if msg["action"] == "login": users[c] = msg["username"]
        elif msg["action"] == "chat": send(msg.get("content"))
    """)
    assert '{"action": "login", "username": "{name}"}' in hints.json.namings
    assert '{"action": "chat", "content": "{text}"}' in hints.json.sayings


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("new ObjectInputStream(s.getInputStream())", "ObjectInputStream"),
        ("pickle.loads(data)", "pickle"),
        ("socket.socket(AF_INET, SOCK_DGRAM)", "UDP"),
        ("ctx = ssl.create_default_context()", "TLS"),
    ],
)
def test_what_is_not_spoken_is_seen(text: str, what: str) -> None:
    assert what in of(text).foreign
