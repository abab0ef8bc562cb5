"""Addresses as Toxiproxy takes and tells them: parsing, resolving, binding, with the error texts of its API.

An empty host and 0.0.0.0 are bound on both families and told as `[::]`. A name gives its IPv4 address first. Port 0 is any free port.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from dataclasses import dataclass
from typing import Any

#: Connections that the kernel keeps until we accept them.
BACKLOG = 4096
_TEXTS = {
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EACCES: "permission denied",
    errno.EAFNOSUPPORT: "address family not supported by protocol",
}


class AddressError(Exception):
    """An address that cannot be used; the message is Toxiproxy's, without the `listen tcp: ` in front."""


@dataclass(frozen=True)
class Address:
    """A resolved address. An empty host: every interface, both families."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def split(text: str) -> tuple[str, str]:
    """Host and port of `host:port`, `[v6]:port` or `:port`. Raises AddressError."""
    head, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        raise AddressError(f"address {text}: missing port in address")
    if head.startswith("["):
        if not head.endswith("]"):
            raise AddressError(f"address {text}: missing ']' in address")
        return head[1:-1], port
    if ":" in head:
        raise AddressError(f"address {text}: too many colons in address")
    return head, port


def port_number(text: str) -> int:
    """The port, a number or a service's name. Raises AddressError."""
    if text == "":
        return 0
    if text.lstrip("+-").isdecimal() and text.isascii():
        number = int(text[:8])
        if not 0 <= number <= 65535:
            raise AddressError(f"address {text}: invalid port")
        return number
    try:
        return socket.getservbyname(text, "tcp")
    except (OSError, UnicodeError):
        raise AddressError(f"lookup tcp/{text}: unknown port") from None


def literal(host: str) -> bool:
    """Whether the host is an address already."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError, ValueError):
            socket.inet_pton(family, host.partition("%")[0])
            return True
    return False


async def lookup(host: str) -> list[str]:
    """Addresses of a name, IPv4 first. Raises AddressError."""
    if literal(host):
        return [host]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressError(f"lookup {host}: no such host") from None
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def resolve(text: str) -> Address:
    """What a listen address means. Empty: any port on every interface. Raises AddressError."""
    if text == "":
        return Address("", 0)
    host, port = split(text)
    number = port_number(port)
    return Address((await lookup(host))[0] if host else "", number)


def bind(address: Address, *, listening: bool = True) -> socket.socket:
    """A non-blocking socket that listens, or that merely holds the port until it does. Raises AddressError."""
    everywhere = address.host in ("", "0.0.0.0", "::")
    if everywhere:
        with contextlib.suppress(_NoSuchFamily):
            return _bind(socket.AF_INET6, "::", address, listening)
        return _bind(socket.AF_INET, "0.0.0.0", address, listening)
    return _bind(socket.AF_INET6 if ":" in address.host else socket.AF_INET, address.host, address, listening)


class _NoSuchFamily(AddressError):
    """This machine (or namespace) has no IPv6."""


def _bind(family: socket.AddressFamily, host: str, address: Address, listening: bool) -> socket.socket:
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _NoSuchFamily(f"{address}: socket: {error.strerror}") from error
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts inherits it
        sock.bind((host, address.port))
        if listening:
            sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        text = _TEXTS.get(error.errno or 0, (error.strerror or str(error)).lower())
        kind = _NoSuchFamily if host == "::" and error.errno == errno.EADDRNOTAVAIL else AddressError
        raise kind(f"{address}: bind: {text}") from error
    return sock


def text(peer: tuple[Any, ...]) -> str:
    """An address as the kernel gives it, as text."""
    return str(Address(str(peer[0]), int(peer[1])))


def local(sock: socket.socket) -> str:
    """A connected socket's own address as text; empty when it is gone already."""
    try:
        return text(sock.getsockname())
    except OSError:
        return ""


def name_of(sock: socket.socket) -> str:
    """The resolved address of a listening socket, as the API tells it."""
    host, port = sock.getsockname()[:2]
    return str(Address("::" if host == "0.0.0.0" else host, port))
