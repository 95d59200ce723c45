"""A simulated day at the machine: memory, descriptors and tasks do not grow."""

import subprocess

from tests.faults.day import DAY, Figures
from tests.soak import Figure, soak, soak_only

WARM = 2  # hours: by then every kind of hour with people has occurred once
GROWTH_BYTES = 2 << 20
REARING_BYTES = 8 << 20  # temporary: a session begins, a page is read, a machine returns after a night


@soak
@soak_only  # test_detector_contract.py tests the memory of detection
def test_a_day_leaves_nothing_behind(the_day: subprocess.Popen[str], figure: Figure) -> None:
    """Memory as Python counts it, and as the system counts it, with allocators and libraries."""
    said, complaints = the_day.communicate()
    assert the_day.returncode == 0, complaints
    hours = [Figures(*map(int, line.split())) for line in said.splitlines()]
    assert len(hours) == len(DAY)
    warm, last = hours[WARM - 1], hours[-1]
    held_bytes = max(hour.held_bytes for hour in hours[WARM:]) - warm.held_bytes
    rss_bytes = max(hour.rss_bytes for hour in hours[WARM:]) - warm.rss_bytes
    peak_bytes = last.peak_bytes - warm.peak_bytes
    descriptors, tasks, threads = (
        [getattr(hour, name) for hour in hours[WARM - 1 :]] for name in ("descriptors", "tasks", "threads")
    )
    figure(
        f"{last.hour} simulated hours",
        f"{last.sessions} sessions, {last.events} events, {last.heard} live messages: held {held_bytes / 2**20:+.2f} "
        f"MiB, resident {rss_bytes / 2**20:+.2f} MiB of {last.rss_bytes / 2**20:.0f}, for a moment "
        f"{peak_bytes / 2**20:+.2f}; descriptors {min(descriptors)} to {max(descriptors)}, threads {min(threads)} to "
        f"{max(threads)}, tasks {min(tasks)} to {max(tasks)}",
    )
    assert held_bytes <= GROWTH_BYTES
    assert rss_bytes <= GROWTH_BYTES
    assert peak_bytes <= REARING_BYTES
    assert max(descriptors) == min(descriptors)
    assert max(threads) <= min(threads) + 1  # the recorder's, during a session
    assert max(tasks) <= min(tasks) + 2  # tasks that run at this moment
