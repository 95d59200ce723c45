"""A day at the machine in minutes: neither memory nor descriptors nor tasks become more."""

import subprocess
import sys
from pathlib import Path

from tests.soak import Figure, soak, soak_only

ROOT = Path(__file__).parents[2]
HOURS = 24
GROWTH_BYTES = 2 << 20
SCATTERED_BYTES = 16 << 20  # what an allocator makes of a daemon that lives 100 times as fast


@soak
@soak_only  # an hour takes a quarter of a minute; test_detector_contract.py holds the memory of detection
def test_a_day_leaves_nothing_behind(tmp_path: Path, figure: Figure) -> None:
    command = [sys.executable, "-m", "tests.faults.day", str(tmp_path), str(HOURS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    hours = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    _, held_bytes, rss_bytes, descriptors, tasks, threads, sessions, events = zip(*hours[1:], strict=True)
    growth_bytes = held_bytes[-1] - held_bytes[0]
    figure(
        f"{HOURS} simulated hours",
        f"{sessions[-1]} sessions, {events[-1]} events: held {growth_bytes / 2**20:+.2f} MiB after the first hour "
        f"(resident {(rss_bytes[-1] - rss_bytes[0]) / 2**20:+.1f} MiB), "
        f"descriptors {descriptors[0]} -> {descriptors[-1]}, threads {threads[0]} -> {threads[-1]}, "
        f"tasks {tasks[0]} -> {tasks[-1]}",
    )
    assert growth_bytes <= GROWTH_BYTES
    assert rss_bytes[-1] - rss_bytes[0] <= SCATTERED_BYTES
    assert max(descriptors) <= descriptors[0] + 3
    assert max(tasks) <= 64  # publishes in flight come and go
    assert max(threads) <= threads[0] + 1
