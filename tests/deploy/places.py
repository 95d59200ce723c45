"""Where the tests find what they install, and with which Python."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "configs" / "deploy"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHON = f"{sys.base_exec_prefix}/bin/python{VERSION}"  # outside the environment
