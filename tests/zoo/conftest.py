"""The zoo's runner is a script beside its tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
