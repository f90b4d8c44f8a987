"""The benchmarks' own modules can be imported, as from their scripts."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
