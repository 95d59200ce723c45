"""Measures the start of a command: the best and the median of some starts, compared with the bare interpreter.

.venv/bin/python -m tests.benchmarks.bench_start
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from monitor.__main__ import COMMANDS

STARTS = 7
PROFILE = Path(__file__).parents[2] / "configs" / "leg_press.toml"
STARTED = {
    "python -c pass": ["-c", "pass"],
    "rep-monitor --help": ["-m", "monitor", "--help"],
    **{f"rep-monitor {name} --help": ["-m", "monitor", name, "--help"] for name in COMMANDS},
    "rep-monitor config check": ["-m", "monitor", "config", "check", str(PROFILE)],
}


def start_s(words: list[str]) -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began_s


def main() -> None:
    for name, words in STARTED.items():
        starts_s = [start_s(words) for _ in range(STARTS)]
        print(f"{name:<28}  best {min(starts_s) * 1e3:5.0f} ms  median {statistics.median(starts_s) * 1e3:5.0f} ms")


if __name__ == "__main__":
    main()
