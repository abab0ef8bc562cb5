"""`harness serve` and `harness proxy`: a documented server, or the embedded Toxiproxy, on its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from harness.cli.catalogue import near
from harness.cli.target_words import BUILTINS, UserError


def serve(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="reference, original or patched")] = "reference",
) -> None:
    """Run a server of server_under_test; what follows its name goes to it (--port 5000 …)."""
    if name not in BUILTINS:
        raise UserError(f"there is no server {name!r}{near(name, list(BUILTINS))}")
    argv = [sys.executable, "-m", f"server_under_test.{name}", *context.args]
    os.execv(sys.executable, argv)


def proxy(context: typer.Context) -> None:
    """Run the embedded Toxiproxy; it takes toxiproxy-server's flags (-host, -port, -config, -seed …)."""
    os.execv(sys.executable, [sys.executable, "-m", "harness.toxiproxy.embedded", *context.args])
