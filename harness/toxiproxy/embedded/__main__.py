"""`python -m harness.toxiproxy.embedded`: the proxy, with the flags of toxiproxy-server."""

import sys

from harness.toxiproxy.embedded.main import main

sys.exit(main(sys.argv[1:]))
