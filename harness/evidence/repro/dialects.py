"""A dialect as source code: how a message is framed, how one logs in, where the server's units end."""

from __future__ import annotations

from collections.abc import Sequence

from harness.dialect.profile import KeepAlive, LoginStep, Profile, is_json


def framed(profile: Profile) -> str:
    """The function `framed`: the bytes that carry one message."""
    name = profile.framing_name("send")
    match name:
        case "line":
            end = (profile.newline or "\n").encode()
            return _function(
                "TCP is a stream and knows no messages: this server finds their ends by the newline.",
                f"return message + {end!r}",
            )
        case "json":
            end = ("\n" if profile.newline is None else profile.newline).encode()
            return _function("One JSON value is one message.", f"return message + {end!r}")
        case "chunk":
            end = (profile.newline or "").encode()
            back = f"return message + {end!r}" if end else "return message"
            return _function(
                "This server takes what one recv brings for one message (which TCP does not promise).", back
            )
        case "header":
            return _function(
                f"The size in decimal digits, padded to {profile.header} bytes, then the message.",
                f"return str(len(message)).encode().ljust({profile.header}) + message",
            )
        case "length" | "utf":
            width, order = (2, "big") if name == "utf" else (profile.length.bytes, profile.length.order)
            return _function(
                f"The size as a number of {width} bytes, {order}-endian, then the message.",
                f'return len(message).to_bytes({width}, "{order}") + message',
            )
        case "nul":
            return _function("What ends a message here.", f"return message + {profile.terminator.encode()!r}")
        case "fixed":
            sizes = (profile.fixed.name, profile.fixed.message) if profile.fixed.name else (profile.fixed.message,)
            return _function(
                "A block of a fixed size with fields filled up with zeros, as a C struct has them.",
                f"sizes = {sizes!r}",
                r'parts = message.split(b"\0")[: len(sizes)]',
                'parts = [b""] * (len(sizes) - len(parts)) + parts',
                r'return b"".join(part[: size - 1].ljust(size, b"\0") for part, size in zip(parts, sizes))',
            )


def _function(told: str, *lines: str) -> str:
    return "\n".join(["def framed(message: bytes) -> bytes:", f'    """{told}"""', *(f"    {line}" for line in lines)])


def log_in(profile: Profile) -> str:
    """The function `log_in`: the steps of the login, in their order."""
    lines = steps(profile.login)
    told = "Answer what the server asks." if lines else "This server wants no login: whoever connects is in."
    head = ["def log_in(client: Client) -> Client:", f'    """{told}"""']
    return "\n".join([*head, *(f"    {line}" for line in lines), "    return client"])


def steps(login: Sequence[LoginStep]) -> list[str]:
    """Steps of the login, as `client` takes them."""
    lines = []
    for step in login:
        if step.expect is not None:
            words = _named(step.expect)
            refusal = f", refusal={_named(step.refused)}" if step.refused else ""
            wait = f"client.waits_for({words}{refusal})"
            lines.append(wait if not step.optional else f"client.is_shown({words}, 1.0)")
        if step.send is not None:
            lines.append(f"client.answers({_named(step.send)})")
    return lines


def keep_alive(profile: Profile, beat: KeepAlive) -> str:
    """The function `keep_alive`: a heartbeat is answered, once each."""
    head = [
        "def keep_alive(client: Client) -> None:",
        '    """Whoever does not answer the heartbeat of this server is cut off."""',
    ]
    if beat.pattern is None:
        body = [
            f"if client.present and {(beat.expect or '').encode()!r} in client.received[client.kept_alive :]:",
            "    client.kept_alive = len(client.received)",
            f"    client.send(framed({beat.send.encode()!r}))",
        ]
    else:
        end = (
            r'client.received.rfind(b"\n") + 1' if profile.framing_name("receive") == "line" else "len(client.received)"
        )
        echo = f"{beat.send!a}.replace('{{echo}}', beat[1] or '')" if "{echo}" in beat.send else ascii(beat.send)
        body = [
            f"end = {end}",
            "whole, client.kept_alive = client.received[client.kept_alive : end], max(client.kept_alive, end)",
            "for unit in units(whole) if client.present else []:",
            f'    for beat in re.finditer({beat.pattern!a}, unit.decode("utf-8", "surrogateescape"), re.MULTILINE):',
            f'        client.send(framed({echo}.encode("utf-8", "surrogateescape")))',
        ]
    return "\n".join([*head, *(f"    {line}" for line in body)])


def _named(template: str) -> str:
    """A template as an expression, the client's name put in."""
    if template.strip() == "{name}" and template == "{name}":
        return "client.name"
    if "{name}" not in template:
        return ascii(template)
    return f"{template!a}.replace('{{name}}', client.name)"


def units(profile: Profile) -> str:
    """The function `units`: what was received, cut where this server's messages end."""
    name = profile.framing_name("receive")
    match name:
        case "line":
            body = ["return received.splitlines()"]
        case "nul":
            body = [f"return received.split({profile.terminator.encode()!r})"]
        case "header":
            body = _counted(f"int(received[:{profile.header}].strip(b' \\0') or 0)", profile.header)
        case "length" | "utf":
            width, order = (2, "big") if name == "utf" else (profile.length.bytes, profile.length.order)
            body = _counted(f'int.from_bytes(received[:{width}], "{order}")', width)
        case "fixed":
            size = profile.fixed.name + profile.fixed.message
            body = [f"return [received[at : at + {size}] for at in range(0, len(received), {size})]"]
        case "json":
            body = [r"return re.split(rb'\n|(?<=\})(?=\{)', received)"]
        case "chunk":
            body = ["return received.splitlines() or [received]"]
    head = ["def units(received: bytes) -> list[bytes]:", '    """What has come, cut where messages end."""']
    return "\n".join([*head, *(f"    {line}" for line in body)])


def _counted(size: str, width: int) -> list[str]:
    return [
        "found = []",
        f"while len(received) > {width}:",
        f"    size = {size}",
        f"    found.append(received[{width} : {width} + size])",
        f"    received = received[{width} + size :]",
        "return found",
    ]


def say(profile: Profile) -> str:
    """The template of what is said to all."""
    return profile.say


def in_json(profile: Profile) -> bool:
    """Whether what is said is JSON, so that its words must be escaped."""
    return is_json(profile.say)
