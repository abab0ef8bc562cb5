"""The target: the server under test, started and watched by us, or run by somebody else."""

from harness.target import sandbox, sockets
from harness.target.remote import RemoteServer
from harness.target.server import Server
from harness.target.spec import ServerSpec, TargetError, build, builtin, command

__all__ = ["RemoteServer", "Server", "ServerSpec", "TargetError", "build", "builtin", "command", "sandbox", "sockets"]
