"""Counts the machine instructions of a piece of `work` with valgrind, so that a busy computer changes nothing.

The piece is done once, and once more in a fork, which has counted all that came before; the difference is one piece
without start and imports.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

WORK = Path(__file__).with_name("work.py")
NEEDED = "valgrind"
_TOTAL = re.compile(r"I\s+refs:\s+([\d,]+)")


def instructions(piece: str, recording: Path, tree: Path) -> int:
    """Instructions of one piece with the modules in `tree`. Raises RuntimeError if valgrind fails."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += ["--vex-iropt-level=1"]  # the same counts in 5/6 of the time: most of the code runs only once
    done = subprocess.run(
        [*command, sys.executable, str(WORK), piece, str(recording), "forked"],
        env=environment(tree),
        cwd=tree,
        capture_output=True,
        text=True,
    )
    counts = sorted(int(count.replace(",", "")) for count in _TOTAL.findall(done.stderr))
    if done.returncode or len(counts) != 2:
        raise RuntimeError(f"valgrind could not count {piece} in {tree}: {done.stderr[-2000:]}")
    once, twice = counts
    return twice - once


def environment(tree: Path) -> dict[str, str]:
    """Modules come from `tree`; hashes and threads are fixed, so that a count repeats. Bytecode is kept."""
    fixed = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}
    return os.environ | fixed | {"PYTHONPATH": str(tree)}
