"""Start the reference server: `python -m server_under_test.reference`, or `python server_under_test/reference`."""

import sys
from pathlib import Path

if not __package__:  # run as a directory: then that is the first place Python looks for modules
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from server_under_test.reference.server import main

if __name__ == "__main__":
    sys.exit(main())
