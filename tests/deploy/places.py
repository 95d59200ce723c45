"""Where the tests find what they install, and with which Python."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "configs" / "deploy"
PYTHON = str(sys._base_executable)  # type: ignore[attr-defined]
