"""Keeps compiled modules, from the first import of a test on.

With PYTHONDONTWRITEBYTECODE, as containers often have it, each of the many processes that the tests start, and each
worker, would compile every module anew (`replay`: 2.0 s instead of 0.6 s), and pytest would rewrite all of Hypothesis.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
