"""Start the reference server: `python -m server_under_test.reference`, or `python server_under_test/reference`."""

import os.path
import sys

if not __package__:  # run as a directory: then that is the first place Python looks for modules
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from server_under_test.reference.server import main

if __name__ == "__main__":
    sys.exit(main())
